import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import { batchStatistics } from '../../ops/batch-statistics.ts'
import { distance } from './constant-difference.ts'
import { elementsOf } from './image.ts'
import type { Pair } from './pairing.ts'

/** Room for the few roundings of each gain and shift. */
const slack = 2 ** -46

/** x ↦ gain·x + shift of a batch normalisation, per channel. */
interface Affine {
  readonly gain: Float64Array
  readonly shift: Float64Array
}

/**
 * ‖(d − d')·x + (c − c')‖₂ at most, for a pair of batch normalisations with gains d and shifts c = β − d·μ, and ‖x‖₂ at
 * most `norm`; null where the pair is none, Infinity where a constant is not known.
 */
export function normalizationDifference(
  reference: TypedGraph,
  other: TypedGraph,
  { node, other: partner }: Pair,
  norm: number,
): number | null {
  if (batchStatistics(node) === null || batchStatistics(partner) === null) return null
  const [a, b] = [affineOf(reference, node), affineOf(other, partner)]
  const [output] = reference.typed(node).outputs
  const elements = output?.shape == null ? null : sizeOf(output.shape)
  if (a === null || b === null || elements === null || a.gain.length !== b.gain.length) return Infinity
  let apart = 0
  let largest = 0
  for (let i = 0; i < a.gain.length; i++) {
    apart = Math.max(apart, Math.abs(a.gain[i] - b.gain[i]))
    largest = Math.max(largest, Math.abs(a.gain[i]), Math.abs(a.shift[i]), Math.abs(b.shift[i]))
  }
  const shifts = distance(a.shift, b.shift)
  if (apart === 0 && shifts === 0) return 0
  const positions = sqrtUp(Math.ceil(elements / a.gain.length))
  const gains = apart === 0 ? 0 : mulUp(addUp(apart, slack * largest), norm)
  return addUp(gains, mulUp(positions, addUp(shifts, slack * largest * a.shift.length)))
}

function affineOf(typed: TypedGraph, node: Node): Affine | null {
  const { inputs } = typed.typed(node)
  const { scale, mean, variance, epsilon } = batchStatistics(node)!
  const [gamma, beta, means, variances] = [scale, 2, mean, variance].map((i) => elementsOf(inputs[i]))
  if (gamma === null || beta === null || means === null || variances === null) return null
  const gain = Float64Array.from(gamma, (value, i) => value / Math.sqrt(variances[i] + epsilon))
  return { gain, shift: Float64Array.from(beta, (value, i) => value - gain[i] * means[i]) }
}
