import { loadOne, loadPair, sumLanes } from './load'

/**
 * One pass over A (rows × columns, row-major, elements T). Adds |a| to the column sums; writes to `out`, as float64:
 * the largest |a|, Σa², and the largest row sum of |a|. Row sums run in two lanes, Σa² is summed row by row. NaN and
 * infinities show in Σa².
 */
// @ts-ignore: decorator
@inline
function survey<T>(a: usize, rows: i32, columns: i32, columnSums: usize, out: usize): void {
  const blockEnd = columnSums + (<usize>(columns & ~1) << 3)
  let p = a
  let largest = f64x2.splat(0)
  let largestRow: f64 = 0
  let squares: f64 = 0
  for (let row = 0; row < rows; row++) {
    let rowSum = f64x2.splat(0)
    let rowSquares = f64x2.splat(0)
    let column = columnSums
    while (column < blockEnd) {
      const size = f64x2.abs(loadPair<T>(p))
      largest = f64x2.pmax(largest, size)
      rowSum = f64x2.add(rowSum, size)
      rowSquares = f64x2.add(rowSquares, f64x2.mul(size, size))
      v128.store(column, f64x2.add(v128.load(column), size))
      column += 16
      p += 2 * sizeof<T>()
    }
    let sum = sumLanes(rowSum)
    let square = sumLanes(rowSquares)
    if (columns & 1) {
      const size = Math.abs(loadOne<T>(p))
      largest = f64x2.pmax(largest, f64x2.splat(size))
      sum += size
      square += size * size
      store<f64>(column, load<f64>(column) + size)
      p += sizeof<T>()
    }
    squares += square
    if (sum > largestRow) largestRow = sum
  }
  const left = f64x2.extract_lane(largest, 0)
  const right = f64x2.extract_lane(largest, 1)
  store<f64>(out, left > right ? left : right)
  store<f64>(out + 8, squares)
  store<f64>(out + 16, largestRow)
}

export function surveyF32(a: usize, rows: i32, columns: i32, columnSums: usize, out: usize): void {
  survey<f32>(a, rows, columns, columnSums, out)
}

export function surveyF64(a: usize, rows: i32, columns: i32, columnSums: usize, out: usize): void {
  survey<f64>(a, rows, columns, columnSums, out)
}
