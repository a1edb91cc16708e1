import type { NormName } from '../../core/norm-name.ts'
import * as term from '../../core/term.ts'
import { graphAttribute, intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { Graph } from '../../graph/graph.ts'
import { type BoundContext, type BoundRule, everything, type TensorBound } from '../bound.ts'
import { countedIn } from './broadcast.ts'
import { entriesOf, scalarOf } from './constant.ts'
import { hull, interval } from './interval.ts'
import { fixed, isFixed, stackedIn, through } from './join.ts'
import { inEvery, inNorms } from './norms.ts'
import { sourceOf } from './source.ts'

/** One of two bounds holds, and which one does not vary: the larger constants hold for both. */
function either(a: TensorBound, b: TensorBound): TensorBound {
  if (a.refusal !== null) return a
  if (b.refusal !== null) return b
  return {
    lipschitz: term.maximum(a.lipschitz, b.lipschitz),
    offset: term.maximum(a.offset, b.offset),
    range: hull(a.range, b.range),
    norm: Math.max(a.norm, b.norm),
    dependence: new Set([...a.dependence, ...b.dependence]),
    refusal: null,
  }
}

/**
 * If: the branch taken, where the condition is constant; the worse of both where it is fixed but not known (an
 * integer input). A condition computed from data jumps.
 */
const conditional: BoundRule = (context: BoundContext) => {
  const condition = context.input(0)
  const [taken, other] = [
    graphAttribute(context.node, 'then_branch'),
    graphAttribute(context.node, 'else_branch'),
  ]
  const refuse = (reason: string) => context.node.outputs.map(() => context.refuse(reason))
  if (condition === null || taken === null || other === null) return refuse('lacks its condition or a branch')
  if (!isFixed(condition)) return refuse('chooses a branch by a condition that is computed from data')
  const value = scalarOf(condition)
  if (value !== null) return context.body(value !== 0 ? taken : other)
  const [first, second] = [context.body(taken), context.body(other)]
  return context.node.outputs.map((_, i) => either(first[i], second[i]))
}

/** What is said of outputs that stack one value for each step. */
function stackedSteps(steps: readonly TensorBound[], norm: NormName): TensorBound {
  if (steps.length === 0) return fixed()
  const range = steps.map((step) => step.range).reduce(hull)
  return stackedIn(
    norm,
    steps.map((bound) => ({ bound, gain: 1 })),
    range,
  )
}

/** Steps through a body: what is carried goes around, further outputs are collected. */
function unrolled(
  context: BoundContext,
  body: Graph,
  steps: number,
  initial: readonly TensorBound[],
  inputsAt: (step: number, carried: readonly TensorBound[]) => readonly TensorBound[],
  firstCarried: number,
  norm: NormName,
): TensorBound[] {
  let carried = initial
  const collected: TensorBound[][] = body.outputs.slice(firstCarried + initial.length).map(() => [])
  for (let step = 0; step < steps; step++) {
    const outputs = context.body(body, inputsAt(step, carried))
    carried = outputs.slice(firstCarried, firstCarried + initial.length)
    collected.forEach((list, i) => {
      list.push(outputs[firstCarried + initial.length + i])
    })
  }
  return [...carried, ...collected.map((steps) => stackedSteps(steps, norm))]
}

function refusedAll(context: BoundContext, reason: string): TensorBound[] {
  return context.node.outputs.map(() => context.refuse(reason))
}

const unknownSteps = 'repeats its body a number of times that is not known'

/** Whether a loop goes on after every step: its body returns a constant, or the condition that it was given. */
function alwaysGoesOn(context: BoundContext, body: Graph): boolean {
  const [returned, given] = [body.outputs[0], body.inputs[1]]
  if (returned === undefined) return false
  const start = context.input(1)
  const starts = start === null || scalarOf(start) === 1
  return starts && (sourceOf(returned) === given || context.numberIn(returned) === 1)
}

/** Loop with a constant number of steps, step by step. */
const loop = inEvery((context, norm) => {
  const body = graphAttribute(context.node, 'body')
  const trips = scalarOf(context.input(0))
  if (body === null) return refusedAll(context, 'lacks its body')
  if (trips === null || context.input(0) === null || !alwaysGoesOn(context, body))
    return refusedAll(context, unknownSteps)
  if (trips > context.limits.loopSteps) return refusedAll(context, 'repeats its body too often to follow')
  const initial = Array.from({ length: context.inputCount - 2 }, (_, i) => context.input(i + 2) ?? fixed())
  const inputsAt = (step: number, carried: readonly TensorBound[]) => [
    fixed(interval(step, step)),
    fixed(interval(1, 1)),
    ...carried,
  ]
  return unrolled(context, body, Math.max(0, trips), initial, inputsAt, 1, norm)
})

/**
 * A body that is applied to every part of its inputs by itself: with |Δoutᵢ| ≤ L·|Δinᵢ| for each part i, Σ |Δoutᵢ|² ≤ L²·Σ |Δinᵢ|², so that
 * all outputs together have the body's own constant, however many parts there are; so for sums and largest changes. Null where the body reads what varies
 * from outside, or rounds.
 */
function mapped(
  context: BoundContext,
  body: Graph,
  inputs: readonly TensorBound[],
  norm: NormName,
): readonly TensorBound[] | null {
  if (Array.from(context.node.captures, context.operandOf).some((value) => !isFixed(value))) return null
  if (inputs.some((input) => input.refusal !== null)) return null
  const parts = inputs.map((bound, i): TensorBound => {
    // units of each input by itself: what it is a part of does not count
    const unit = { lipschitz: term.one, offset: term.zero, dependence: new Set([i]), share: null }
    return isFixed(bound) ? bound : { ...bound, ...unit }
  })
  const outputs = context.body(body, parts)
  if (outputs.some(({ refusal, offset }) => refusal === null && !term.isZero(offset))) return null
  const whole = stackedIn(
    norm,
    inputs.map((bound) => ({ bound, gain: 1 })),
    everything,
  )
  return outputs.map((output) => {
    if (output.refusal !== null) return output
    return isFixed(output) ? fixed(output.range) : through(whole, output.lipschitz, output.range)
  })
}

/** SequenceMap: its first input is a sequence; whether others are, and so are not repeated, is not known. */
const sequenceMap = inEvery((context, norm) => {
  const body = graphAttribute(context.node, 'body')
  const operands = Array.from({ length: context.inputCount }, (_, i) => context.input(i) ?? fixed())
  if (body === null) return refusedAll(context, 'lacks its body')
  if (operands.slice(1).some((operand) => !isFixed(operand)))
    return refusedAll(
      context,
      'repeats further inputs that depend on the data for elements whose number is not known',
    )
  return (
    mapped(context, body, operands, norm) ??
    refusedAll(
      context,
      'runs a body that rounds, or that reads data from outside, a number of times that is not known',
    )
  )
})

/**
 * Scan of version 8: once for each batch element, batch first and time second in every tensor. Each run sees slices, which
 * vary no more than the whole; B of them side by side: √B.
 */
const batchedScan = inEvery((context, norm) => {
  const { node } = context
  const body = graphAttribute(node, 'body')
  const states = context.inputCount - 1 - intAttribute(node, 'num_scan_inputs', 0)
  const operands = Array.from({ length: context.inputCount - 1 }, (_, i) => context.input(i + 1))
  if (body === null || operands.includes(null)) return refusedAll(context, 'lacks its body or an input')
  const inputs = operands.filter((operand) => operand !== null)
  const [batch, steps] = [0, 1].map((axis) => inputs[states]?.shape?.at(axis) ?? null)
  const lengths = context.input(0)
  if (batch === null || steps === null) return refusedAll(context, unknownSteps)
  if (lengths !== null && entriesOf(lengths)?.every((length) => length === steps) !== true)
    return refusedAll(context, unknownSteps)
  if (steps > context.limits.loopSteps) return refusedAll(context, 'repeats its body too often to follow')
  const slices = inputs.map((input) => through(input, 1, input.range, input.norm))
  const results = unrolled(
    context,
    body,
    steps,
    slices.slice(0, states),
    (_, carried) => [...carried, ...slices.slice(states)],
    0,
    norm,
  )
  return results.map((bound) => through(bound, countedIn(norm, batch), bound.range))
})

/** Scan over sequences of a known length: each step sees a slice, which varies no more than the whole. */
const scan = inEvery((context, norm) => {
  const { node } = context
  const body = graphAttribute(node, 'body')
  const scans = intAttribute(node, 'num_scan_inputs', 0)
  const states = context.inputCount - scans
  const operands = Array.from({ length: context.inputCount }, (_, i) => context.input(i))
  if (body === null || operands.includes(null)) return refusedAll(context, 'lacks its body or an input')
  const inputs = operands.filter((operand) => operand !== null)
  const axis = intsAttribute(node, 'scan_input_axes', null)?.[0] ?? 0
  const steps = inputs[states]?.shape?.at(axis) ?? null
  if (steps === null) return refusedAll(context, unknownSteps)
  if (steps > context.limits.loopSteps) return refusedAll(context, 'repeats its body too often to follow')
  const slices = inputs.slice(states).map((input) => through(input, 1, input.range, input.norm))
  const each = states === 0 ? mapped(context, body, slices, norm) : null
  if (each !== null) return each
  return unrolled(
    context,
    body,
    steps,
    inputs.slice(0, states),
    (_, carried) => [...carried, ...slices],
    0,
    norm,
  )
})

export const controlRules = {
  Loop: loop,
  Scan: scan,
  BatchedScan: batchedScan,
  SequenceMap: sequenceMap,
  /** The larger constant of both branches, in whatever norm they have one. */
  If: inNorms(conditional, 'same'),
} satisfies Record<string, BoundRule>
