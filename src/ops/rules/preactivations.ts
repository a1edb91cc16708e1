import { addDown, addUp, mulUp } from '../../core/rounding.ts'
import type { FloatArray } from '../../core/tensor.ts'
import { floatAttribute } from '../../graph/attribute.ts'
import type { BoundContext, Interval } from '../bound.ts'
import { elementsOf } from './constant.ts'
import { farthest, hull, up } from './interval.ts'

/**
 * Where the arguments of a recurrence's gates lie: a_j = Σ_k W_jk·x_k + Σ_k R_jk·h_k + biases, with every x_k in the range of the
 * sequence and every |h_k| ≤ H. Logistic and hyperbolic functions are nearly flat far from 0 and nearly linear at it, so that
 * these intervals make gates smaller and slopes less than 1 and ¼. One pass over the weights.
 */

/** One gate over all its units. */
export interface Gate {
  /** Ends of Σ W_jk·x_k + biases of the input. */
  readonly lo: Float64Array
  readonly hi: Float64Array
  /** Σ_k |R_jk|, and the bias of the recurrence where it stands apart. */
  readonly reach: Float64Array
  readonly recurrentBias: Float64Array
  /** Where arguments are cut off (`clip`); Infinity where they are not. */
  readonly clip: number
}

/** Weights beyond which they are not looked at. */
const manyWeights = 2 ** 24

/**
 * The gates of one direction; null where weights are not known or too many. `apart`: the gate whose recurrent bias does not
 * join the input's (GRU with linear_before_reset), −1 for none.
 */
export function gatesOf(
  context: BoundContext,
  count: number,
  direction: number,
  apart = -1,
): readonly Gate[] | null {
  const [weights, recurrent, bias] = [1, 2, 3].map((i) => context.input(i))
  const dims = weights?.shape ?? []
  const [rows, columns] = [dims[1] ?? null, dims[2] ?? null]
  if (rows === null || columns === null || rows * Math.max(columns, rows) > manyWeights) return null
  const [w, r, b] = [elementsOf(weights), elementsOf(recurrent), elementsOf(bias)]
  if (w === null || r === null || (bias !== null && b === null)) return null
  const size = rows / count
  const clip = floatAttribute(context.node, 'clip', Infinity)
  const sequence = context.input(0)?.range ?? { lo: -Infinity, hi: Infinity }
  return Array.from({ length: count }, (_, gate) => {
    const result = {
      lo: new Float64Array(size),
      hi: new Float64Array(size),
      reach: new Float64Array(size),
      recurrentBias: new Float64Array(size),
      clip: clip > 0 ? clip : Infinity,
    }
    for (let unit = 0; unit < size; unit++) {
      const row = direction * rows + gate * size + unit
      const own = rowInterval(w, row * columns, columns, sequence)
      const at = 2 * direction * rows + gate * size + unit
      const [first, second] = b === null ? [0, 0] : [b[at], b[at + rows]]
      const constant = gate === apart ? first : first + second
      const slack = 2 ** -50 * (Math.abs(first) + Math.abs(second))
      result.lo[unit] = addDown(own.lo, constant - slack)
      result.hi[unit] = addUp(own.hi, constant + slack)
      result.reach[unit] = absoluteSum(r, row * size, size)
      result.recurrentBias[unit] = Math.abs(second)
    }
    return result
  })
}

function rowInterval(weights: FloatArray, start: number, length: number, { lo, hi }: Interval): Interval {
  let [least, most] = [0, 0]
  for (let i = start; i < start + length; i++) {
    const weight = weights[i]
    if (weight === 0) continue
    most = addUp(most, weight > 0 ? mulUp(weight, hi) : mulUp(weight, lo))
    least = addUp(least, weight > 0 ? mulUp(weight, -lo) : mulUp(weight, -hi))
  }
  return { lo: -least, hi: most }
}

function absoluteSum(weights: FloatArray, start: number, length: number): number {
  let sum = 0
  for (let i = start; i < start + length; i++) sum = addUp(sum, Math.abs(weights[i]))
  return sum
}

/**
 * The hull over all units, where the recurrence adds up to `reach`·H and everything else up to `more`; with what cutting off makes of
 * it, so that it holds whether a runtime cuts off before or behind biases and peepholes.
 */
export function argumentOf(gate: Gate | null, hidden: number, more = 0): Interval {
  if (gate === null) return { lo: -Infinity, hi: Infinity }
  let [lo, hi] = [Infinity, -Infinity]
  for (let unit = 0; unit < gate.lo.length; unit++) {
    const recurrent = addUp(mulUp(gate.reach[unit], hidden), more)
    lo = Math.min(lo, addDown(gate.lo[unit], -recurrent))
    hi = Math.max(hi, addUp(gate.hi[unit], recurrent))
  }
  if (!(lo <= hi)) return { lo: -Infinity, hi: Infinity }
  const cut = (x: number) => Math.min(Math.max(x, -gate.clip), gate.clip)
  return hull({ lo, hi }, { lo: cut(lo), hi: cut(hi) })
}

/** sup |R h + b| over the units, for the part of a gate that a reset multiplies. */
export function resetReach(gate: Gate | null, hidden: number): number {
  if (gate === null) return Infinity
  let most = 0
  for (let unit = 0; unit < gate.reach.length; unit++)
    most = Math.max(most, addUp(mulUp(gate.reach[unit], hidden), gate.recurrentBias[unit]))
  return most
}

/** What is known of a function of an argument in an interval: where its values lie and its largest slope. */
export interface Response {
  readonly least: number
  readonly most: number
  readonly slope: number
}

const logisticOf = (x: number) => 1 / (1 + Math.exp(-x))

/** σ: increasing, steepest at 0. */
export function logistic({ lo, hi }: Interval): Response {
  const nearest = lo > 0 ? lo : hi < 0 ? -hi : 0
  const value = logisticOf(nearest)
  return {
    least: Math.max(0, logisticOf(lo) - 1e-14),
    most: Math.min(1, up(logisticOf(hi))),
    slope: nearest === 0 ? 0.25 : Math.min(0.25, up(value * (1 - value) + 1e-16)),
  }
}

/** tanh by its absolute value: steepest at 0. */
export function hyperbolic(interval: Interval): Response {
  const { lo, hi } = interval
  const nearest = lo > 0 ? lo : hi < 0 ? -hi : 0
  const most = Math.min(1, up(Math.tanh(farthest(interval))))
  const slope = Math.min(1, up(1 - Math.tanh(nearest) ** 2 + 1e-15))
  return { least: -most, most, slope }
}
