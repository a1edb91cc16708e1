import type { Dim, Shape } from '../../core/tensor.ts'
import { graphAttribute, intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { Graph } from '../../graph/graph.ts'
import type { InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { controlRules } from '../rules/control.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { mergeShapes } from '../shape/broadcast.ts'
import { knownScalarOf } from '../shape/integers.ts'
import { infoOf, requiredInput, unknownInfo } from '../shape/operands.ts'

/** Control flow: operators whose attributes hold graphs. */

function requiredBody(context: InferenceContext, name: string): Graph {
  return graphAttribute(context.node, name) ?? context.fail(`the graph '${name}' is missing`)
}

/** What holds of a value that is one of the two. */
function mergeInfos(a: ValueInfo, b: ValueInfo): ValueInfo {
  return infoOf(a.type === b.type ? a.type : null, mergeShapes(a.shape, b.shape))
}

function sameInfo(a: ValueInfo, b: ValueInfo): boolean {
  if (a.type !== b.type || a.shape?.length !== b.shape?.length) return false
  return a.shape?.every((dim, axis) => dim === b.shape?.[axis]) ?? true
}

/** The branch that a constant condition chooses. */
function takenBranch(context: InferenceContext): Graph | null {
  const condition = knownScalarOf(requiredInput(context, 0))
  if (condition === null) return null
  return requiredBody(context, condition !== 0 ? 'then_branch' : 'else_branch')
}

/** With a constant condition the infos of the branch that is taken, else what both have in common. */
function inferIf(context: InferenceContext) {
  const always = takenBranch(context)
  if (always !== null) return context.body(always, [])
  const taken = context.body(requiredBody(context, 'then_branch'), [])
  const other = context.body(requiredBody(context, 'else_branch'), [])
  if (taken.length !== other.length) context.fail('the branches differ in the number of outputs')
  return taken.map((info, i) => mergeInfos(info, other[i]))
}

/** Passes over a body before values that it carries are given up as unknown. */
const maxPasses = 3

/**
 * Infers a body whose first outputs come back as inputs: an info that a pass changes is widened to what holds
 * before and after, until nothing changes. The last pass therefore holds for every iteration.
 */
function inferCarried(
  context: InferenceContext,
  body: Graph,
  initial: readonly ValueInfo[],
  inputsWith: (carried: readonly ValueInfo[]) => readonly ValueInfo[],
  firstCarried: number,
): { readonly carried: readonly ValueInfo[]; readonly outputs: readonly ValueInfo[] } {
  let carried = initial
  for (let pass = 1; ; pass++) {
    const outputs = context.body(body, inputsWith(carried))
    const returned = outputs.slice(firstCarried, firstCarried + carried.length)
    if (returned.length < carried.length) return context.fail('the body returns fewer values than it carries')
    const widened = carried.map((info, i) => mergeInfos(info, returned[i]))
    if (widened.every((info, i) => sameInfo(info, carried[i]))) return { carried, outputs }
    carried = widened.map((info, i) => {
      if (pass < maxPasses || sameInfo(info, carried[i])) return info
      return pass === maxPasses ? infoOf(info.type, null) : unknownInfo
    })
  }
}

/** Loop: inputs M, condition, carried values; the body takes and returns the carried values, then scan outputs. */
function inferLoop(context: InferenceContext) {
  const body = requiredBody(context, 'body')
  const initial = context.node.inputs.slice(2).map((_, i) => context.input(i + 2) ?? unknownInfo)
  const counter = infoOf('int64', [])
  const condition = infoOf('bool', [])
  const { carried, outputs } = inferCarried(
    context,
    body,
    initial.map(({ type, shape }) => infoOf(type, shape)),
    (values) => [counter, condition, ...values],
    1,
  )
  const scanned = outputs.slice(1 + carried.length)
  return [...carried, ...scanned.map(({ type, shape }) => infoOf(type, shape && [null, ...shape]))]
}

/** The axes along which Scan cuts its inputs or stacks its outputs. */
function scanAxes(context: InferenceContext, name: string, count: number): readonly number[] {
  const axes = intsAttribute(context.node, name, new Array<number>(count).fill(0))
  return axes.length === count
    ? axes
    : context.fail(`${name} names ${axes.length} axes, ${count} are expected`)
}

function withoutAxis(context: InferenceContext, shape: Shape | null, axis: number): Shape | null {
  return shape?.toSpliced(normalizeAxis(context, axis, shape.length), 1) ?? null
}

/** Scan from opset 9 on: initial states, then inputs that are cut along one axis each. */
function inferScan(context: InferenceContext) {
  const body = requiredBody(context, 'body')
  const scans = intAttribute(context.node, 'num_scan_inputs', 0)
  const states = context.node.inputs.length - scans
  if (scans < 1 || states < 0)
    context.fail(`num_scan_inputs ${scans} does not fit ${context.node.inputs.length} inputs`)
  const operands = context.node.inputs.map((_, i) => requiredInput(context, i))
  const axes = scanAxes(context, 'scan_input_axes', scans)
  let length: Dim = null
  const slices = operands.slice(states).map(({ type, shape }, i) => {
    if (shape !== null) length ??= shape[normalizeAxis(context, axes[i], shape.length)]
    return infoOf(type, withoutAxis(context, shape, axes[i]))
  })
  const { carried, outputs } = inferCarried(
    context,
    body,
    operands.slice(0, states).map(({ type, shape }) => infoOf(type, shape)),
    (values) => [...values, ...slices],
    0,
  )
  const scanned = outputs.slice(states)
  const outputAxes = scanAxes(context, 'scan_output_axes', scanned.length)
  const stacked = scanned.map(({ type, shape }, i) => {
    if (shape === null) return infoOf(type, null)
    return infoOf(type, shape.toSpliced(normalizeAxis(context, outputAxes[i], shape.length + 1), 0, length))
  })
  return [...carried, ...stacked]
}

/** Scan-8 runs once per batch element: every tensor has a batch axis in front, scans then a sequence axis. */
function inferBatchedScan(context: InferenceContext) {
  const body = requiredBody(context, 'body')
  const scans = intAttribute(context.node, 'num_scan_inputs', 0)
  const states = context.node.inputs.length - 1 - scans
  if (scans < 1 || states < 0)
    context.fail(`num_scan_inputs ${scans} does not fit ${context.node.inputs.length} inputs`)
  const operands = context.node.inputs.slice(1).map((_, i) => requiredInput(context, i + 1))
  const batch = operands.find(({ shape }) => shape !== null)?.shape?.[0] ?? null
  const length = operands.slice(states).find(({ shape }) => shape !== null)?.shape?.[1] ?? null
  const { carried, outputs } = inferCarried(
    context,
    body,
    operands.slice(0, states).map(({ type, shape }) => infoOf(type, shape?.slice(1) ?? null)),
    (values) => [
      ...values,
      ...operands.slice(states).map(({ type, shape }) => infoOf(type, shape?.slice(2) ?? null)),
    ],
    0,
  )
  return [
    ...carried.map(({ type, shape }) => infoOf(type, shape && [batch, ...shape])),
    ...outputs.slice(states).map(({ type, shape }) => infoOf(type, shape && [batch, length, ...shape])),
  ]
}

export const controlOperators = [
  { op: 'If', bound: controlRules.If, infer: inferIf, takes: takenBranch },
  { op: 'Loop', bound: controlRules.Loop, infer: inferLoop },
  {
    op: 'Scan',
    bound: controlRules.BatchedScan,
    since: 8,
    infer: inferBatchedScan,
  },
  { op: 'Scan', bound: controlRules.Scan, since: 9, infer: inferScan },
] satisfies readonly Operator[]
