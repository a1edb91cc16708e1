import { LipschitzError, named } from '../core/errors.ts'
import { beyondLimit, type Limits } from '../core/limits.ts'
import type { Dim, Shape } from '../core/tensor.ts'
import { sizeOf } from '../core/tensor.ts'
import type { Graph, Model, Node, Note, Value } from '../graph/graph.ts'
import { displayDomain, newestOpsets } from '../graph/opsets.ts'
import { bodiesOf } from '../graph/walk.ts'
import type { InferenceContext, Operand, ValueInfo } from '../ops/operand.ts'
import type { Operator } from '../ops/operator.ts'
import { findOperator } from '../ops/registry.ts'
import { isOutOfVersion, objectionTo } from '../ops/standard/standard.ts'
import { checkDeclared } from './declared.ts'
import type { Fact, FactTable } from './facts.ts'
import { createFacts, outputFacts, sourceFact, unknownFact, unknownInfo } from './facts.ts'
import type { Folder } from './folding.ts'
import { createFolder } from './folding.ts'
import { bindInputShapes } from './input-shapes.ts'
import { createLayers } from './node-layers.ts'
import { createTrust, withoutProof } from './trust.ts'
import type { TypedGraph } from './typed-graph.ts'

export interface InferenceOptions {
  /** Shapes for graph inputs, by name; null leaves a dimension as the file has it. */
  readonly inputShapes?: ReadonlyMap<string, readonly Dim[]>
}

/** What to try where shapes that do not fit may follow from the batch that was chosen here. */
const batchHint = 'a dynamic first dimension was taken as 1; give the real one with --input-shape'

/** What the pass has found so far. */
interface Pass {
  readonly facts: FactTable
  readonly folder: Folder
  readonly operators: Map<Node, Operator | null>
  readonly inferredBodies: Set<Graph>
  readonly notes: Note[]
  readonly limits: Limits
  steps: number
}

/**
 * Types, shapes and constantness of every value, in one forward pass over the main graph and, through the
 * operators that own them, over bodies. Only the shapes of graph inputs are believed. Loads no weights.
 * Throws `usage` and `shape` for input shapes that are not possible, `shape` or `malformed` where the file
 * contradicts itself or an operator's specification, `limit` beyond the budgets. Unknown operators leave their
 * outputs unknown, with a note.
 */
export function inferModel(model: Model, options: InferenceOptions = {}): TypedGraph {
  const facts = createFacts()
  const operators = new Map<Node, Operator | null>()
  const folder = createFolder(facts, (node) => operators.get(node) ?? null, model.parameters, model.limits)
  const bound = named({ model: model.path }, () =>
    bindInputShapes(model.graph, options.inputShapes ?? new Map()),
  )
  for (const [input, shape] of bound.shapes)
    facts.set(input, sourceFact(input, { type: input.declared.type, shape }))
  const notes = [...model.notes, ...bound.notes]
  const { limits } = model
  const pass: Pass = { facts, folder, operators, inferredBodies: new Set(), notes, limits, steps: 0 }
  const context = { model: model.path, hint: bound.notes.length > 0 ? batchHint : undefined }
  named(context, () => inferNodes(pass, model.graph))

  const operand = (value: Value) => createOperand(pass, value)
  const operandOrNull = (value: Value | null) => (value === null ? null : operand(value))
  const trusted = createTrust((node) => operators.get(node) ?? null, operand)
  return {
    model,
    graph: model.graph,
    notes,
    operand,
    typed: (node) => ({
      node,
      operator: trusted(node),
      inputs: node.inputs.map(operandOrNull),
      outputs: node.outputs.map(operandOrNull),
    }),
    layers: createLayers(trusted, operand),
  }
}

function inferNodes(pass: Pass, graph: Graph): void {
  for (const value of graph.initializers) checkDeclared(value, pass.facts.of(value))
  for (const node of graph.nodes) {
    pass.steps++
    if (pass.steps > pass.limits.inferredNodes) {
      throw beyondLimit('inferredNodes', 'loops in loops take too many steps to infer', { node: node.name })
    }
    inferNode(pass, node)
  }
}

