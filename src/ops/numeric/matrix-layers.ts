import { type FloatArray, type Shape, stridesOf } from '../../core/tensor.ts'
import type { LoadWeights, MatrixOperator } from '../../linalg/linear-operator.ts'
import { copyStrided } from '../fold/strided.ts'
import type { LayerSpec } from '../layer.ts'
import type { Operand } from '../operand.ts'
import { layerOf, loaderOf, type Weight } from './weight.ts'

/** What each axis of a weight does in a product with data. */
export type AxisRole =
  /** Summed over, against an axis of the data. */
  | 'contracted'
  /** Appears in the result alone. */
  | 'created'
  /** Runs along with an axis of the data: one matrix per index. */
  | 'parallel'

/**
 * The layer of a product in which every axis of the weight has one role: for each index of the parallel axes
 * one matrix contracted × created, all acting on slices of their own. The elements are brought into that order
 * only if they do not stand so already, up to transposing the matrices. `load` gives other elements of the same
 * shape, such as dequantised ones.
 */
export function contractionLayer(
  data: Operand,
  weight: Weight,
  roles: readonly AxisRole[],
  factor: number,
  options: { readonly role?: string; readonly load?: LoadWeights } = {},
): LayerSpec {
  const axesOf = (wanted: AxisRole) => roles.flatMap((role, axis) => (role === wanted ? [axis] : []))
  const sizeOf = (axes: readonly number[]) => axes.reduce((product, axis) => product * weight.dims[axis], 1)
  const [parallel, contracted, created] = [axesOf('parallel'), axesOf('contracted'), axesOf('created')]
  const contractedFirst = [...parallel, ...contracted, ...created]
  const createdFirst = [...parallel, ...created, ...contracted]
  const transposed = !inOrder(weight.dims, contractedFirst) && inOrder(weight.dims, createdFirst)
  const order = transposed ? createdFirst : contractedFirst
  const ordered = inOrder(weight.dims, order)
  const load = options.load ?? loaderOf(weight.operand)
  const operator: MatrixOperator = {
    form: 'matrix',
    rows: sizeOf(transposed ? created : contracted),
    columns: sizeOf(transposed ? contracted : created),
    blocks: sizeOf(parallel),
    arrangement: 'diagonal',
    input: transposed ? 'columns' : 'rows',
    factor: Math.abs(factor),
    load: ordered ? load : () => reordered(load(), weight.dims, order),
  }
  const asStored = ordered && options.load === undefined
  return layerOf(data, weight, operator, { kind: 'dense', asStored, role: options.role })
}

/** Whether elements already stand in this order of the axes; axes of length 1 may stand anywhere. */
function inOrder(dims: readonly number[], order: readonly number[]): boolean {
  const moving = order.filter((axis) => dims[axis] !== 1)
  return moving.every((axis, i) => i === 0 || moving[i - 1] < axis)
}

/** The elements with the axes in the given order. */
function reordered(data: FloatArray, dims: readonly number[], order: readonly number[]): FloatArray {
  const own = stridesOf(dims)
  const target = order.map((axis) => dims[axis])
  const result = data instanceof Float32Array ? new Float32Array(data.length) : new Float64Array(data.length)
  const source = { data, offset: 0, strides: order.map((axis) => own[axis]) }
  copyStrided(target, source, { data: result, offset: 0, strides: stridesOf(target) })
  return result
}

/** Which operand of a product is the constant one. */
export type Side = 'left' | 'right'

/**
 * The roles of a weight's axes in a matrix product as numpy defines it, from the shape of the data on the other
 * side; null for scalars. `transposed`: the last two axes of the weight are swapped before the product. Where the
 * data may be broadcast along a batch axis, because it is not known to be as long, the axis counts as created:
 * matrices side by side have no smaller norm than each.
 */
export function productRoles(
  weight: readonly number[],
  data: Shape | null,
  side: Side,
  transposed: boolean,
): AxisRole[] | null {
  if (weight.length === 0 || data?.length === 0) return null
  if (weight.length === 1) return ['contracted']
  const matrix: AxisRole[] =
    (side === 'right') !== transposed ? ['contracted', 'created'] : ['created', 'contracted']
  const batch = weight.slice(0, -2).map((dim, axis): AxisRole => {
    const alongData = data?.at(axis - weight.length) ?? null
    return dim === 1 || dim === alongData ? 'parallel' : 'created'
  })
  return [...batch, ...matrix]
}
