import type { FloatArray } from '../core/tensor.ts'
import { allocateFloats, floatsAt, scoped } from './arena.ts'
import type { PlacedMatrix } from './dense-map.ts'
import { kernels } from './kernels.ts'
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
export function surveyMatrix(matrix: PlacedMatrix): Survey {
  const { rows, columns, pointer, single } = matrix
  return scoped(() => {
    const out = allocateFloats(3)
    const sums = allocateFloats(columns)
    floatsAt(sums, columns).fill(0)
    const { surveyF32, surveyF64 } = kernels()
    const survey = single ? surveyF32 : surveyF64
    survey(pointer, rows, columns, sums, out)
    const [largest, squares, largestRow] = floatsAt(out, 3)
    const largestColumn = floatsAt(sums, columns).reduce((most, sum) => Math.max(most, sum), 0)
    const relativeError = gamma(rows + columns / 2 + 4)
    const holder = Math.sqrt(largestRow) * Math.sqrt(largestColumn) * (1 + relativeError)
    return { largest, frobenius: Math.sqrt(squares), holder: outward(holder), relativeError }
  })
}
