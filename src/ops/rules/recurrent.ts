import { isBounded, type Term } from '../../core/term.ts'
import { intAttribute, stringAttribute, stringsAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundOperand, BoundRule, Interval, TensorBound } from '../bound.ts'
import { entriesOf } from './constant.ts'
import { farthest, interval, up } from './interval.ts'
import { added, isFixed, type Part, stacked } from './join.ts'
import { type CellStep, functionOf, type Gains, inputGains, longest, stateGains } from './recurrence.ts'

/**
 * RNN, GRU and LSTM with constant weights over a known number of steps, with the activations of the standard. Every
 * gate is a logistic function of slope ¼ with values in (0, 1), every candidate a tanh of slope 1 in (−1, 1).
 */

/** What bounds of a cell need besides the norms of its matrices. */
interface CellFacts {
  /** sup |h₀| and sup |c₀|. */
  readonly hidden: number
  readonly cell: number
  /** Largest peephole and bias. */
  readonly peephole: number
  readonly bias: number
  /** √(hidden size). */
  readonly rootSize: number
  readonly linearBeforeReset: boolean
}

interface CellKind {
  /** Gates in the order of the standard: the layers 'W.gate' and 'R.gate'. */
  readonly gates: readonly string[]
  readonly activations: readonly string[]
  /** The recursion, given the norms in the order of `gates`, first those of W, then those of R. */
  readonly step: (norms: readonly number[], facts: CellFacts) => CellStep
  /** Ranges of hidden and cell states after all steps. */
  readonly ranges: (facts: CellFacts, steps: number) => { hidden: Interval; cell: Interval }
  /** What has to be bounded for there to be a constant. */
  readonly needs: (facts: CellFacts) => string | null
}

/**
 * h = tanh(Wx + Rh′ + b): |Δh| ≤ ‖W‖|Δx| + ‖R‖|Δh′|.
 */
const rnn: CellKind = {
  gates: ['h'],
  activations: ['tanh'],
  step:
    ([w, r]) =>
    (_, before, input) => ({ hidden: w * input + r * before.hidden, cell: 0 }),
  ranges: () => ({ hidden: interval(-1, 1), cell: interval(0, 0) }),
  needs: () => null,
}

/**
 * z, r gates, candidate k = tanh(W_h x + R_h(r∘h′)), or tanh(W_h x + r∘(R_h h′ + b)) with linear_before_reset;
 * h = (1 − z)∘k + z∘h′. With |h| ≤ η = max(1, |h₀|):
 * |Δh| ≤ |Δk| + |Δh′| + (1 + η)|Δz|, |Δk| ≤ ‖W_h‖|Δx| + ‖R_h‖(|Δh′| + η|Δr|), or ‖R_h‖|Δh′| + S|Δr| with
 * S = ‖R_h‖·η√n + max|b| ≥ sup|R_h h′ + b|.
 */
const gru: CellKind = {
  gates: ['z', 'r', 'h'],
  activations: ['sigmoid', 'tanh'],
  step: ([wz, wr, wh, rz, rr, rh], { hidden, bias, rootSize, linearBeforeReset }) => {
    const eta = Math.max(1, hidden)
    const reset = linearBeforeReset ? rh * eta * rootSize + bias : rh * eta
    return (_, before, input) => {
      const update = 0.25 * (wz * input + rz * before.hidden)
      const candidate = wh * input + rh * before.hidden + reset * 0.25 * (wr * input + rr * before.hidden)
      return { hidden: candidate + before.hidden + (1 + eta) * update, cell: 0 }
    }
  },
  ranges: ({ hidden }) => ({
    hidden: interval(-Math.max(1, hidden), Math.max(1, hidden)),
    cell: interval(0, 0),
  }),
  needs: ({ hidden }) => (hidden < Infinity ? null : 'starts from a hidden state that has no proven bounds'),
}

/**
 * i, o, f gates (peepholes p on the cell state), candidate k; c = f∘c′ + i∘k, h = o∘tanh(c). With |c_t| ≤ β_t = |c₀| + t:
 * |Δc| ≤ |Δc′| + β_{t−1}|Δf| + |Δi| + |Δk| and |Δh| ≤ |Δo| + |Δc|.
 */
const lstm: CellKind = {
  gates: ['i', 'o', 'f', 'c'],
  activations: ['sigmoid', 'tanh', 'tanh'],
  step:
    ([wi, wo, wf, wc, ri, ro, rf, rc], { cell, peephole }) =>
    (t, before, input) => {
      const gate = (w: number, r: number, state: number) =>
        0.25 * (w * input + r * before.hidden + peephole * state)
      const next =
        before.cell +
        (cell + t - 1) * gate(wf, rf, before.cell) +
        gate(wi, ri, before.cell) +
        wc * input +
        rc * before.hidden
      return { hidden: gate(wo, ro, next) + next, cell: next }
    },
  ranges: ({ cell }, steps) => ({ hidden: interval(-1, 1), cell: interval(-cell - steps, cell + steps) }),
  needs: ({ cell }) => (cell < Infinity ? null : 'starts from a cell state that has no proven bounds'),
}

