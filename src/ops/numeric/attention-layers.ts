import { intsAttribute } from '../../graph/attribute.ts'
import type { LoadWeights, MatrixOperator } from '../../linalg/linear-operator.ts'
import type { LayerSpec } from '../layer.ts'
import type { LayerContext } from '../operand.ts'
import { dequantized } from './dequantized.ts'
import { elementsOf, isData, layerOf, type Weight, weightOf } from './weight.ts'

/**
 * The projections in the merged weight [features, q+k+v] of contrib Attention: one layer each, 'q', 'k' and 'v',
 * the columns that `qkv_hidden_sizes` says (default: a third each).
 */
export function attentionLayers(context: LayerContext): readonly LayerSpec[] {
  return projections(
    context,
    ({ operand }) =>
      () =>
        elementsOf(operand).data,
  )
}

/** The same of QAttention, whose weight is quantised with one scale and zero point, or one of each per column. */
export function quantizedAttentionLayers(context: LayerContext): readonly LayerSpec[] {
  return projections(context, ({ operand }) => dequantized(context, operand, { scale: 4, zeroPoint: 7 }, 1))
}

function projections(
  context: LayerContext,
  readerOf: (weight: Weight) => LoadWeights | null,
): readonly LayerSpec[] {
  const data = context.input(0)
  const weight = weightOf(context.input(1))
  if (!isData(data) || weight?.dims.length !== 2) return []
  const read = readerOf(weight)
  if (read === null) return []
  const [rows, merged] = weight.dims
  const third = merged / 3
  const widths = intsAttribute(context.node, 'qkv_hidden_sizes', null) ?? [third, third, third]
  const total = widths.reduce((sum, width) => sum + width, 0)
  if (
    widths.length !== 3 ||
    total !== merged ||
    widths.some((width) => !(Number.isInteger(width) && width >= 0))
  ) {
    context.fail(
      `projections of widths ${widths.join('+')} do not make up the ${merged} columns of the weight`,
    )
  }
  return ['q', 'k', 'v'].map((role, i) => {
    const first = widths.slice(0, i).reduce((sum, width) => sum + width, 0)
    const operator: MatrixOperator = {
      form: 'matrix',
      rows,
      columns: widths[i],
      blocks: 1,
      arrangement: 'diagonal',
      factor: 1,
      load: () => {
        const elements = read()
        const result = elements.slice(0, rows * widths[i])
        for (let row = 0; row < rows; row++) {
          const start = row * merged + first
          result.set(elements.subarray(start, start + widths[i]), row * widths[i])
        }
        return result
      },
    }
    return layerOf(data, weight, operator, { kind: 'dense', asStored: false, role })
  })
}
