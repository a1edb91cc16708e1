import { intAttribute } from '../../graph/attribute.ts'
import type { LinearRule } from '../calculus.ts'
import { poolWindows } from '../numeric/pooling.ts'
import { windowAt } from '../rules/averages.ts'
import { interpolationOf, interpolationRows, scalesOf } from '../rules/resize.ts'
import { inputDims, knownDims, outputDims } from './sizes.ts'
import { type SparseMatrix, separableMap, sparseMatrix } from './sparse.ts'

/** Operators that treat every axis by itself: interpolation and averages. */

const resize: LinearRule = (context) => {
  const [input, output] = [inputDims(context, 0), outputDims(context)]
  const interpolation = interpolationOf(context)
  const controls = context.inputs.slice(1).some((_, i) => context.varies(i + 1))
  if (input === null || output === null || controls || typeof interpolation === 'string') return null
  const entries = (i: number) => {
    const tensor = context.inputs[i]?.constant() ?? null
    return tensor && Array.from(tensor.data)
  }
  const scales = scalesOf(context.node, input.length, entries)
  const matrices: (SparseMatrix | null)[] = []
  for (const [i, length] of input.entries()) {
    const axis = { input: length, output: output[i], scale: scales?.[i] ?? output[i] / length }
    if (axis.input === axis.output && axis.scale === 1) {
      matrices.push(null)
      continue
    }
    const rows = interpolationRows(axis, interpolation)
    if (rows === null) return null
    matrices.push(sparseMatrix(length, rows))
  }
  const map = separableMap(context.inputs.length, input, matrices)
  // weights are differences of places: where float64 rounds them, nothing is known of their relative error
  return matrices.every((matrix) => matrix === null || matrix.weights.every(isShort))
    ? map
    : { ...map, absolute: undefined }
}

const isShort = (weight: number) => Number.isInteger(weight * 2 ** 24)

const averagePool: LinearRule = (context) => {
  const [input, output] = [inputDims(context, 0), outputDims(context)]
  if (input === null || output === null) return null
  const windows = poolWindows(context, input.slice(2))
  const [begins, ends] = [knownDims(windows.padsBegin), knownDims(windows.padsEnd)]
  if (begins === null || ends === null) return null
  const includePad = intAttribute(context.node, 'count_include_pad', 0) !== 0
  const spatial = input.slice(2).map((size, axis) => {
    const rows = Array.from({ length: output[axis + 2] }, (_, row) => {
      const start = row * windows.strides[axis] - begins[axis]
      const { first, count, weight } = windowAt(windows, axis, start, { size, end: ends[axis], includePad })
      return {
        columns: Array.from({ length: count }, (_, i) => first + i * windows.dilations[axis]),
        weights: new Array<number>(count).fill(weight),
      }
    })
    return sparseMatrix(size, rows)
  })
  return separableMap(context.inputs.length, input, [null, null, ...spatial])
}

export const interpolationMaps = {
  Resize: resize,
  Upsample: resize,
  AveragePool: averagePool,
} satisfies Record<string, LinearRule>
