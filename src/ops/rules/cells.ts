import type { Interval } from '../bound.ts'
import { interval, up } from './interval.ts'
import { argumentOf, type Gate, hyperbolic, logistic, type Response, resetReach } from './preactivations.ts'
import type { CellStep } from './recurrence.ts'

/**
 * How much the states of RNN, GRU and LSTM vary after a step at most, given how much they and the step's input varied before it,
 * and where states and gates lie. Values are those of either of the two sequences that are compared, slopes the largest between
 * them; ‖·‖ of a vector of units, with every factor at its largest over the units.
 *
 * A product or a convex combination of two terms has two bounds: the sum of both, or their root-sum-square by the largest
 * length of its gradient. Each is a norm of the two terms, so that responses to several steps add up; which of them is less
 * differs, and a step must use the same one for all.
 */

/** What bounds of a cell need besides the norms of its matrices. */
export interface CellFacts {
  /** sup |h₀| and sup |c₀|. */
  readonly hidden: number
  readonly cell: number
  readonly peephole: number
  /** In the order of the kind's gates; null where nothing is known of their arguments. */
  readonly gates: readonly Gate[] | null
  readonly linearBeforeReset: boolean
  /** Slope of the candidate's activation and bound of its values, for RNN. */
  readonly activation: { readonly slope: number; readonly most: number }
}

/** One recurrence over a number of steps: where its states lie after all of them, and its step for given norms. */
export interface Cell {
  readonly hidden: Interval
  readonly cell: Interval
  /** The norms in the order of the gates, first those of W, then those of R; `rooted` chooses root-sum-squares. */
  stepOf(norms: readonly number[], rooted: boolean): CellStep
}

export type CellOf = (facts: CellFacts, steps: number) => Cell

/** max √((1 − z)² + z²) over the values of a gate. */
const turnedBy = ({ least, most }: Response) =>
  up(Math.max(Math.hypot(1 - least, least), Math.hypot(1 - most, most)))

const upTo = (most: number) => interval(-most, most)
const none = interval(0, 0)

/** h = g(Wx + Rh′ + b): |Δh| ≤ sup g′·(‖W‖|Δx| + ‖R‖|Δh′|). */
export const rnn: CellOf = ({ activation }) => ({
  hidden: upTo(activation.most),
  cell: none,
  stepOf:
    ([w, r]) =>
    (_, before, input) => ({ hidden: activation.slope * (w * input + r * before.hidden), cell: 0 }),
})

/**
 * z, r gates, candidate k = tanh(W_h x + R_h(r∘h′)), or tanh(W_h x + r∘(R_h h′ + b)) with linear_before_reset; h = (1 − z)∘k + z∘h′, so
 * that |h_t| ≤ η_t = max(η_{t−1}, sup|k|). |Δh| ≤ |(1 − z)Δk + zΔh′| + (η + sup|k|)·|Δz|, and the first is at most the sum with the largest
 * factors, or max √((1 − z)² + z²) times the root-sum-square. The candidate's argument changes by
 * ‖W_h‖|Δx| + ‖R_h‖(sup r·|Δh′| + η|Δr|), or with linear_before_reset ‖W_h‖|Δx| + sup r·‖R_h‖|Δh′| + sup|R_h h′ + b|·|Δr|.
 */
export const gru: CellOf = (facts, steps) => {
  const [zGate, rGate, hGate] = facts.gates ?? [null, null, null]
  let eta = facts.hidden
  const known = Array.from({ length: steps }, () => {
    const before = eta
    const update = logistic(argumentOf(zGate, before))
    const reset = logistic(argumentOf(rGate, before))
    const inner = facts.linearBeforeReset ? resetReach(hGate, before) : before
    const argument = facts.linearBeforeReset
      ? argumentOf(hGate, 0, up(reset.most * inner))
      : argumentOf(hGate, up(reset.most * before))
    const candidate = hyperbolic(argument)
    eta = Math.max(before, candidate.most)
    return { before, update, reset, candidate, inner, turned: turnedBy(update) }
  })
  return {
    hidden: upTo(eta),
    cell: none,
    stepOf:
      ([wz, wr, wh, rz, rr, rh], rooted) =>
      (t, { hidden }, input) => {
        const { before, update, reset, candidate, inner, turned } = known[t - 1]
        const z = update.slope * (wz * input + rz * hidden)
        const r = reset.slope * (wr * input + rr * hidden)
        const argument = facts.linearBeforeReset
          ? wh * input + reset.most * rh * hidden + inner * r
          : wh * input + rh * (reset.most * hidden + before * r)
        const k = candidate.slope * argument
        const mixed = rooted ? turned * Math.hypot(k, hidden) : (1 - update.least) * k + update.most * hidden
        return { hidden: mixed + (before + candidate.most) * z, cell: 0 }
      },
  }
}

