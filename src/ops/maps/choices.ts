import { intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { Algebra, Variable } from '../algebra.ts'
import type { Calculus } from '../calculus.ts'
import { type Definition, defined, multiplied } from './definition.ts'
import { reducedOf } from './reduction.ts'
import { outputDims, productOf } from './sizes.ts'

/** Operators that choose elements, where their folding does not tell which, and products of many elements. */

/** The k largest (or smallest) of an axis, in order; of equal ones the first. Positions do not vary. */
const topK: Definition = (context) => {
  const { algebra, node, variables } = context
  const [x] = variables
  const dims = outputDims(context)
  if (!x || dims === null || context.varies(1)) return null
  const given = intAttribute(node, 'axis', -1)
  const axis = given < 0 ? given + x.dims.length : given
  const sign = intAttribute(node, 'largest', 1) !== 0 ? -1 : 1
  const [length, k, inner] = [x.dims[axis], dims[axis], productOf(x.dims.slice(axis + 1))]
  const outer = productOf(x.dims.slice(0, axis))
  const places = new Int32Array(outer * k * inner)
  const positions = new Float64Array(places.length)
  for (let block = 0; block < outer; block++) {
    for (let i = 0; i < inner; i++) {
      const at = (n: number) => (block * length + n) * inner + i
      const order = Array.from({ length }, (_, n) => n).sort(
        (a, b) => sign * (x.data[at(a)] - x.data[at(b)]) || a - b,
      )
      for (let n = 0; n < k; n++) {
        places[(block * k + n) * inner + i] = at(order[n])
        positions[(block * k + n) * inner + i] = order[n]
      }
    }
  }
  return [algebra.select(x, dims, places), algebra.constant(dims, positions)]
}

/** The first `lengths` elements of each batch entry in reverse order. */
const reverseSequence: Definition = (context) => {
  const { algebra, node, variables } = context
  const [x, lengths] = variables
  if (!x || !lengths) return null
  const [batchAxis, timeAxis] = [intAttribute(node, 'batch_axis', 1), intAttribute(node, 'time_axis', 0)]
  const stepOf = (axis: number) => productOf(x.dims.slice(axis + 1))
  const [batchStep, timeStep] = [stepOf(batchAxis), stepOf(timeAxis)]
  const places = Int32Array.from({ length: productOf(x.dims) }, (_, i) => {
    const batch = Math.floor(i / batchStep) % x.dims[batchAxis]
    const time = Math.floor(i / timeStep) % x.dims[timeAxis]
    const length = lengths.data[batch]
    return time < length ? i + (length - 1 - 2 * time) * timeStep : i
  })
  return [algebra.select(x, x.dims, places)]
}

/** Parts of axes, from where they start; −1 where the result extends beyond the data. */
function windowOf(
  algebra: Algebra,
  x: Variable,
  dims: readonly number[],
  starts: readonly number[],
): Variable {
  const places = new Int32Array(productOf(dims))
  for (let i = 0; i < places.length; i++) {
    let [rest, place, stride] = [i, 0, 1]
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const at = (rest % dims[axis]) + starts[axis]
      rest = Math.floor(rest / dims[axis])
      place = place < 0 || at < 0 || at >= x.dims[axis] ? -1 : place + at * stride
      stride *= x.dims[axis]
    }
    places[i] = place
  }
  return algebra.select(x, dims, places)
}

/** Axes are cropped or padded around their middle. */
const centerCropPad: Definition = (context) => {
  const [x] = context.variables
  const dims = outputDims(context)
  if (!x || dims === null) return null
  const starts = dims.map((dim, axis) => {
    const away = x.dims[axis] - dim
    return away >= 0 ? Math.floor(away / 2) : -Math.floor(-away / 2)
  })
  return [windowOf(context.algebra, x, dims, starts)]
}

const crop: Definition = (context) => {
  const [x] = context.variables
  const dims = outputDims(context)
  const [left, top] = intsAttribute(context.node, 'border', [])
  if (!x || dims === null || left === undefined || top === undefined) return null
  return [windowOf(context.algebra, x, dims, [0, 0, top, left])]
}

/** Products of halves, until one element is left: no division, so that zeros do no harm. */
const reduceProduct: Definition = (context) => {
  const { algebra, variables } = context
  const [x] = variables
  const reduced = reducedOf(context)
  const output = outputDims(context)
  if (!x || reduced === null || output === null) return null
  const isReduced = (axis: number) => reduced.kept[axis] !== x.dims[axis]
  const axes = x.dims.map((_, axis) => axis)
  const ordered = algebra.transpose(x, [
    ...axes.filter((axis) => !isReduced(axis)),
    ...axes.filter(isReduced),
  ])
  let length = reduced.count
  let rows = algebra.reshape(ordered, [productOf(x.dims) / length, length])
  while (length > 1) {
    const half = Math.floor(length / 2)
    const product = algebra.zip(
      algebra.slice(rows, 1, 0, half),
      algebra.slice(rows, 1, half, 2 * half),
      multiplied,
    )
    rows =
      length % 2 === 0 ? product : algebra.concat([product, algebra.slice(rows, 1, length - 1, length)], 1)
    length = rows.dims[1]
  }
  return [algebra.reshape(rows, output)]
}

export const choiceCalculus: Readonly<Record<string, Calculus>> = {
  TopK: defined(topK),
  ReverseSequence: defined(reverseSequence),
  CenterCropPad: defined(centerCropPad),
  Crop: defined(crop),
  ReduceProd: defined(reduceProduct),
}
