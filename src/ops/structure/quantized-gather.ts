import { intAttribute } from '../../graph/attribute.ts'
import type { LayerSpec } from '../layer.ts'
import { type Packing, unpacked } from '../numeric/n-bit-weights.ts'
import { elementsOf, isData, layerOf, weightOf } from '../numeric/weight.ts'
import type { InferenceContext, LayerContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'

/** Look-ups in tables that are quantised in blocks: inputs data, indices, scales and zero points. */

/** Codes in one element of the stored table: several where they are packed in bytes. */
function codesPerElement(context: Pick<InferenceContext, 'node' | 'input' | 'fail'>): number {
  const bits = intAttribute(context.node, 'bits', 4)
  if (![2, 4, 8].includes(bits)) context.fail(`bits is ${bits}`)
  return context.input(0)?.type === 'uint8' ? 8 / bits : 1
}

function inferGatherBlockQuantized(context: InferenceContext) {
  const { shape } = requiredInput(context, 0)
  const indices = requiredInput(context, 1).shape
  const { type } = requiredInput(context, 2)
  if (shape === null || indices === null || shape.length === 0) return [infoOf(type, null)]
  const axis = normalizeAxis(context, intAttribute(context.node, 'gather_axis', 0), shape.length)
  const packed = shape[shape.length - 1]
  const table = shape.with(-1, packed === null ? null : packed * codesPerElement(context))
  return [infoOf(type, [...table.slice(0, axis), ...indices, ...table.slice(axis + 1)])]
}

/** The dequantised table, where rows of whole blocks are looked up in bytes. */
function quantizedEmbeddingLayers(context: LayerContext): readonly LayerSpec[] {
  const table = weightOf(context.input(0))
  const indices = context.input(1)
  const scales = weightOf(context.input(2))
  const zeroPoints = context.input(3)
  const axes = ['gather_axis', 'quantize_axis'].map((name, i) => intAttribute(context.node, name, i))
  const isPlain = table?.dims.length === 2 && axes[0] === 0 && (axes[1] === 1 || axes[1] === -1)
  if (!isPlain || table.operand.type !== 'uint8' || !isData(indices) || scales === null || isData(zeroPoints))
    return []
  const blockSize = intAttribute(context.node, 'block_size', 128)
  const bits = intAttribute(context.node, 'bits', 4)
  const columns = table.dims[1] * codesPerElement(context)
  if (!(blockSize >= 1) || columns % blockSize !== 0) return []
  const packing: Packing = {
    rows: table.dims[0],
    columns,
    bits,
    blockSize,
    blocksPerRow: columns / blockSize,
  }
  const load = () => {
    const zeros = zeroPoints === null ? null : elementsOf(zeroPoints)
    return unpacked(context, packing, elementsOf(table.operand).data, elementsOf(scales.operand).data, zeros)
  }
  const { rows } = packing
  const operator = {
    form: 'matrix',
    rows,
    columns,
    blocks: 1,
    arrangement: 'diagonal',
    factor: 1,
    load,
  } as const
  return [layerOf(indices, table, operator, { kind: 'embedding', asStored: false })]
}

export const quantizedGatherOperators = [
  {
    op: 'GatherBlockQuantized',
    without: 'looks up rows of a table by ids, which have no distance',
    domain: 'com.microsoft',
    infer: inferGatherBlockQuantized,
    layers: quantizedEmbeddingLayers,
  },
] satisfies readonly Operator[]
