import type { FloatArray } from '../core/tensor.ts'
import { gamma, outward } from './rounding-error.ts'

/** Index of the first NaN or infinity; −1 where every element is finite. */
export function firstNonFinite(data: FloatArray): number {
  let poison = 0
  for (let i = 0; i < data.length; i++) poison += data[i] * 0
  if (poison === 0) return -1
  return data.findIndex((value) => !Number.isFinite(value))
}

export function largestMagnitude(data: FloatArray): number {
  let largest = 0
  for (let i = 0; i < data.length; i++) {
    const size = Math.abs(data[i])
    if (size > largest) largest = size
  }
  return largest
}

/** The power of two next below x > 0, kept within the range where its inverse is a float64. */
export function powerOfTwoBelow(x: number): number {
  const exponent = Math.max(-1000, Math.min(1000, Math.floor(Math.log2(x))))
  return 2 ** exponent
}

/** What one pass over a matrix tells about its norm. */
export interface Survey {
  readonly largest: number
  /** ‖A‖_F with relative error ≤ `relativeError`. */
  readonly frobenius: number
  /** Upper bound √(‖A‖₁‖A‖_∞) ≥ ‖A‖₂, rounded up. */
  readonly holder: number
  readonly relativeError: number
}

/** Surveys a finite matrix whose entries' squares neither overflow nor underflow to matter. Cost: one pass. */
export function surveyMatrix(rows: number, columns: number, data: FloatArray): Survey {
  const columnSums = new Float64Array(columns)
  let largest = 0
  let squares = 0
  let largestRow = 0
  for (let i = 0, k = 0; i < rows; i++) {
    let rowSum = 0
    let rowSquares = 0
    for (let j = 0; j < columns; j++, k++) {
      const size = Math.abs(data[k])
      if (size > largest) largest = size
      rowSum += size
      rowSquares += size * size
      columnSums[j] += size
    }
    squares += rowSquares
    if (rowSum > largestRow) largestRow = rowSum
  }
  let largestColumn = 0
  for (let j = 0; j < columns; j++) if (columnSums[j] > largestColumn) largestColumn = columnSums[j]
  const relativeError = gamma(rows + columns + 2)
  return {
    largest,
    frobenius: Math.sqrt(squares),
    holder: outward(Math.sqrt(largestRow) * Math.sqrt(largestColumn) * (1 + relativeError)),
    relativeError,
  }
}
