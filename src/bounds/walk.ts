import { linearContext } from '../calculus/node-context.ts'
import { LipschitzError } from '../core/errors.ts'
import * as mag from '../core/magnitude.ts'
import { magnitude } from '../core/magnitude.ts'
import type { NormName } from '../core/norm-name.ts'
import type { Term } from '../core/term.ts'
import * as term from '../core/term.ts'
import type { Graph, Node, Value } from '../graph/graph.ts'
import { displayDomain } from '../graph/opsets.ts'
import type { MergedLayer } from '../infer/merged-layers.ts'
import type { TypedGraph, TypedNode } from '../infer/typed-graph.ts'
import {
  type BoundContext,
  type BoundOperand,
  type Box,
  everything,
  type Interval,
  type Origin,
  type TensorBound,
} from '../ops/bound.ts'
import { formBound } from '../ops/forms/forms.ts'
import { scalarOf } from '../ops/rules/constant.ts'
import { fixed, isFixed, through, unbounded } from '../ops/rules/join.ts'
import { ruleIn } from '../ops/rules/norms.ts'
import type { Spread } from '../ops/spreads/spread.ts'
import { type BoxStore, createBoxStore, narrow } from './boxes.ts'
import { explained, guarded } from './guarded.ts'
import { type LayerTerms, layerKeys, layerNorm, leafOf, type NormOf } from './layer-terms.ts'
import { constantRange, settled, typeRange } from './ranges.ts'
import { refused } from './refused.ts'
import { createSpreadStore, type SpreadStore, spreadOut } from './spreads.ts'

export type { NormOf }

export interface WalkOptions {
  readonly normOf: NormOf
  /**
   * The inputs that vary, or tensors inside the main graph that stand for them; all others are held fixed. Positions are
   * what `dependence` refers to.
   */
  readonly audited: readonly Value[]
  /** Where the elements of an audited input lie, by name; anywhere where it is not named. */
  readonly inputRanges?: ReadonlyMap<string, Interval>
  /** Where each of their elements lies, within these ranges. */
  readonly inputBoxes?: ReadonlyMap<string, Box>
  /** Layers merged with their neighbours, by the node whose first output they give; only the refined walk uses them. */
  readonly merged?: ReadonlyMap<Node, MergedLayer>
  /** The norm in which changes are measured; ℓ2 unless given. */
  readonly norm?: NormName
  /** With ranges and disjoint dependence; without them what composes the plain constants along the paths. */
  readonly refined: boolean
  /** Bounds of a node of the main graph that are less than the rule's, where something else proves them. */
  readonly refine?: Refine
  /** An input as a node reads it, where that is not the value itself. */
  readonly readAs?: (node: Node, input: number, operand: BoundOperand) => BoundOperand
  /** Whether nodes may be recognised as the ends of forms, whose bounds pass over the nodes within; yes unless given. */
  readonly usesForms?: (node: Node) => boolean
  /** Whether the layers of a node are not to be used, because what they are made of is read otherwise; no unless given. */
  readonly hidesLayers?: (node: Node) => boolean
}

/** Takes the bounds of a node's outputs and gives those that are proven, too; the rest tells what was walked so far. */
export type Refine = (
  node: Node,
  results: readonly TensorBound[],
  boundOf: Walk['boundOf'],
  boxOf: Walk['boxOf'],
) => readonly TensorBound[]

/** Bounds of every value that the walk has come to. */
export interface Walk {
  boundOf(value: Value): TensorBound
  /** Null for values that the walk has not come to: those of a branch that is not taken. */
  find(value: Value): TensorBound | null
  /** Where single elements lie; null where nothing beyond the value's range is known. */
  boxOf(value: Value): Box | null
  /** How much single parts vary; null where nothing beyond the value's bound is known. */
  spreadOf(value: Value): Spread | null
}

