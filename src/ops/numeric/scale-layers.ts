import { addUp, divUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import type { Dim, FloatArray, Shape } from '../../core/tensor.ts'
import { isFloatType } from '../../core/tensor.ts'
import type { DiagonalOperator } from '../../linalg/linear-operator.ts'
import type { LayerSpec } from '../layer.ts'
import type { LayerContext } from '../operand.ts'
import { alignedShape } from '../shape/old-broadcast.ts'
import { elementsOf, isData, layerOf, type Weight, weightOf } from './weight.ts'

/** x·c with a constant c on either side. */
export function multiplierLayers(context: LayerContext): readonly LayerSpec[] {
  return scaleLayers(context, 1) ?? scaleLayers(context, 0) ?? []
}

/** x/c with a constant c: scaled by 1/|c|, rounded up. */
export function divisorLayers(context: LayerContext): readonly LayerSpec[] {
  return scaleLayers(context, 1, (c) => divUp(1, Math.abs(c))) ?? []
}

/** Integers are counts and indices, not signals: they make no layers. Data of unknown rank counts as one element. */
function scaleLayers(
  context: LayerContext,
  weightIndex: 0 | 1,
  entry?: (c: number) => number,
): readonly LayerSpec[] | null {
  const data = context.input(1 - weightIndex)
  const weight = weightOf(context.input(weightIndex))
  if (!isData(data) || weight === null || !isFloatType(weight.operand.type)) return null
  const own = data.shape ?? []
  const [first, second] = weightIndex === 1 ? [own, weight.dims] : [weight.dims, own]
  const aligned = data.shape === null ? second : alignedShape(context, first, second)
  const [shape, dims] = weightIndex === 1 ? [own, aligned] : [aligned, weight.dims]
  const operator = scaleOperator(shape as Shape, { ...weight, dims: dims as readonly number[] }, entry)
  const asStored = entry === undefined && operator.size === weight.dims.reduce((size, dim) => size * dim, 1)
  const multiplicity = data.shape === null ? null : operator.multiplicity
  const layer = layerOf(data, weight, { ...operator, multiplicity }, { kind: 'scale', asStored })
  const axis = entryAxis(own, dims as readonly number[])
  return [axis === null ? layer : { ...layer, affine: { input: axis, output: axis } }]
}

/** The axis of the data, from its end, that the entries of the constant run along; null unless there is one alone. */
function entryAxis(data: Shape, dims: readonly number[]): number | null {
  const axes = dims.flatMap((dim, axis) => (dim === 1 ? [] : [axis - dims.length]))
  if (dims.length > data.length || axes.length > 1) return null
  const [axis] = axes.length === 0 ? [-1] : axes
  const size = dims.reduce((product, dim) => product * dim, 1)
  return size === 1 || dimAt(data, axis) === size ? axis : null
}

/**
 * Scaling data of the given shape by a constant. Where the constant is larger than the data along some axes the
 * data is repeated there, and entries join as √Σc²; a dimension of the data that is not known may be 1, so it
 * counts as repeated: an upper bound.
 */
function scaleOperator(data: Shape, weight: Weight, entry?: (c: number) => number): DiagonalOperator {
  const { dims } = weight
  const rank = Math.max(data.length, dims.length)
  const dataDim = (axis: number): Dim => dimAt(data, axis - rank)
  const repeated = dims.map((dim, axis) => {
    const own = dataDim(axis + rank - dims.length)
    return dim !== 1 && own !== dim
  })
  const size = dims.reduce((product, dim, axis) => (repeated[axis] ? product : product * dim), 1)
  return {
    form: 'diagonal',
    size,
    multiplicity: multiplicityOf(data, dims),
    factor: 1,
    load: () => {
      const { data: elements } = elementsOf(weight.operand)
      const entries = entry === undefined ? elements : Float64Array.from(elements, entry)
      return repeated.includes(true) ? joinCopies(entries, dims, repeated, size) : entries
    },
  }
}

function dimAt(shape: Shape, fromEnd: number): Dim {
  const axis = shape.length + fromEnd
  return axis < 0 ? 1 : shape[axis]
}

/** Elements of one batch element per entry: the data's axes along which the constant is 1, the batch axis left out. */
function multiplicityOf(data: Shape, dims: readonly number[]): number | null {
  let count: number | null = 1
  for (let axis = data.length > 1 ? 1 : 0; axis < data.length; axis++) {
    const dim = data[axis]
    if (dimAt(dims, axis - data.length) !== 1 && dim !== 1) continue
    count = count === null || dim === null ? null : count * dim
  }
  return count
}

/** √Σc² over the axes along which the data is repeated, rounded up. */
function joinCopies(
  entries: FloatArray,
  dims: readonly number[],
  repeated: readonly boolean[],
  size: number,
): FloatArray {
  const squares = new Float64Array(size)
  const index = new Array<number>(dims.length).fill(0)
  for (const entry of entries) {
    let target = 0
    for (let axis = 0; axis < dims.length; axis++)
      if (!repeated[axis]) target = target * dims[axis] + index[axis]
    squares[target] = addUp(squares[target], mulUp(entry, entry))
    for (let axis = dims.length - 1; axis >= 0 && ++index[axis] === dims[axis]; axis--) index[axis] = 0
  }
  return squares.map(sqrtUp)
}
