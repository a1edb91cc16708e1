/** The matrix of a linear operator, by its definition: small sizes alone. */
import type { ConvolutionOperator, LinearOperator } from '../../src/linalg/linear-operator.ts'
import type { Matrix } from './linear-part.ts'

const product = (dims: readonly number[]) => dims.reduce((size, dim) => size * dim, 1)

/** All index vectors of `dims`, in row-major order. */
function indices(dims: readonly number[]): number[][] {
  return dims.reduce<number[][]>(
    (all, dim) => all.flatMap((index) => Array.from({ length: dim }, (_, i) => [...index, i])),
    [[]],
  )
}

const flat = (index: readonly number[], dims: readonly number[]) =>
  index.reduce((position, i, axis) => position * dims[axis] + i, 0)

/** Output o reads the input at o·stride − padsBegin + tap·dilation, where that is inside. */
export function convolutionMatrix(operator: ConvolutionOperator): Matrix {
  const { inputSize, outputSize, kernel, strides, dilations, padsBegin, groups } = operator
  if (inputSize === null || outputSize === null) throw new Error('sizes are not known')
  const weights = operator.load()
  const [inside, outside, taps] = [inputSize, outputSize, kernel].map(product)
  const perGroup = operator.inChannels / groups
  const rows = operator.outChannels * outside
  const columns = operator.inChannels * inside
  const data = new Float64Array(rows * columns)
  for (let out = 0; out < operator.outChannels; out++) {
    const group = Math.floor(out / (operator.outChannels / groups))
    for (const to of indices(outputSize)) {
      for (let channel = 0; channel < perGroup; channel++) {
        for (const tap of indices(kernel)) {
          const from = to.map((o, axis) => o * strides[axis] - padsBegin[axis] + tap[axis] * dilations[axis])
          if (from.some((position, axis) => position < 0 || position >= inputSize[axis])) continue
          const row = out * outside + flat(to, outputSize)
          const column = (group * perGroup + channel) * inside + flat(from, inputSize)
          data[row * columns + column] +=
            operator.factor * weights[(out * perGroup + channel) * taps + flat(tap, kernel)]
        }
      }
    }
  }
  return { rows, columns, data }
}

/** The blocks of a matrix operator on the diagonal, each repeated `copies` times. */
export function blockMatrix(operator: LinearOperator): Matrix[] {
  if (operator.form !== 'matrix') throw new Error(`no matrix but a ${operator.form}`)
  const size = operator.rows * operator.columns
  return Array.from({ length: operator.blocks }, (_, block) => ({
    rows: operator.rows,
    columns: operator.columns,
    data: Float64Array.from(
      operator.load().subarray(block * size, (block + 1) * size),
      (x) => x * operator.factor,
    ),
  }))
}

export function transposed({ rows, columns, data }: Matrix): Matrix {
  const result = new Float64Array(data.length)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j]
  return { rows: columns, columns: rows, data: result }
}
