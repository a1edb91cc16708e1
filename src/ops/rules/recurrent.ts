import { toNumber } from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { divUp, mulUp } from '../../core/rounding.ts'
import { isBounded, sum, type Term } from '../../core/term.ts'
import { intAttribute, stringAttribute, stringsAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundOperand, BoundRule, Interval, TensorBound } from '../bound.ts'
import { countedIn } from './broadcast.ts'
import { type CellFacts, type CellOf, coupledLstm, gru, lstm, rnn } from './cells.ts'
import { elementsOf, entriesOf, rangeOf } from './constant.ts'
import { roundedDynamically } from './dynamic.ts'
import { farthest } from './interval.ts'
import { addedIn, isFixed, type Part, stackedIn } from './join.ts'
import { inEvery } from './norms.ts'
import { gatesOf } from './preactivations.ts'
import {
  type CellStep,
  functionOf,
  type Gains,
  inputGains,
  least,
  longest,
  noiseGains,
  stateGains,
} from './recurrence.ts'

/**
 * RNN, GRU and LSTM with constant weights over a known number of steps, with the activations of the standard (RNN with any of
 * those that have a slope): the gains of their cells, unrolled. Where data and states are rounded, x̂ takes the place of x, and every
 * step adds to what the state varies by.
 */
interface CellKind {
  /** Gates in the order of the standard: the layers 'W.gate' and 'R.gate'. */
  readonly gates: readonly string[]
  /** Activations of one direction; null where they may be any that has a slope. */
  readonly activations: readonly string[] | null
  readonly cellOf: CellOf
  /** The cell where `input_forget` is set; absent: the attribute says nothing. */
  readonly coupledCellOf?: CellOf
  /** Weights are quantised, and data and states rounded by their range before each product. */
  readonly rounds?: true
  /** It forgets where its weights are small: then it has a bound for any number of steps. */
  readonly contracts?: true
  /** What has to be bounded for there to be a constant. */
  readonly needs: (facts: CellFacts) => string | null
}

const lstmKind: CellKind = {
  gates: ['i', 'o', 'f', 'c'],
  activations: ['sigmoid', 'tanh', 'tanh'],
  cellOf: lstm,
  coupledCellOf: coupledLstm,
  needs: ({ cell }) =>
    cell < Infinity ? null : 'starts from a cell state that has no proven bounds; give --input-range',
}

const kinds = {
  RNN: { gates: ['h'], activations: null, cellOf: rnn, contracts: true, needs: () => null },
  GRU: {
    gates: ['z', 'r', 'h'],
    activations: ['sigmoid', 'tanh'],
    cellOf: gru,
    needs: ({ hidden }) =>
      hidden < Infinity ? null : 'starts from a hidden state that has no proven bounds; give --input-range',
  },
  LSTM: lstmKind,
  DynamicQuantizeLSTM: {
    ...lstmKind,
    rounds: true,
    needs: (facts) =>
      facts.hidden < Infinity
        ? lstmKind.needs(facts)
        : 'rounds a hidden state that has no proven bounds; give --input-range',
  },
} satisfies Record<string, CellKind>

/** Slopes of activations without parameters, and the largest absolute value of what they give. */
const simpleActivations: ReadonlyMap<string, CellFacts['activation']> = new Map([
  ['tanh', { slope: 1, most: 1 }],
  ['relu', { slope: 1, most: Infinity }],
  ['sigmoid', { slope: 0.25, most: 1 }],
  ['softsign', { slope: 1, most: 1 }],
  ['softplus', { slope: 1, most: Infinity }],
])

const inputs = { x: 0, bias: 3, lengths: 4, hidden: 5, cell: 6, peephole: 7 }
/** Scales and zero points of W and R. */
const quantization = [8, 9, 10, 11]

/** The activation of each direction of an RNN, tanh by default. */
function activationOf(context: BoundContext, direction: number): CellFacts['activation'] | null {
  const name = stringsAttribute(context.node, 'activations', null)?.[direction] ?? 'tanh'
  return simpleActivations.get(name.toLowerCase()) ?? null
}

/** Why the node has no rule; null where it has one. */
function obstacle(context: BoundContext, kind: CellKind, directions: number): string | null {
  const { node } = context
  const given = stringsAttribute(node, 'activations', null)?.map((name) => name.toLowerCase()) ?? []
  const standard = Array.from({ length: directions }, () => kind.activations ?? []).flat()
  const other = kind.activations === null ? [] : given.filter((name, i) => name !== standard[i])
  if (other.length > 0) return 'has activations that have no rule'
  if (kind.activations === null && given.some((_, i) => activationOf(context, i) === null))
    return 'has activations that have no rule'
  const held = [1, 2, inputs.bias, inputs.peephole, ...(kind.rounds === true ? quantization : [])].map((i) =>
    context.input(i),
  )
  if (held.some((operand) => operand !== null && !isFixed(operand)))
    return 'has weights that are computed from data'
  const lengths = context.input(inputs.lengths)
  if (lengths !== null && !isFixed(lengths)) return 'runs over numbers of steps that are computed from data'
  return null
}