/** What one walk carries along. */
interface State extends LayerTerms {
  readonly typed: TypedGraph
  readonly options: WalkOptions
  readonly bounds: Map<Value, TensorBound>
  /** Ranges of single elements; null where ranges are not followed. */
  readonly boxes: BoxStore | null
  /** How much single parts of tensors vary; null where that is not followed. */
  readonly spreads: SpreadStore | null
  /** Nodes of bodies walked so far, each as often as it was. */
  walkedNodes: number
  /** Tensors that are cut into parts; null where parts are not followed, as in bodies. */
  origins: Map<Value, Origin> | null
}

/**
 * Carries |Δtensor|₂ ≤ L·|Δinputs|₂ + δ through the main graph, from the audited inputs to every value, in one pass
 * in topological order: each node's rule is applied once. Proof by induction over the nodes; what a rule guarantees
 * stands at the rule. Operators without a rule, and rules that find no bound, leave a refusal that names the first
 * such node; it passes to everything behind it. Cost: linear in nodes and edges, besides constants that rules read.
 */
export function walkGraph(typed: TypedGraph, options: WalkOptions): Walk {
  const state: State = {
    typed,
    options,
    bounds: new Map(),
    keys: layerKeys(typed),
    leaves: new Map(),
    // nor are the ranges of single elements, which are those of the reference, the other network's
    boxes: options.refined && options.readAs === undefined ? createBoxStore() : null,
    spreads:
      options.refined && options.readAs === undefined && (options.norm ?? 'l2') === 'l2'
        ? createSpreadStore()
        : null,
    walkedNodes: 0,
    // what a node reads otherwise than others is no part of one tensor
    origins: options.refined && options.readAs === undefined ? new Map() : null,
  }
  for (const input of typed.graph.inputs) {
    state.bounds.set(input, settled(inputBound(state, input), typed.operand(input)))
    const box = options.audited.includes(input) ? options.inputBoxes?.get(input.name) : undefined
    if (box !== undefined) state.boxes?.boxes.set(input, box)
  }
  walkNodes(state, typed.graph)
  return {
    boundOf: (value) => boundOf(state, value),
    find: (value) => state.bounds.get(value) ?? null,
    boxOf: (value) => state.boxes?.boxes.get(value) ?? null,
    spreadOf: (value) => state.spreads?.spreads.get(value) ?? null,
  }
}

function inputBound({ typed, options }: State, input: Value): TensorBound {
  const index = options.audited.indexOf(input)
  const named = options.refined ? options.inputRanges?.get(input.name) : undefined
  const range = named ?? typeRange(typed.operand(input).type)
  if (index < 0) return fixed(range)
  const bound = { lipschitz: term.one, offset: term.zero, range, norm: Infinity }
  return { ...bound, dependence: new Set([index]), refusal: null }
}

function walkNodes(state: State, graph: Graph): void {
  for (const node of graph.nodes) {
    const typedNode = state.typed.typed(node)
    const { outputs } = typedNode
    if (outputs.every((output) => output === null || output.isConstant)) continue
    const results = refined(state, graph, node, tightened(state, node, applyRule(state, typedNode)))
    for (const [i, output] of outputs.entries()) {
      if (output === null || output.isConstant) continue
      const found = results[i] ?? unbounded(node, 'has no rule for this output')
      const isCut = state.options.audited.includes(output.value)
      if (isCut) state.boxes?.boxes.delete(output.value)
      if (isCut) state.spreads?.spreads.delete(output.value)
      const result = isCut ? inputBound(state, output.value) : found
      state.bounds.set(output.value, state.options.refined ? settled(result, output) : plain(state, result))
    }
  }
}

function refined(
  state: State,
  graph: Graph,
  node: Node,
  results: readonly TensorBound[],
): readonly TensorBound[] {
  const { refine } = state.options
  if (refine === undefined || graph !== state.typed.graph) return results
  const boxOf = (value: Value) => state.boxes?.boxes.get(value) ?? null
  // a reader's other inputs may come later: they vary, and nothing is known of them yet
  const laterOr = (value: Value) =>
    state.bounds.has(value) || state.typed.operand(value).isConstant
      ? boundOf(state, value)
      : unbounded(node, 'is not reached yet')
  return refine(node, results, laterOr, boxOf)
}

