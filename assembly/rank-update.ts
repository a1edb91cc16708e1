/**
 * The level-3 core: C ± P Pᵀ on the lower triangle of a symmetric float64 matrix, P given in packed panels.
 *
 * A packed block of `depth` columns of P holds panels of four rows, padded with zeros; panel after panel, in each
 * column after column, in each its four rows: element (i, k) stands at ((i >> 2)·depth + k)·4 + (i & 3).
 * The micro-kernel keeps a 4 × 4 block of the result in eight registers.
 */

/** Rows of C that share a stretch of packed panels in the second-level cache. */
const BAND: i32 = 64

/** C[i, j] += sign · (P Pᵀ)[i, j] for first ≤ j ≤ i < order, C with `pitch` elements per row. P starts at row `first`. */
export function rankUpdate(c: usize, pitch: i32, first: i32, order: i32, packed: usize, depth: i32, sign: f64): void {
  const size = order - first
  const panel: usize = <usize>depth << 5
  for (let band = 0; band < size; band += BAND) {
    const bandEnd = min(band + BAND, size)
    for (let i = band & ~3; i < size; i += 4) {
      const last = min(bandEnd, i + 4)
      const left = packed + <usize>(i >> 2) * panel
      for (let j = band; j < last; j += 4) {
        const target = c + ((<usize>(first + i) * pitch + (first + j)) << 3)
        if (i + 4 <= size && i != j) microFull(target, <usize>pitch << 3, left, packed + <usize>(j >> 2) * panel, depth, sign)
        else microEdge(target, pitch, min(4, size - i), i == j, left, packed + <usize>(j >> 2) * panel, depth, sign)
      }
    }
  }
}

export const block = memory.data(128, 16)

/** The 4 × 4 product of two panels, into `block`. */
// @ts-ignore: decorator
@inline
export function multiplyPanels(left: usize, right: usize, depth: i32): void {
  let a0 = f64x2.splat(0)
  let a1 = f64x2.splat(0)
  let b0 = f64x2.splat(0)
  let b1 = f64x2.splat(0)
  let c0 = f64x2.splat(0)
  let c1 = f64x2.splat(0)
  let d0 = f64x2.splat(0)
  let d1 = f64x2.splat(0)
  const end = left + (<usize>depth << 5)
  while (left < end) {
    const r0 = v128.load(right)
    const r1 = v128.load(right, 16)
    let l = v128.load64_splat(left)
    a0 = f64x2.add(a0, f64x2.mul(l, r0))
    a1 = f64x2.add(a1, f64x2.mul(l, r1))
    l = v128.load64_splat(left, 8)
    b0 = f64x2.add(b0, f64x2.mul(l, r0))
    b1 = f64x2.add(b1, f64x2.mul(l, r1))
    l = v128.load64_splat(left, 16)
    c0 = f64x2.add(c0, f64x2.mul(l, r0))
    c1 = f64x2.add(c1, f64x2.mul(l, r1))
    l = v128.load64_splat(left, 24)
    d0 = f64x2.add(d0, f64x2.mul(l, r0))
    d1 = f64x2.add(d1, f64x2.mul(l, r1))
    left += 32
    right += 32
  }
  v128.store(block, a0)
  v128.store(block, a1, 16)
  v128.store(block, b0, 32)
  v128.store(block, b1, 48)
  v128.store(block, c0, 64)
  v128.store(block, c1, 80)
  v128.store(block, d0, 96)
  v128.store(block, d1, 112)
}

export function microFull(target: usize, pitchBytes: usize, left: usize, right: usize, depth: i32, sign: f64): void {
  multiplyPanels(left, right, depth)
  const factor = f64x2.splat(sign)
  for (let row: usize = 0; row < 4; row++) {
    const at = target + row * pitchBytes
    v128.store(at, f64x2.add(v128.load(at), f64x2.mul(factor, v128.load(block + (row << 5)))))
    v128.store(at, f64x2.add(v128.load(at, 16), f64x2.mul(factor, v128.load(block + (row << 5), 16))), 16)
  }
}

/** A block on the diagonal, or one that the last rows of C cut. */
function microEdge(target: usize, pitch: i32, rows: i32, diagonal: bool, left: usize, right: usize, depth: i32, sign: f64): void {
  multiplyPanels(left, right, depth)
  for (let row = 0; row < rows; row++) {
    const columns = diagonal ? row + 1 : 4
    for (let column = 0; column < columns; column++) {
      const at = target + (<usize>(row * pitch + column) << 3)
      store<f64>(at, load<f64>(at) + sign * load<f64>(block + (<usize>(row * 4 + column) << 3)))
    }
  }
}

/**
 * Packs columns [from, from + depth) of rows [first, order): element (i, k) of the source, of type T, is read at
 * a + (i·rowStride + k·columnStride)·sizeof<T>.
 */
// @ts-ignore: decorator
@inline
export function packPanels<T>(
  a: usize, rowStride: usize, columnStride: usize, first: i32, order: i32, from: i32, depth: i32, packed: usize,
): void {
  let to = packed
  for (let i = first; i < order; i += 4) {
    for (let k = 0; k < depth; k++) {
      const column = a + <usize>(from + k) * columnStride * sizeof<T>()
      for (let row = i; row < i + 4; row++) {
        let value: f64 = 0
        if (row < order) {
          const at = column + <usize>row * rowStride * sizeof<T>()
          value = sizeof<T>() == 4 ? <f64>load<f32>(at) : load<f64>(at)
        }
        store<f64>(to, value)
        to += 8
      }
    }
  }
}