/** Why the steps cannot be unrolled; null where they can. */
function obstacleOfSteps(steps: number | null): string | null {
  if (steps === null) return 'runs over a number of steps that is not known; give --input-shape'
  return steps > longest ? `runs over more than ${longest} steps` : null
}

function stepsOf(context: BoundContext): number | null {
  return context.input(inputs.x)?.shape?.[intAttribute(context.node, 'layout', 0) === 1 ? 1 : 0] ?? null
}

/** Whether sequences may end before the last step: then their last states are those of an earlier one. */
function mayEndEarly(context: BoundContext, steps: number): boolean {
  const lengths = context.input(inputs.lengths)
  return lengths !== null && entriesOf(lengths)?.every((length) => length === steps) !== true
}

function reachOf(operand: BoundOperand | null): number {
  if (operand === null) return 0
  const reach = farthest(operand.range)
  const elements = reach < Infinity ? null : elementsOf(operand)
  const range = elements === null ? null : rangeOf(elements)
  return range === null ? reach : farthest(range)
}

function factsOf(context: BoundContext, kind: CellKind, direction: number): CellFacts {
  const linearBeforeReset = intAttribute(context.node, 'linear_before_reset', 0) !== 0
  const count = kind.gates.length
  return {
    hidden: reachOf(context.input(inputs.hidden)),
    cell: reachOf(context.input(inputs.cell)),
    peephole: reachOf(context.input(inputs.peephole)),
    gates:
      kind.rounds === true ? null : gatesOf(context, count, direction, linearBeforeReset ? count - 1 : -1),
    linearBeforeReset,
    activation: activationOf(context, direction) ?? { slope: 1, most: Infinity },
  }
}

function recurrent(kind: CellKind): BoundRule {
  return inEvery((context, norm) => {
    const refuse = (reason: string) => context.node.outputs.map(() => context.refuse(reason))
    const both = stringAttribute(context.node, 'direction', 'forward') === 'bidirectional'
    const suffixes = both ? ['.forward', '.backward'] : ['']
    const reason = obstacle(context, kind, suffixes.length)
    const steps = stepsOf(context)
    const tooMany = obstacleOfSteps(steps)
    if (reason !== null) return refuse(reason)
    if (tooMany !== null && kind.contracts !== true) return refuse(tooMany)
    const data = dataOf(context, kind, norm)
    if (typeof data === 'string') return refuse(data)
    const directions: TensorBound[][] = []
    for (const [direction, suffix] of suffixes.entries()) {
      const norms = ['W', 'R'].flatMap((matrix) =>
        kind.gates.map((gate) => context.layerNorm(`${matrix}.${gate}${suffix}`)),
      )
      const facts = factsOf(context, kind, direction)
      const missing = kind.needs(facts)
      if (missing !== null) return refuse(missing)
      if (norms.includes(null)) return refuse('has weights that are not constant')
      if (norms.some((norm) => norm !== null && !isBounded(norm)))
        return refuse('has a weight that is not finite')
      const given = { facts, norms: norms as Term[], steps: steps ?? 0, data, norm }
      const found = tooMany === null ? oneDirection(context, kind, given) : withoutSteps(context, kind, given)
      if (found === null) return refuse(tooMany ?? 'has no rule')
      directions.push(found)
    }
    return context.node.outputs.map((_, i) =>
      stackedIn(
        norm,
        directions.map((bounds) => ({ bound: bounds[i], gain: 1 })),
        directions[0][i].range,
      ),
    )
  })
}

/** The data as the gates' products see them, or why they have no bound. */
function dataOf(context: BoundContext, kind: CellKind, norm: NormName): TensorBound | string {
  const data = context.input(inputs.x)
  if (data === null) return 'has no data'
  return kind.rounds === true ? roundedDynamically(data, norm) : data
}

/** What is known of one direction. */
interface Direction {
  readonly facts: CellFacts
  readonly norms: readonly Term[]
  readonly steps: number
  readonly data: TensorBound
  readonly norm: NormName
}