const inputs = { x: 0, bias: 3, lengths: 4, hidden: 5, cell: 6, peephole: 7 }

/** Why the node has no rule; null where it has one. */
function obstacle(context: BoundContext, kind: CellKind, directions: readonly string[]): string | null {
  const { node } = context
  const given = stringsAttribute(node, 'activations', null)?.map((name) => name.toLowerCase())
  const standard = directions.flatMap(() => kind.activations)
  if (given !== undefined && given.length > 0 && given.some((name, i) => name !== standard[i])) {
    return 'has activations that have no rule'
  }
  if (intAttribute(node, 'input_forget', 0) !== 0)
    return 'couples its input and forget gates, which has no rule'
  const held = [1, 2, inputs.bias, inputs.lengths, inputs.peephole].map((i) => context.input(i))
  if (held.some((operand) => operand !== null && !isFixed(operand)))
    return 'has weights that are computed from data'
  const lengths = context.input(inputs.lengths)
  const steps = stepsOf(context)
  if (steps === null) return 'runs over a number of steps that is not known; give --input-shape'
  if (steps > longest) return `runs over more than ${longest} steps`
  if (lengths !== null && entriesOf(lengths)?.every((length) => length === steps) !== true) {
    return 'runs over numbers of steps that are not known'
  }
  return null
}

function stepsOf(context: BoundContext): number | null {
  return context.input(inputs.x)?.shape?.[intAttribute(context.node, 'layout', 0) === 1 ? 1 : 0] ?? null
}

const reachOf = (operand: BoundOperand | null) => (operand === null ? 0 : farthest(operand.range))

function factsOf(context: BoundContext): CellFacts {
  return {
    hidden: reachOf(context.input(inputs.hidden)),
    cell: reachOf(context.input(inputs.cell)),
    peephole: reachOf(context.input(inputs.peephole)),
    bias: reachOf(context.input(inputs.bias)),
    rootSize: up(Math.sqrt(context.output(1)?.shape?.at(-1) ?? context.output(0)?.shape?.at(-1) ?? Infinity)),
    linearBeforeReset: intAttribute(context.node, 'linear_before_reset', 0) !== 0,
  }
}

function recurrent(kind: CellKind): BoundRule {
  return (context) => {
    const refuse = (reason: string) => context.node.outputs.map(() => context.refuse(reason))
    const both = stringAttribute(context.node, 'direction', 'forward') === 'bidirectional'
    const suffixes = both ? ['.forward', '.backward'] : ['']
    const facts = factsOf(context)
    const reason = obstacle(context, kind, suffixes) ?? kind.needs(facts)
    const steps = stepsOf(context)
    if (reason !== null || steps === null) return refuse(reason ?? 'has no rule')
    const directions: TensorBound[][] = []
    for (const suffix of suffixes) {
      const norms = ['W', 'R'].flatMap((matrix) =>
        kind.gates.map((gate) => context.layerNorm(`${matrix}.${gate}${suffix}`)),
      )
      if (norms.includes(null)) return refuse('has weights that are not constant')
      if (norms.some((norm) => norm !== null && !isBounded(norm)))
        return refuse('has a weight that is not finite')
      directions.push(oneDirection(context, kind, facts, norms as Term[], steps))
    }
    return context.node.outputs.map((_, i) =>
      stacked(
        directions.map((bounds) => ({ bound: bounds[i], gain: 1 })),
        directions[0][i].range,
      ),
    )
  }
}

/** Bounds of Y, Y_h and Y_c of one direction: the sum over what varies. */
function oneDirection(
  context: BoundContext,
  kind: CellKind,
  facts: CellFacts,
  norms: readonly Term[],
  steps: number,
): TensorBound[] {
  const sources: readonly { at: number; gains: (step: CellStep) => Gains }[] = [
    { at: inputs.x, gains: (step) => inputGains(step, steps) },
    { at: inputs.hidden, gains: (step) => stateGains(step, steps, { hidden: 1, cell: 0 }) },
    { at: inputs.cell, gains: (step) => stateGains(step, steps, { hidden: 0, cell: 1 }) },
  ]
  const { hidden, cell } = kind.ranges(facts, steps)
  const outputs: readonly { gain: keyof Gains; range: Interval }[] = [
    { gain: 'sequence', range: hidden },
    { gain: 'lastHidden', range: hidden },
    { gain: 'lastCell', range: cell },
  ]
  return outputs.map(({ gain, range }) => {
    const parts: Part[] = []
    for (const { at, gains } of sources) {
      const bound = context.input(at)
      if (bound === null || isFixed(bound)) continue
      parts.push({ bound, gain: functionOf(norms, (values) => gains(kind.step(values, facts))[gain]) })
    }
    return added(parts, range)
  })
}

export const recurrentRules = {
  RNN: recurrent(rnn),
  GRU: recurrent(gru),
  LSTM: recurrent(lstm),
} satisfies Record<string, BoundRule>
