import type { LoadWeights } from '../../linalg/linear-operator.ts'
import type { LayerContext, Operand } from '../operand.ts'
import { elementsOf } from './weight.ts'

/** Which inputs hold the scale and the zero point of a quantised weight; null: the operator has none. */
export interface QuantizationInputs {
  readonly scale: number | null
  readonly zeroPoint: number | null
}

/**
 * Reads quantised weights as the real numbers scale·(q − zero point) that they stand for; scale and zero point
 * are scalars or have one entry per index of `axis`. Without a scale: the integers q − zero point.
 * Null where scale or zero point are data.
 */
export function dequantized(
  context: LayerContext,
  weight: Operand,
  inputs: QuantizationInputs,
  axis: number,
): LoadWeights | null {
  const scale = inputs.scale === null ? null : context.input(inputs.scale)
  const zeroPoint = inputs.zeroPoint === null ? null : context.input(inputs.zeroPoint)
  if (scale?.isConstant === false || zeroPoint?.isConstant === false) return null
  return () => {
    const { data, dims } = elementsOf(weight)
    const length = dims[axis] ?? 1
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
    const scales = perIndex(context, scale, length, 1)
    const zeros = perIndex(context, zeroPoint, length, 0)
    const result = scale === null ? new Float32Array(data.length) : new Float64Array(data.length)
    for (let start = 0, index = 0; start < data.length; start += inner, index = (index + 1) % length) {
      const factor = scales[index]
      const zero = zeros[index]
      for (let i = start; i < start + inner; i++) result[i] = factor * (data[i] - zero)
    }
    return result
  }
}

/** The operand's elements, one per index: a single one stands for all. */
function perIndex(
  context: LayerContext,
  operand: Operand | null,
  length: number,
  fallback: number,
): ArrayLike<number> {
  if (operand === null) return new Array<number>(length).fill(fallback)
  const { data } = elementsOf(operand)
  if (data.length === length) return data
  if (data.length === 1) return new Array<number>(length).fill(data[0])
  return context.fail(`'${operand.value.name}' has ${data.length} elements for an axis of ${length}`)
}
