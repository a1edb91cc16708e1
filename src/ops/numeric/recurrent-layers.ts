import type { FloatArray, Shape } from '../../core/tensor.ts'
import { intAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { LoadWeights, MatrixOperator } from '../../linalg/linear-operator.ts'
import type { LayerSpec } from '../layer.ts'
import type { LayerContext, Operand } from '../operand.ts'
import { elementsOf, isData, layerOf, loaderOf, type Weight, weightOf } from './weight.ts'

/** Names of the gates in the order in which their rows are stacked in a weight matrix. */
type Gates = readonly string[]

/**
 * The layers of a recurrence: per direction and gate the matrix on the input ('W.i', …) and the one on the hidden
 * state ('R.i', …), each [hidden, features] or [hidden, hidden]. With two directions roles end in '.forward' or
 * '.backward'. Peepholes and biases are no layers.
 */
export function recurrentLayers(gates: Gates): (context: LayerContext) => readonly LayerSpec[] {
  return (context) =>
    bothWeights(context, (data, weight, matrix) => {
      const [directions, stacked, columns] = weight.dims
      const rows = stacked / gates.length
      const load = loaderOf(weight.operand)
      return gateRoles(context, directions, gates, matrix).map(({ role, direction, gate }) => {
        const start = (direction * stacked + gate * rows) * columns
        const slice: LoadWeights = () => load().subarray(start, start + rows * columns)
        return gateLayer(data, weight, role, rows, columns, slice)
      })
    })
}

/**
 * The same for weights that are quantised and stand transposed, [directions, features, gates·hidden], with a scale
 * and a zero point per direction, or per direction and column.
 */
export function quantizedRecurrentLayers(gates: Gates): (context: LayerContext) => readonly LayerSpec[] {
  return (context) =>
    bothWeights(context, (data, weight, matrix) => {
      const [scale, zeroPoint] = (matrix === 'W' ? [8, 9] : [10, 11]).map((i) => context.input(i))
      if (!scale?.isConstant || isData(zeroPoint)) return []
      const [directions, rows, stacked] = weight.dims
      const columns = stacked / gates.length
      return gateRoles(context, directions, gates, matrix).map(({ role, direction, gate }) => {
        const load = () => {
          const { data } = elementsOf(weight.operand)
          const scaleAt = columnReader(context, scale, weight.dims)
          const zeroAt = zeroPoint === null ? () => 0 : columnReader(context, zeroPoint, weight.dims)
          const result = new Float64Array(rows * columns)
          for (let row = 0, i = 0; row < rows; row++) {
            for (let column = gate * columns; column < (gate + 1) * columns; column++, i++) {
              const code = data[(direction * rows + row) * stacked + column]
              result[i] = scaleAt(direction, column) * (code - zeroAt(direction, column))
            }
          }
          return result
        }
        return gateLayer(data, weight, role, rows, columns, load)
      })
    })
}

/** One value per direction, or one per direction and column. */
function columnReader(
  context: LayerContext,
  operand: Operand,
  [directions, , columns]: readonly number[],
): (direction: number, column: number) => number {
  const { data } = elementsOf(operand)
  if (data.length === directions * columns) return (direction, column) => data[direction * columns + column]
  if (data.length === directions) return (direction) => data[direction]
  return context.fail(`'${operand.value.name}' has ${data.length} elements for ${directions} directions`)
}

type MatrixName = 'W' | 'R'

/** Layers of the input weights (input 1) and the recurrence weights (input 2), those that are constant. */
function bothWeights(
  context: LayerContext,
  layersOf: (data: Operand, weight: Weight, matrix: MatrixName) => readonly LayerSpec[],
): readonly LayerSpec[] {
  const data = context.input(0)
  if (data === null || ![0, 5, 6].some((i) => isData(context.input(i)))) return []
  const names: readonly (readonly [MatrixName, number])[] = [
    ['W', 1],
    ['R', 2],
  ]
  return names.flatMap(([matrix, i]) => {
    const weight = weightOf(context.input(i))
    if (weight?.dims.length !== 3) return []
    return layersOf(matrix === 'W' ? data : hiddenState(context, data, weight), weight, matrix)
  })
}

/** What recurrence weights act on: one step's hidden state [batch, hidden]. */
function hiddenState(context: LayerContext, data: Operand, weight: Weight): Operand {
  const batchAxis = intAttribute(context.node, 'layout', 0) === 1 ? 0 : 1
  // The other axis stacks the gates, so it is no shorter.
  const hidden = Math.min(weight.dims[1], weight.dims[2])
  const shape: Shape = [data.shape?.[batchAxis] ?? null, hidden]
  return { ...data, shape }
}

function gateRoles(context: LayerContext, directions: number, gates: Gates, matrix: MatrixName) {
  const both = stringAttribute(context.node, 'direction', 'forward') === 'bidirectional'
  return Array.from({ length: directions }, (_, direction) =>
    gates.map((name, gate) => {
      const suffix = both ? ['.forward', '.backward'][direction] : ''
      return { role: `${matrix}.${name}${suffix}`, direction, gate }
    }),
  ).flat()
}

function gateLayer(
  data: Operand,
  weight: Weight,
  role: string,
  rows: number,
  columns: number,
  load: () => FloatArray,
): LayerSpec {
  const operator: MatrixOperator = {
    form: 'matrix',
    rows,
    columns,
    blocks: 1,
    arrangement: 'diagonal',
    factor: 1,
    load,
  }
  return layerOf(data, weight, operator, { kind: 'recurrent', asStored: false, role })
}