/**
 * Norm bounds of nodes as maps from all inputs that vary, taken together: what the rule says where each of them varies
 * by one. Null where the rule finds none.
 */
export function gainsOf(
  typed: TypedGraph,
  normOf: NormOf,
): (node: Node, varies: (value: Value) => boolean) => number | null {
  const options = { normOf, audited: [], refined: false }
  const keys = layerKeys(typed)
  const leaves = new Map<string, Term>()
  const unit = { ...fixed(), lipschitz: term.one, dependence: new Set([0]) }
  return (node, varies) => {
    const bounds = new Map<Value, TensorBound>()
    for (const value of node.inputs) if (value !== null && varies(value)) bounds.set(value, unit)
    const state: State = {
      typed,
      options,
      bounds,
      keys,
      leaves,
      boxes: null,
      spreads: null,
      walkedNodes: 0,
      origins: null,
    }
    const operand = (value: Value | null) =>
      value === null || bounds.has(value) || typed.operand(value).isConstant
    for (const value of node.inputs) if (!operand(value)) bounds.set(value as Value, fixed())
    const rule = typed.typed(node).operator?.bound
    if (rule === undefined || node.captures.size > 0) return null
    const context = createContext(state, typed.typed(node), () => {})
    const results = guarded(context, () => rule(context))
    const isProportional = ({ refusal, offset }: TensorBound) => refusal === null && term.isZero(offset)
    const sizes = results.map((bound) => (isProportional(bound) ? bound.lipschitz : term.infinite))
    const gain = mag.toNumber(term.rootSumSquare(...sizes).value)
    return Number.isFinite(gain) ? gain : null
  }
}

/** The first output's bound, or the one that a merged layer gives where that is less. */
function tightened(state: State, node: Node, results: readonly TensorBound[]): readonly TensorBound[] {
  const merged = state.options.refined ? state.options.merged?.get(node) : undefined
  const norm = merged === undefined ? '' : state.options.normOf(merged.key)
  if (merged === undefined || typeof norm === 'string') return results
  const [first, ...others] = results
  const parts = merged.parts.map((key) => leafOf(state, key)).filter((leaf) => leaf !== null)
  // the norm grows in proportion with each of the layers that it is made of
  const gain: Term = { value: magnitude(norm), parents: parts, weights: parts.map(() => 1), leaf: null }
  const from = boundOf(state, merged.from)
  // what varies may begin within the merged layer, where the graph is cut
  if (isFixed(from)) return results
  const bound = through(from, gain, first.range, first.norm)
  return term.minimum(first.lipschitz, bound.lipschitz) === first.lipschitz ? results : [bound, ...others]
}

/** Forgets what only the refined walk uses. */
function plain({ options }: State, bound: TensorBound): TensorBound {
  if (isFixed(bound) || bound.refusal !== null) return { ...bound, range: everything, norm: Infinity }
  return { ...bound, range: everything, norm: Infinity, dependence: new Set(options.audited.keys()) }
}

/** A constant's range is looked up when it is first asked for. */
function boundOf(state: State, value: Value): TensorBound {
  const known = state.bounds.get(value)
  if (known !== undefined) return known
  const operand = state.typed.operand(value)
  if (!operand.isConstant) throw new Error(`'${value.name}' is read before it is written`)
  const bound = settled(fixed(constantRange(operand)), operand)
  state.bounds.set(value, bound)
  return bound
}

