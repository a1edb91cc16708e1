import type { SecantsOf } from '../algebra.ts'
import type { Interval } from '../bound.ts'
import { sigmoid } from '../numeric/special-functions.ts'
import { down, farthest, interval, nearest, scaled, up } from '../rules/interval.ts'
import { bell, logisticDensity, overPieces, rising, straight, tanhDensity } from '../slopes/derivatives.ts'

/** Secants of the functions that definitions apply to each element. */

const nothing: Interval = { lo: -Infinity, hi: Infinity }

export function constantSlope(slope: number): SecantsOf {
  const range = interval(slope, slope)
  return () => range
}

/** s·x below 0 and x above. */
export function leakySlopes(below: number): SecantsOf {
  const pieces = [straight(-Infinity, 0, below), straight(0, Infinity, 1)]
  return (range) => overPieces(pieces, range)
}

/** x between the limits, constant outside. */
export function clippedSlopes(lo: number, hi: number): SecantsOf {
  if (!(lo < hi)) return constantSlope(0)
  const pieces = [straight(-Infinity, lo, 0), straight(lo, hi, 1), straight(hi, Infinity, 0)]
  return (range) => overPieces(pieces, range)
}

/** f(b·x)·a for the secants of f. */
export function stretched(secants: SecantsOf, a: number, b: number): SecantsOf {
  return (range) => scaled(scaled(secants(scaled(range, b)), a), b)
}

export const exp: SecantsOf = rising(Math.exp)
export const tanh: SecantsOf = bell(tanhDensity)
export const logistic: SecantsOf = bell(logisticDensity)
export const softplus: SecantsOf = rising(sigmoid)
export const softsign: SecantsOf = bell((size) => (1 + size) ** -2)

/** A derivative that falls, defined above 0. */
const fallingAboveZero =
  (derivative: (x: number) => number): SecantsOf =>
  ({ lo, hi }) =>
    lo > 0 ? interval(down(derivative(hi)), up(derivative(lo))) : nothing

export const log = fallingAboveZero((x) => 1 / x)
export const sqrt = fallingAboveZero((x) => 0.5 / Math.sqrt(x))

/** 1/√(x + ε). */
export function inverseRoot(epsilon: number): SecantsOf {
  const derivative = (x: number) => -0.5 * (x + epsilon) ** -1.5
  return ({ lo, hi }) =>
    lo > 0 && epsilon >= 0 ? interval(down(derivative(lo)), up(derivative(hi))) : nothing
}

/** 1/x. */
export const reciprocal: SecantsOf = (range) => {
  if (!(range.lo > 0 || range.hi < 0)) return nothing
  const [least, most] = [nearest(range), farthest(range)]
  return interval(-up(1 / least / least), -down(1 / most / most))
}

/** |x|^p, p ≥ 1. */
export function power(p: number): SecantsOf {
  const derivative = (x: number) => p * Math.sign(x) * Math.abs(x) ** (p - 1)
  return p >= 1 ? rising(derivative) : () => nothing
}

/** (k + x)^−β: its derivative rises where β > 0. */
export function negativePower(beta: number): SecantsOf {
  const derivative = (x: number) => -beta * x ** (-beta - 1)
  return ({ lo, hi }) => (lo > 0 && beta > 0 ? interval(down(derivative(lo)), up(derivative(hi))) : nothing)
}