/** The output of an LSTM: h = o∘tanh(c), with the output gate of Δ-argument `o`. */
interface Shown {
  readonly output: Response
  readonly tanh: number
}

function shown({ output, tanh }: Shown, o: number, cell: number, rooted: boolean): number {
  return rooted ? output.most * Math.hypot(o, cell) : output.slope * tanh * o + output.most * cell
}

/**
 * i, o, f gates (peepholes p on the cell state), candidate k; c = f∘c′ + i∘k, h = o∘tanh(c), so that |c_t| ≤ β_t = sup f·β_{t−1} + sup i·sup|k|
 * and |h_t| ≤ sup o·tanh β_t. |Δ(fc′)| ≤ sup f·|Δc′| + β_{t−1}|Δf|; Δ(ik) and Δ(o·tanh c) either so, or sup i and sup o times the
 * root-sum-square of the changes of both arguments: the gradient of σ(a)·tanh(b) is at most σ(a) long.
 */
export const lstm: CellOf = (facts, steps) => {
  const [iGate, oGate, fGate, cGate] = facts.gates ?? [null, null, null, null]
  const { peephole } = facts
  let [hidden, beta, reach] = [facts.hidden, facts.cell, 0]
  const known = Array.from({ length: steps }, () => {
    const before = beta
    const seen = up(peephole * before)
    const input = logistic(argumentOf(iGate, hidden, seen))
    const forget = logistic(argumentOf(fGate, hidden, seen))
    const candidate = hyperbolic(argumentOf(cGate, hidden))
    beta = up(forget.most * before + input.most * candidate.most)
    const output = logistic(argumentOf(oGate, hidden, up(peephole * beta)))
    const tanh = Math.min(1, up(Math.tanh(beta)))
    hidden = up(output.most * tanh)
    reach = Math.max(reach, hidden)
    return { before, input, forget, candidate, output, tanh }
  })
  return {
    hidden: upTo(reach),
    cell: upTo(beta),
    stepOf:
      ([wi, wo, wf, wc, ri, ro, rf, rc], rooted) =>
      (t, previous, x) => {
        const { before, input, forget, candidate, output, tanh } = known[t - 1]
        const argument = (w: number, r: number, state: number) =>
          w * x + r * previous.hidden + peephole * state
        const i = argument(wi, ri, previous.cell)
        const k = wc * x + rc * previous.hidden
        const written = rooted
          ? input.most * Math.hypot(i, k)
          : input.slope * candidate.most * i + input.most * candidate.slope * k
        const kept = forget.most * previous.cell + before * forget.slope * argument(wf, rf, previous.cell)
        const cell = kept + written
        const o = argument(wo, ro, cell)
        return { hidden: shown({ output, tanh }, o, cell, rooted), cell }
      },
  }
}

/**
 * With coupled gates (`input_forget`), f = 1 − i: c = (1 − i)∘c′ + i∘k is a convex combination, so that |c_t| ≤ β_t = max(β_{t−1}, sup|k|),
 * and |Δc| ≤ |(1 − i)Δc′ + iΔk| + (β_{t−1} + sup|k|)·|Δi| as in a GRU.
 */
export const coupledLstm: CellOf = (facts, steps) => {
  const [iGate, oGate, , cGate] = facts.gates ?? [null, null, null, null]
  const { peephole } = facts
  let [hidden, beta, reach] = [facts.hidden, facts.cell, 0]
  const known = Array.from({ length: steps }, () => {
    const before = beta
    const input = logistic(argumentOf(iGate, hidden, up(peephole * before)))
    const candidate = hyperbolic(argumentOf(cGate, hidden))
    beta = Math.max(before, candidate.most)
    const output = logistic(argumentOf(oGate, hidden, up(peephole * beta)))
    const tanh = Math.min(1, up(Math.tanh(beta)))
    hidden = up(output.most * tanh)
    reach = Math.max(reach, hidden)
    return { before, input, candidate, output, tanh, turned: turnedBy(input) }
  })
  return {
    hidden: upTo(reach),
    cell: upTo(beta),
    stepOf:
      ([wi, wo, , wc, ri, ro, , rc], rooted) =>
      (t, previous, x) => {
        const { before, input, candidate, output, tanh, turned } = known[t - 1]
        const i = input.slope * (wi * x + ri * previous.hidden + peephole * previous.cell)
        const k = candidate.slope * (wc * x + rc * previous.hidden)
        const mixed = rooted
          ? turned * Math.hypot(previous.cell, k)
          : (1 - input.least) * previous.cell + input.most * k
        const cell = mixed + (before + candidate.most) * i
        const o = wo * x + ro * previous.hidden + peephole * cell
        return { hidden: shown({ output, tanh }, o, cell, rooted), cell }
      },
  }
}
