import { stridesOf, type Tensor } from '../../core/tensor.ts'
import { copyStrided, eachRow } from './strided.ts'

/** A number from the elements that one output element stands for, in row-major order. */
export type RowReduction = (row: Float64Array) => number

/**
 * Calls `visit(at, row)` once per element of the result of reducing `axes`: `at` is its row-major position, `row`
 * the elements that it stands for, in a buffer that is reused. Cost: one strided copy of the source.
 */
export function reduceRows(
  source: Tensor,
  axes: readonly number[],
  visit: (at: number, row: Float64Array) => void,
): void {
  const strides = stridesOf(source.dims)
  const kept = source.dims.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const dims = axes.map((axis) => source.dims[axis])
  const inner = axes.map((axis) => strides[axis])
  const row = new Float64Array(dims.reduce((product, dim) => product * dim, 1))
  const target = { data: row, offset: 0, strides: stridesOf(dims) }
  let at = 0
  const outer = { offset: 0, strides: kept.map((axis) => strides[axis]) }
  eachRow(
    kept.map((axis) => source.dims[axis]),
    [outer],
    ([start], [step], length) => {
      for (let i = 0; i < length; i++) {
        copyStrided(dims, { data: source.data, offset: start + i * step, strides: inner }, target)
        visit(at++, row)
      }
    },
  )
}
