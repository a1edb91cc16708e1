import * as mag from '../../core/magnitude.ts'
import { mulUp, sqrtUp } from '../../core/rounding.ts'
import type { FloatArray } from '../../core/tensor.ts'
import { stringAttribute } from '../../graph/attribute.ts'
import { type BoundContext, type BoundRule, everything } from '../bound.ts'
import { elementsOf } from './constant.ts'
import { swishSlope } from './elementwise.ts'
import { hull, interval, up } from './interval.ts'
import { isFixed, stackedIn, through } from './join.ts'
import { inEvery } from './norms.ts'

/**
 * CausalConvWithState: each channel of [past, x] convolved with its own k weights, then perhaps SiLU. A convolution of any
 * length is a part of that on all of ℤ, whose norm is the largest absolute value of the symbol ŵ(ω) = Σ w_j·e^{ijω}. |ŵ|² is a real
 * trigonometric polynomial of degree k − 1, and from its largest value at N > 2(k − 1) equally spaced frequencies follows
 * sup |ŵ|² ≤ max/cos(π(k − 1)/N) (Bernstein's inequality at the maximum). Never more than Σ|w_j|. Cost: 64·k² for each channel.
 */

const samplesPerWeight = 64
/** Kernels beyond which Σ|w_j| alone is taken. */
const longestKernel = 32

/** Σ|w_j|, rounded up: the norm in ℓ∞ and ℓ1. */
function tapSum(weights: FloatArray, start: number, length: number): number {
  let sum = 0
  for (let j = start; j < start + length; j++) sum += Math.abs(weights[j])
  return up(sum * (1 + length * 2 ** -50))
}

/** sup |ŵ|, rounded up, of the k weights from `start` on. */
export function symbolBound(weights: FloatArray, start: number, length: number): number {
  const plain = tapSum(weights, start, length)
  if (length < 2 || length > longestKernel || !(plain < Infinity)) return plain
  const samples = samplesPerWeight * length
  let largest = 0
  // the symbol of real weights is the same, conjugated, at −ω
  for (let i = 0; i <= samples / 2; i++) {
    let [real, imaginary] = [0, 0]
    for (let j = 0; j < length; j++) {
      const angle = (2 * Math.PI * ((i * j) % samples)) / samples
      real += weights[start + j] * Math.cos(angle)
      imaginary += weights[start + j] * Math.sin(angle)
    }
    largest = Math.max(largest, real * real + imaginary * imaginary)
  }
  const error = plain * plain * length * 2 ** -48
  return Math.min(plain, sqrtUp(up((largest + error) / Math.cos((Math.PI * (length - 1)) / samples))))
}

const slopes: Readonly<Record<string, number>> = { none: 1, '': 1, silu: swishSlope, swish: swishSlope }

const causal = inEvery((context: BoundContext, norm) => {
  const [x, weights, bias, past] = [0, 1, 2, 3].map((i) => context.input(i))
  const refuse = (reason: string) => context.node.outputs.map(() => context.refuse(reason))
  const elements = elementsOf(weights)
  const length = weights?.shape?.at(-1) ?? null
  const slope = slopes[stringAttribute(context.node, 'activation', 'none').toLowerCase()]
  if (x === null) return refuse('has no data')
  if (elements === null || length === null || length < 1 || (bias !== null && !isFixed(bias)))
    return refuse('has weights or a bias that are computed from data')
  if (slope === undefined) return refuse('has an activation that has no rule')
  let gain = 0
  for (let start = 0; start < elements.length; start += length)
    gain = Math.max(gain, (norm === 'l2' ? symbolBound : tapSum)(elements, start, length))
  if (!(gain < Infinity)) return refuse('has a weight that is not finite')
  const range = past === null ? hull(x.range, interval(0, 0)) : hull(past.range, x.range)
  const parts = [x, past].filter((operand) => operand !== null)
  const sequence = stackedIn(
    norm,
    parts.map((bound) => ({ bound, gain: 1 })),
    range,
  )
  const result = through(sequence, mag.magnitude(mulUp(gain, slope)), everything)
  return context.node.outputs.map((_, i) => (i === 0 ? result : sequence))
})

export const causalRules = { CausalConvWithState: causal } satisfies Record<string, BoundRule>