function inferNode(pass: Pass, node: Node): void {
  const operator = operatorFor(pass, node)
  const findings = operator === null ? nothing : runRule(pass, operator, node)
  const inputs = node.inputs.map((input) => (input === null ? null : pass.facts.of(input)))
  const facts =
    findings.taken === null
      ? outputFacts(node, operator, inputs, findings.infos, findings.readData)
      : findings.taken.outputs.map((value) => ({ ...pass.facts.of(value), sameAs: value }))
  for (const [index, output] of node.outputs.entries()) {
    if (output === null) continue
    const fact = facts[index] ?? unknownFact
    pass.facts.set(output, fact)
    pass.folder.forget(output)
    checkDeclared(output, fact)
  }
  for (const graph of bodiesOf(node)) if (!pass.inferredBodies.has(graph)) inferIdleBody(pass, graph)
}

/**
 * A body that its owner did not look at, such as a branch that is never taken, still has layers to list. It need
 * not fit the shapes at hand: exporters guard a Squeeze by asking for the dimension first.
 */
function inferIdleBody(pass: Pass, graph: Graph): void {
  try {
    inferBody(pass, graph, [])
  } catch (error) {
    if (!(error instanceof LipschitzError && (error.code === 'shape' || error.code === 'malformed')))
      throw error
  }
}

function operatorFor(pass: Pass, node: Node): Operator | null {
  const known = pass.operators.get(node)
  if (known !== undefined) return known
  const objection = objectionTo(node)
  if (objection !== null) throw new LipschitzError('malformed', objection, { node: node.name })
  const { domain, op, version } = node
  const found = isOutOfVersion(domain, op, version) ? null : findOperator(domain, op, version)
  if (found === null) {
    pass.notes.push({
      rule: 'unknown-operator',
      message: `${op} of ${displayDomain(domain)} version ${version} is not known; nothing is known behind it`,
      node: node.name,
    })
  }
  // What a later version means by an operator is not known: its old shapes are a fair guess, a proof is not.
  const isNewer = node.version > (newestOpsets.get(node.domain) ?? Infinity)
  const operator = found !== null && isNewer ? withoutProof(found) : found
  pass.operators.set(node, operator)
  return operator
}

/** What an operator's declaration says of a node. */
interface Findings {
  readonly infos: readonly ValueInfo[]
  /** Whether the rule asked for elements that are data. */
  readonly readData: boolean
  /** The body that always runs, if there is one. */
  readonly taken: Graph | null
}

const nothing: Findings = { infos: [], readData: true, taken: null }

function runRule(pass: Pass, operator: Operator, node: Node): Findings {
  let readData = false
  const onDataRead = () => {
    readData = true
  }
  const operands = node.inputs.map((value) =>
    value === null ? null : createOperand(pass, value, onDataRead),
  )
  const context: InferenceContext = {
    node,
    input: (i) => operands[i] ?? null,
    fail: (message) => {
      throw new LipschitzError('shape', `${node.op}: ${message}`)
    },
    body: (graph, inputs) => inferBody(pass, graph, inputs),
  }
  return named({ node: node.name }, () => {
    const infos = operator.infer(context)
    for (const { shape } of infos) checkDims(node, shape)
    return { infos, readData, taken: operator.takes?.(context) ?? null }
  })
}

/** Whatever a rule computes, a dimension is a whole number from 0 on. */
function checkDims(node: Node, shape: Shape | null): void {
  if (shape?.every((dim) => dim === null || (Number.isSafeInteger(dim) && dim >= 0)) ?? true) return
  throw new LipschitzError('shape', `${node.op} gives the shape [${shape?.join(',')}]`, { node: node.name })
}

/** Nesting is limited where graphs are built, so that this recursion is shallow. */
function inferBody(pass: Pass, graph: Graph, inputs: readonly ValueInfo[]): readonly Fact[] {
  pass.inferredBodies.add(graph)
  for (const [index, input] of graph.inputs.entries()) {
    // The owner of the body feeds it: what it leaves open may change from step to step.
    const fact = { ...sourceFact(input, inputs[index] ?? unknownInfo), shapeIsData: true }
    pass.facts.set(input, fact)
  }
  inferNodes(pass, graph)
  return graph.outputs.map((output) => pass.facts.of(output))
}

function createOperand(pass: Pass, value: Value, onDataRead?: () => void): Operand {
  const { type, shape, isConstant, stored } = pass.facts.of(value)
  const constant = () => {
    if (!isConstant) onDataRead?.()
    return pass.folder.constant(value)
  }
  const isLarge = ((shape && sizeOf(shape)) ?? 0) > pass.limits.smallElements
  return {
    value,
    type,
    shape,
    isConstant,
    stored,
    constant,
    smallConstant: () => (isLarge ? null : constant()),
  }
}