function applyRule(state: State, typedNode: TypedNode): readonly TensorBound[] {
  const { node, operator } = typedNode
  if (operator === null) {
    return node.outputs.map(() =>
      unbounded(node, `is not known (${displayDomain(node.domain)} version ${node.version})`),
    )
  }
  let norm: string | null = null
  const context = createContext(state, typedNode, (reason) => {
    norm ??= reason
  })
  if (operator.bound === undefined)
    return node.outputs.map(() => context.refuse(operator.without ?? 'has no rule'))
  const { norm: measure = 'l2', usesForms } = state.options
  const rule = measure === 'l2' ? operator.bound : ruleIn(measure, operator.bound)
  const results = guarded(context, () => {
    const form = (usesForms?.(node) ?? true) ? formBound(context, measure) : null
    return form === null ? rule(context) : [form]
  }).map((bound) => explained(node, bound, norm))
  const { boxes, spreads } = state
  if (boxes === null) return results
  const narrowed = narrow(boxes, context, rule, results)
  const linear = spreads && linearContext(state.typed, node, (value) => !isFixed(boundOf(state, value)))
  return spreads === null || linear === null
    ? narrowed
    : spreadOut({ spreads, boxes }, context, linear, rule, narrowed, usesForms?.(node) ?? true)
}

function createContext(
  state: State,
  { node, inputs, outputs }: TypedNode,
  onNoNorm: (reason: string) => void,
): BoundContext {
  const operandOf = (value: Value): BoundOperand => {
    const operand = state.typed.operand(value)
    const { type, shape, isConstant } = operand
    return { ...boundOf(state, value), info: { type, shape }, operand, shape, isConstant }
  }
  const { readAs } = state.options
  const operands = inputs.map((operand, i) => {
    if (operand === null) return null
    const read = operandOf(operand.value)
    return readAs?.(node, i, read) ?? read
  })
  return {
    node,
    limits: state.typed.model.limits,
    inputCount: operands.length,
    input: (i) => operands[i] ?? null,
    outputCount: outputs.length,
    output: (i) => outputs[i] ?? null,
    origin: (i) => originOf(state, inputs[i]?.value ?? null),
    operandOf,
    numberIn: (value) => {
      const operand = state.typed.operand(value)
      return operand.isConstant ? scalarOf(operandOf(value)) : null
    },
    layerNorm: (role = '', of = node) =>
      state.options.hidesLayers?.(of) ? null : layerNorm(state, of, role, onNoNorm),
    refuse: (reason) => refused(state.typed, node, readBy(state, node, operands), reason),
    body: (graph, given = []) => {
      state.walkedNodes += graph.nodes.length
      if (state.walkedNodes > state.typed.model.limits.walkedNodes)
        return graph.outputs.map(() =>
          refused(state.typed, node, readBy(state, node, operands), 'repeats bodies too often to follow'),
        )
      for (const [i, input] of graph.inputs.entries()) {
        const bound = given[i] ?? unbounded(node, 'gives no such input to its body')
        state.bounds.set(input, settled(bound, state.typed.operand(input)))
      }
      // the tensors of a body that goes around are others every time; a branch runs once
      const { origins } = state
      if (graph.inputs.length > 0) state.origins = null
      walkNodes(state, graph)
      state.origins = origins
      return graph.outputs.map((output) => boundOf(state, output))
    },
    fail: (message) => {
      throw new LipschitzError('shape', `${node.op}: ${message}`, { node: node.name })
    },
  }
}

/** The value as a tensor that is cut, the same for all who ask. */
function originOf(state: State, value: Value | null): Origin | null {
  if (value === null || state.origins === null) return null
  const known = state.origins.get(value)
  if (known !== undefined) return known
  const origin = { order: state.origins.size, bound: boundOf(state, value) }
  state.origins.set(value, origin)
  return origin
}

function readBy(state: State, node: Node, operands: readonly (TensorBound | null)[]): TensorBound[] {
  const captured = Array.from(node.captures, (value) => boundOf(state, value))
  return [...operands.filter((bound) => bound !== null), ...captured]
}
