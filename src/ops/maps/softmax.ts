import type { Algebra, Variable } from '../algebra.ts'
import type { Calculus } from '../calculus.ts'
import { softmaxAxes } from '../numeric/softmax.ts'
import { type Definition, defined, divided, subtracted, summed } from './definition.ts'
import * as secants from './secants.ts'

/** e^x / Σ e^x over the axes; shifted by the largest, which changes nothing. */
export function softmaxOver(algebra: Algebra, x: Variable, axes: readonly number[]): Variable {
  const powers = exponentials(algebra, x, axes)
  return algebra.zip(powers, algebra.sum(powers, axes), divided)
}

function exponentials(algebra: Algebra, x: Variable, axes: readonly number[]): Variable {
  const largest = algebra.fixed(algebra.max(x, axes))
  // A group that is masked entirely has nothing to be shifted by.
  const shift = algebra.map(
    largest,
    (value) => (value === -Infinity ? 0 : value),
    () => 1,
  )
  return algebra.map(algebra.zip(x, shift, subtracted), Math.exp, (_, result) => result, secants.exp)
}

export function logSumExpOver(algebra: Algebra, x: Variable, axes: readonly number[]): Variable {
  const largest = algebra.fixed(algebra.max(x, axes))
  const powers = algebra.map(
    algebra.zip(x, largest, subtracted),
    Math.exp,
    (_, result) => result,
    secants.exp,
  )
  const total = algebra.sum(powers, axes)
  const log = algebra.map(total, Math.log, (value) => 1 / value, secants.log)
  return algebra.zip(log, largest, summed)
}

function overGroups(rule: (algebra: Algebra, x: Variable, axes: readonly number[]) => Variable): Definition {
  return (context) => {
    const [x] = context.variables
    if (!x) return null
    const { from, to } = softmaxAxes(context, x.dims.length)
    const axes = Array.from({ length: to - from }, (_, i) => from + i)
    return [rule(context.algebra, x, axes)]
  }
}

export const softmaxCalculus: Readonly<Record<string, Calculus>> = {
  Softmax: { ...defined(overGroups(softmaxOver)), keepsOrder: true },
  LogSoftmax: {
    ...defined(overGroups((algebra, x, axes) => algebra.zip(x, logSumExpOver(algebra, x, axes), subtracted))),
    keepsOrder: true,
  },
}
