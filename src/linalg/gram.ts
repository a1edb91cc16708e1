import { allocateFloats, floatsAt } from './arena.ts'
import type { PlacedMatrix } from './dense-map.ts'
import { kernels, type Pointer } from './kernels.ts'
import { gamma, outward } from './rounding-error.ts'

/** The Gram matrix of the smaller side of A in the arena: AᵀA or AAᵀ; full, row-major, symmetric. */
export interface Gram {
  readonly order: number
  readonly pointer: Pointer
  /** ‖computed − exact‖₂ is at most this. */
  readonly error: number
}

/** Columns that the kernel packs at a time. */
export const PACKED_DEPTH = 256

/**
 * Computes the Gram matrix of A in float64. Each entry is a sum of `length` products: |Ĝ − G| ≤ γ |A|ᵀ|A|
 * elementwise, so ‖Ĝ − G‖₂ ≤ γ_length ‖A‖_F², in whatever order the sums run.
 *
 * Cost: order² · length flops. Products may not underflow: scale A so that its largest entry is near 1.
 */
export function gramMatrix(matrix: PlacedMatrix, frobenius: number): Gram {
  const { rows, columns } = matrix
  const order = Math.min(rows, columns)
  const length = Math.max(rows, columns)
  const pointer = allocateFloats(order * order)
  const packed = allocateFloats((order + 3) * PACKED_DEPTH)
  floatsAt(pointer, order * order).fill(0)
  const { gramF32, gramF64 } = kernels()
  const [rowStride, columnStride] = rows <= columns ? [columns, 1] : [1, columns]
  const gram = matrix.single ? gramF32 : gramF64
  gram(matrix.pointer, order, length, rowStride, columnStride, pointer, packed)
  mirror(order, floatsAt(pointer, order * order))
  return { order, pointer, error: outward(gamma(length + 1) * frobenius * frobenius) }
}

/** Copies the lower triangle onto the upper one. */
export function mirror(order: number, data: Float64Array): void {
  for (let i = 0; i < order; i++) for (let j = 0; j < i; j++) data[j * order + i] = data[i * order + j]
}
