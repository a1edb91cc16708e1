import { isFloatType, type Shape, sizeOf } from '../../core/tensor.ts'
import type { DiagonalOperator } from '../../linalg/linear-operator.ts'
import type { LayerSpec } from '../layer.ts'
import type { LayerContext } from '../operand.ts'
import { isData, layerOf, loaderOf, weightOf } from './weight.ts'

/**
 * The scale γ of a normalisation by statistics of the data, at the given input: the linear map behind the
 * normalised data. Every entry of γ acts on equally many elements.
 */
export function scaleOfNormalization(
  scaleIndex: number,
  dataIndices: readonly number[] = [0],
): (context: LayerContext) => readonly LayerSpec[] {
  return (context) => {
    const data = dataIndices.map((i) => context.input(i)).find(isData)
    const scale = weightOf(context.input(scaleIndex))
    if (data === undefined || scale === null || !isFloatType(scale.operand.type)) return []
    const size = scale.dims.reduce((product, dim) => product * dim, 1)
    const operator: DiagonalOperator = {
      form: 'diagonal',
      size,
      multiplicity: multiplicityOf(context.output(0)?.shape ?? null, size),
      factor: 1,
      load: loaderOf(scale.operand),
    }
    return [layerOf(data, scale, operator, { kind: 'scale', asStored: true })]
  }
}

/** Elements of one batch element of the output per entry of γ. */
function multiplicityOf(output: Shape | null, entries: number): number | null {
  const elements = output === null ? null : sizeOf(output.slice(output.length > 1 ? 1 : 0))
  return elements === null || entries === 0 || elements % entries !== 0 ? null : elements / entries
}
