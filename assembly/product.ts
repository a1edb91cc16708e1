import { block, microFull, multiplyPanels, packPanels } from './rank-update'

/** Terms of a sum that are packed at a time: a panel of four rows takes 8 KB. */
const DEPTH: i32 = 256
/** Columns whose packed panels stay in the second-level cache. */
const BAND: i32 = 64

/**
 * C += sign · A B for A (rows × depth), B (depth × columns) and C (rows × columns, `pitch` elements per row), all
 * float64. Element (i, k) of A stands at a + 8·(i·aRow + k·aColumn), those of B likewise. `packed` has room for
 * (rows + columns + 6)·256 float64. An element of C meets depth + ⌈depth / 256⌉ + 1 roundings.
 */
export function product(
  a: usize, aRow: i32, aColumn: i32, b: usize, bRow: i32, bColumn: i32,
  rows: i32, columns: i32, depth: i32, c: usize, pitch: i32, packed: usize, sign: f64,
): void {
  const pitchBytes: usize = <usize>pitch << 3
  for (let from = 0; from < depth; from += DEPTH) {
    const length = min(DEPTH, depth - from)
    const panel: usize = <usize>length << 5
    const right = packed + <usize>((rows + 3) >> 2) * panel
    packPanels<f64>(a, <usize>aRow, <usize>aColumn, 0, rows, from, length, packed)
    packPanels<f64>(b, <usize>bColumn, <usize>bRow, 0, columns, from, length, right)
    for (let band = 0; band < columns; band += BAND) {
      const bandEnd = min(band + BAND, columns)
      for (let i = 0; i < rows; i += 4) {
        const left = packed + <usize>(i >> 2) * panel
        for (let j = band; j < bandEnd; j += 4) {
          const target = c + ((<usize>i * pitch + j) << 3)
          const across = right + <usize>(j >> 2) * panel
          if (i + 4 <= rows && j + 4 <= columns) microFull(target, pitchBytes, left, across, length, sign)
          else microPart(target, pitch, min(4, rows - i), min(4, columns - j), left, across, length, sign)
        }
      }
    }
  }
}

/** A block that the last rows or columns of C cut. */
function microPart(target: usize, pitch: i32, rows: i32, columns: i32, left: usize, right: usize, depth: i32, sign: f64): void {
  multiplyPanels(left, right, depth)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = target + (<usize>(row * pitch + column) << 3)
      store<f64>(at, load<f64>(at) + sign * load<f64>(block + (<usize>(row * 4 + column) << 3)))
    }
  }
}

/**
 * x = l⁻¹ for the lower triangle of l (order × order float64, row-major), row by row: l_ii·x_i = e_i − Σ l_ij·x_j.
 * The upper triangle of x is left as it is.
 */
export function invertTriangle(l: usize, order: i32, x: usize): void {
  const pitch: usize = <usize>order << 3
  for (let i = 0; i < order; i++) {
    const row = x + <usize>i * pitch
    const factors = l + <usize>i * pitch
    memory.fill(row, 0, <usize>(i + 1) << 3)
    let j = 0
    for (; j + 4 <= i; j += 4) {
      const at = <usize>j << 3
      const f0 = v128.load64_splat(factors + at)
      const f1 = v128.load64_splat(factors + at, 8)
      const f2 = v128.load64_splat(factors + at, 16)
      const f3 = v128.load64_splat(factors + at, 24)
      const x0 = x + <usize>j * pitch
      const x1 = x0 + pitch
      const x2 = x1 + pitch
      const x3 = x2 + pitch
      for (let k: usize = 0; k < at; k += 16) {
        const front = f64x2.add(f64x2.mul(f0, v128.load(x0 + k)), f64x2.mul(f1, v128.load(x1 + k)))
        const back = f64x2.add(f64x2.mul(f2, v128.load(x2 + k)), f64x2.mul(f3, v128.load(x3 + k)))
        v128.store(row + k, f64x2.sub(v128.load(row + k), f64x2.add(front, back)))
      }
      for (let n = 0; n < 4; n++) addRow(row, x0 + <usize>n * pitch, load<f64>(factors + at + (<usize>n << 3)), j, j + n + 1)
    }
    for (; j < i; j++) addRow(row, x + <usize>j * pitch, load<f64>(factors + (<usize>j << 3)), 0, j + 1)
    const pivot = load<f64>(factors + (<usize>i << 3))
    for (let k = 0; k < i; k++) {
      const at = row + (<usize>k << 3)
      store<f64>(at, load<f64>(at) / pivot)
    }
    store<f64>(row + (<usize>i << 3), 1 / pivot)
  }
}

/** row −= factor · other, from one column to another. */
// @ts-ignore: decorator
@inline
function addRow(row: usize, other: usize, factor: f64, from: i32, to: i32): void {
  for (let k = from; k < to; k++) {
    const at = <usize>k << 3
    store<f64>(row + at, load<f64>(row + at) - factor * load<f64>(other + at))
  }
}
