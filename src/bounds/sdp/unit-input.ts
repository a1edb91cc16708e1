import { allocateFloats, floatsAt, scoped } from '../../linalg/arena.ts'
import type { Pointer } from '../../linalg/kernels.ts'
import { addProduct, type BlockMatrix, placed, plain, turned } from './block-matrix.ts'
import { type BlockMatrix as BlockMap, hasUnitInput, type SdpProblem } from './problem.ts'

/**
 * The input x where its block of P is the unit matrix: what reads it does so by B_i = G_iᵀ D_i, G_i the map to block i
 * and D_i diagonal, so that eliminating x takes D_i (G_i G_jᵀ) D_j off the block (i, j). The products G_i G_jᵀ are made
 * once; no matrix with a side as long as x is needed from there on.
 */
export interface UnitInput {
  /** Takes what the input's elimination leaves off the block (i, j), i ≤ j, where both read x. */
  eliminate(target: BlockMatrix, i: number, j: number, scales: Scales): void
  /** diag(G_i Z_xi) for Z_xi = −Σ_j B_j Z_ji over the blocks that read x; null where i does not. */
  traceOf(i: number, inverse: BlockMatrix, scales: Scales): Float64Array | null
  /** Blocks that read x, ascending. */
  readonly readers: readonly number[]
  /** ‖diag(scale) G‖_F of a block's map, rounded up. */
  sizeOf(block: number, scale: Float64Array): number
  /** What the block's map errs by. */
  errorOf(block: number): number
}

/** D of a block. */
export type Scales = (block: number) => Float64Array

/** Null where x is mixed by an activation. The products stay in the arena until the enclosing `scoped` call returns. */
export function placeUnitInput(problem: SdpProblem): UnitInput | null {
  if (!hasUnitInput(problem)) return null
  const rows = [...problem.activations, problem.output]
  const sizes = [problem.sizes[0], ...rows.map((row) => row.rows)]
  const maps = new Map<number, BlockMap>()
  rows.forEach(({ reads }, at) => {
    for (const map of reads) if (map.block === 0) maps.set(at + 1, map)
  })
  const readers = [...maps.keys()]
  const products = new Map<number, Pointer>()
  const key = (i: number, j: number) => i * sizes.length + j
  for (const [a, i] of readers.entries())
    for (const j of readers.slice(a)) {
      const pointer = allocateFloats(sizes[i] * sizes[j])
      floatsAt(pointer, sizes[i] * sizes[j]).fill(0)
      products.set(key(i, j), pointer)
    }
  const width = sizes[0]
  scoped(() => {
    const matrices = new Map(Array.from(maps, ([i, { data }]) => [i, placed(data)]))
    const largest = Math.max(...readers.map((i) => sizes[i]), 0)
    const packed = allocateFloats((2 * largest + 6) * 256)
    for (const [a, i] of readers.entries())
      for (const j of readers.slice(a)) {
        const [left, right] = [matrices.get(i) as Pointer, matrices.get(j) as Pointer]
        const shape = [sizes[i], sizes[j], width] as const
        addProduct(
          products.get(key(i, j)) as Pointer,
          plain(left, width),
          turned(right, width),
          shape,
          1,
          packed,
        )
      }
  })
  const between = (i: number, j: number) => floatsAt(products.get(key(i, j)) as Pointer, sizes[i] * sizes[j])

  return {
    readers,
    sizeOf: (block, scale) => {
      const { data } = maps.get(block) as BlockMap
      let squares = 0
      for (let i = 0, at = 0; i < scale.length; i++) {
        let square = 0
        for (const end = at + width; at < end; at++) square += data[at] * data[at]
        squares += scale[i] * scale[i] * square
      }
      return Math.sqrt(squares) * (1 + 2 ** -20)
    },
    errorOf: (block) => maps.get(block)?.error ?? 0,
    eliminate: (target, i, j, scales) => {
      const [block, product] = [floatsAt(target.at(i, j), sizes[i] * sizes[j]), between(i, j)]
      const [left, right] = [scales(i), scales(j)]
      for (let row = 0, at = 0; row < left.length; row++)
        for (let column = 0; column < right.length; column++, at++)
          block[at] -= left[row] * product[at] * right[column]
    },
    traceOf: (i, inverse, scales) => {
      if (!maps.has(i)) return null
      const sums = new Float64Array(sizes[i])
      for (const j of readers) {
        const scale = scales(j)
        const [low, high] = i <= j ? [i, j] : [j, i]
        const product = between(low, high)
        const z = floatsAt(inverse.at(low, high), sizes[low] * sizes[high])
        // both stand as (low, high), so that the sum over the other block runs along rows or down columns
        const [step, next] = i <= j ? [sizes[j], 1] : [1, sizes[i]]
        for (let row = 0; row < sums.length; row++) {
          let sum = 0
          for (let k = 0, at = row * step; k < scale.length; k++, at += next)
            sum += product[at] * scale[k] * z[at]
          sums[row] -= sum
        }
      }
      return sums
    },
  }
}
