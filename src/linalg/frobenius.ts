import type { FloatArray } from '../core/tensor.ts'
import { largestMagnitude, powerOfTwoBelow } from './survey.ts'

/** Elements whose squares are summed before they join the total: keeps the relative error near 1e-14. */
const RUN = 256

/**
 * √Σx², to about 14 digits, for finite elements of any size: scaled by a power of two where squares would leave
 * the range of float64. Cost: one pass.
 */
export function frobeniusNorm(data: FloatArray): number {
  const plain = Math.sqrt(sumOfSquares(data, 1))
  if (data instanceof Float32Array || (plain > 2 ** -400 && plain < 2 ** 500)) return plain
  const largest = largestMagnitude(data)
  if (largest === 0) return 0
  const unit = powerOfTwoBelow(largest)
  return Math.sqrt(sumOfSquares(data, 1 / unit)) * unit
}

function sumOfSquares(data: FloatArray, factor: number): number {
  let total = 0
  for (let start = 0; start < data.length; start += RUN) {
    const end = Math.min(start + RUN, data.length)
    let run = 0
    for (let i = start; i < end; i++) {
      const value = data[i] * factor
      run += value * value
    }
    total += run
  }
  return total
}