/** Bounds of Y, Y_h and Y_c of one direction: the sum over what varies, and what rounding states adds. */
function oneDirection(
  context: BoundContext,
  kind: CellKind,
  { facts, norms, steps, data, norm }: Direction,
): TensorBound[] {
  const early = mayEndEarly(context, steps)
  const isCoupled = intAttribute(context.node, 'input_forget', 0) !== 0
  const cellOf = (isCoupled ? kind.coupledCellOf : undefined) ?? kind.cellOf
  const { hidden, cell, stepOf } = cellOf(facts, steps)
  const noise =
    kind.rounds === true ? roundingOfStates(context, Math.max(facts.hidden, farthest(hidden)), norm) : 0
  // roots of sums of squares are those of vectors in ℓ2
  const ways = norm === 'l2' ? [false, true] : [false]
  const sources: readonly { at: number; gains: (step: CellStep) => Gains }[] = [
    { at: inputs.x, gains: (step) => inputGains(step, steps, early, norm) },
    { at: inputs.hidden, gains: (step) => stateGains(step, steps, { hidden: 1, cell: 0 }, early, norm) },
    { at: inputs.cell, gains: (step) => stateGains(step, steps, { hidden: 0, cell: 1 }, early, norm) },
  ]
  const varying = sources.flatMap(({ at, gains }) => {
    const bound = at === inputs.x ? data : context.input(at)
    if (bound === null || isFixed(bound)) return []
    const gainsOf = once((values) => least(ways.map((rooted) => gains(stepOf(values, rooted)))))
    return [{ bound, gainsOf }]
  })
  const outputs: readonly { gain: keyof Gains; range: Interval }[] = [
    { gain: 'sequence', range: hidden },
    { gain: 'lastHidden', range: hidden },
    { gain: 'lastCell', range: cell },
  ]
  const noiseOf = once((values) =>
    least(ways.map((rooted) => noiseGains(stepOf(values, rooted), steps, noise, early, norm))),
  )
  return outputs.map(({ gain, range }) => {
    const parts = varying.map(
      ({ bound, gainsOf }): Part => ({ bound, gain: functionOf(norms, (values) => gainsOf(values)[gain]) }),
    )
    const bound = addedIn(norm, parts, range)
    if (noise === 0 || isFixed(bound) || bound.refusal !== null) return bound
    const rounding = functionOf(norms, (values) => noiseOf(values)[gain])
    return { ...bound, offset: sum(bound.offset, rounding) }
  })
}

/**
 * Any number of steps of h = g(Wx + Rh′ + b) with c = sup g′·‖R‖ < 1: the rows and columns of the gain matrix are geometric series, so that
 * its norm is at most sup g′·‖W‖/(1 − c), in all norms; from an initial state c/(1 − c), and at most 1 in the last one. Null otherwise.
 */
function withoutSteps(
  context: BoundContext,
  kind: CellKind,
  { facts, norms, data, norm }: Direction,
): TensorBound[] | null {
  const { slope } = facts.activation
  const series = ([, r]: readonly number[], first: number) => {
    const rest = 1 - mulUp(slope, r)
    return rest > 0 ? (first / rest) * (1 + 1e-12) : Infinity
  }
  const gains = [
    (values: readonly number[]) => series(values, slope * values[0]),
    (values: readonly number[]) => Math.max(1, series(values, slope * values[1])),
  ].map((gainOf) => functionOf(norms, gainOf))
  if (!gains.every(isBounded)) return null
  const parts = [data, context.input(inputs.hidden)].flatMap((bound, i): Part[] =>
    bound === null || isFixed(bound) ? [] : [{ bound, gain: gains[i] }],
  )
  const { hidden } = kind.cellOf(facts, 0)
  return [hidden, hidden, hidden].map((range) => addedIn(norm, parts, range))
}

/** How far a hidden state of elements up to `most` moves where it is rounded to 256 steps: √n·2·most/255 for n of them. */
function roundingOfStates(context: BoundContext, most: number, norm: NormName): number {
  const [batch, units] = [context.input(inputs.x)?.shape?.[1] ?? null, context.input(2)?.shape?.[1] ?? null]
  return batch === null || units === null
    ? Infinity
    : mulUp(toNumber(countedIn(norm, batch * units)), divUp(2 * most, 255))
}

/** Computes what it is asked for once for the same numbers: three outputs ask for the same gains. */
function once(compute: (values: readonly number[]) => Gains): (values: readonly number[]) => Gains {
  const known = new Map<string, Gains>()
  return (values) => {
    const key = values.join()
    const gains = known.get(key) ?? compute(values)
    known.set(key, gains)
    return gains
  }
}

export const recurrentRules = {
  RNN: recurrent(kinds.RNN),
  GRU: recurrent(kinds.GRU),
  LSTM: recurrent(kinds.LSTM),
  DynamicQuantizeLSTM: recurrent(kinds.DynamicQuantizeLSTM),
} satisfies Record<string, BoundRule>
