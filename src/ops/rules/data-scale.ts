import { divUp, mulUp, sqrtDown, sqrtUp } from '../../core/rounding.ts'
import type { Dim } from '../../core/tensor.ts'
import {
  type BoundContext,
  type BoundOperand,
  everything,
  type Interval,
  type TensorBound,
} from '../bound.ts'
import { growth, unknownCopies } from './broadcast.ts'
import { elementsOf, rangeOf } from './constant.ts'
import { farthest, interval, product, sum } from './interval.ts'
import { added, isFixed, type Part } from './join.ts'

export const dataScale = 'has a scale that is computed from data or not known'

/** Range of a constant γ or β; null where it varies or is not known. {1} or {0} where it is omitted. */
export function parameterRange(operand: BoundOperand | null, fallback: number): Interval | null {
  if (operand === null) return interval(fallback, fallback)
  if (!isFixed(operand)) return null
  if (farthest(operand.range) < Infinity) return operand.range
  const elements = elementsOf(operand)
  return elements === null ? null : rangeOf(elements)
}

/**
 * γ·x̂ + β with parameters that vary: |Δ| ≤ sup|γ|/√ε·|Δx| + max_i √(Σ x̂²)·|Δγ| + √copies·|Δβ|, the sum over all elements that γᵢ is
 * multiplied with, each |x̂| at most √n, or √(n − 1) where it is centred.
 */
export function scaledByData(
  context: BoundContext,
  x: BoundOperand,
  inputs: { gamma: number; beta: number | null },
  epsilon: number,
  count: Dim,
): TensorBound {
  const gamma = context.input(inputs.gamma)
  const beta = inputs.beta === null ? null : context.input(inputs.beta)
  const output = context.output(0)?.shape ?? null
  if (!(epsilon > 0) || count === null) return context.refuse(dataScale)
  const isSteady = gamma === null || isFixed(gamma)
  const factors = (isSteady ? parameterRange(gamma, 1) : gamma.range) ?? everything
  const reach = sqrtUp(Math.max(inputs.beta === null ? count : count - 1, 0))
  const parts: Part[] = []
  if (!isFixed(x)) {
    if (farthest(factors) === Infinity)
      return context.refuse(
        'has a scale without proven bounds that is computed from data; give --input-range',
      )
    parts.push({ bound: x, gain: mulUp(farthest(factors), divUp(1, sqrtDown(epsilon))) })
  }
  for (const [operand, size] of [
    [gamma, reach],
    [beta, 1],
  ] as const) {
    if (operand === null || isFixed(operand)) continue
    const copies = growth(operand.shape, output)
    if (copies === null) return context.refuse(unknownCopies)
    parts.push({ bound: operand, gain: mulUp(sqrtUp(copies), size) })
  }
  return added(parts, sum(product(interval(-reach, reach), factors), beta?.range ?? interval(0, 0)))
}
