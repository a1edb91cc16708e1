import type { FloatArray, Tensor } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { MatrixOperator } from '../../linalg/linear-operator.ts'
import type { LayerSpec } from '../layer.ts'
import type { InferenceContext, LayerContext, ValueInfo } from '../operand.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'
import { productShape } from './matrix-shape.ts'
import { elementsOf, isData, layerOf, weightOf } from './weight.ts'

/** A matrix of N rows and K columns, quantised in blocks along K. */
export interface Packing {
  readonly rows: number
  readonly columns: number
  readonly bits: number
  readonly blockSize: number
  readonly blocksPerRow: number
}

function packingOf(context: Pick<LayerContext, 'node' | 'fail'>): Packing {
  const attribute = (name: string, fallback: number) => intAttribute(context.node, name, fallback)
  const [rows, columns] = [attribute('N', 0), attribute('K', 0)]
  const [bits, blockSize] = [attribute('bits', 4), attribute('block_size', 0)]
  if (!(rows >= 1 && columns >= 1 && blockSize >= 1)) {
    context.fail(`N is ${rows}, K is ${columns}, block_size is ${blockSize}`)
  }
  if (![2, 4, 8].includes(bits)) context.fail(`bits is ${bits}`)
  return { rows, columns, bits, blockSize, blocksPerRow: Math.ceil(columns / blockSize) }
}

export function inferNBits(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const { rows, columns } = packingOf(context)
  return [infoOf(type, productShape(context, shape, [columns, rows]))]
}

/** The dequantised matrix; none where groups are permuted (g_idx) or the weights are packed for one runtime. */
export function nBitLayers(context: LayerContext): readonly LayerSpec[] {
  const data = context.input(0)
  const weight = weightOf(context.input(1))
  const scales = weightOf(context.input(2))
  const zeroPoints = context.input(3)
  const foreign = context.input(4) !== null || intAttribute(context.node, 'weight_prepacked', 0) !== 0
  if (!isData(data) || weight === null || scales === null || isData(zeroPoints) || foreign) return []
  const packing = packingOf(context)
  const operator: MatrixOperator = {
    form: 'matrix',
    rows: packing.rows,
    columns: packing.columns,
    blocks: 1,
    arrangement: 'diagonal',
    input: 'columns',
    factor: 1,
    load: () => {
      const zeros = zeroPoints === null ? null : elementsOf(zeroPoints)
      return unpacked(
        context,
        packing,
        elementsOf(weight.operand).data,
        elementsOf(scales.operand).data,
        zeros,
      )
    },
  }
  return [layerOf(data, weight, operator, { kind: 'dense', asStored: false })]
}

/** scale·(code − zero point) for all rows and columns; codes stand in bytes from the lowest bits up. */
export function unpacked(
  context: LayerContext,
  packing: Packing,
  bytes: FloatArray,
  scales: FloatArray,
  zeroPoints: Tensor | null,
): FloatArray {
  const { rows, columns, bits, blockSize, blocksPerRow } = packing
  const bytesPerBlock = Math.ceil((blockSize * bits) / 8)
  if (bytes.length !== rows * blocksPerRow * bytesPerBlock || scales.length !== rows * blocksPerRow) {
    context.fail(
      `${bytes.length} bytes and ${scales.length} scales do not hold ${rows}×${columns} weights of ${bits} bits`,
    )
  }
  const zeroOf = zeroPointReader(context, packing, zeroPoints)
  const perByte = 8 / bits
  const mask = 2 ** bits - 1
  const result = new Float64Array(rows * columns)
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocksPerRow; block++) {
      const scale = scales[row * blocksPerRow + block]
      const zero = zeroOf(row, block)
      const first = (row * blocksPerRow + block) * bytesPerBlock
      const end = Math.min(columns, (block + 1) * blockSize)
      for (let column = block * blockSize, i = 0; column < end; column++, i++) {
        const code = (bytes[first + Math.floor(i / perByte)] >> (bits * (i % perByte))) & mask
        result[row * columns + column] = scale * (code - zero)
      }
    }
  }
  return result
}

/** Zero points: absent, the middle of the codes; bytes, packed row by row like the codes; floats, one per block. */
function zeroPointReader(
  context: LayerContext,
  { rows, bits, blocksPerRow }: Packing,
  zeroPoints: Tensor | null,
): (row: number, block: number) => number {
  if (zeroPoints === null) return () => 2 ** (bits - 1)
  const { data } = zeroPoints
  if (zeroPoints.type !== 'uint8') {
    if (data.length !== rows * blocksPerRow)
      context.fail(`${data.length} zero points for ${rows * blocksPerRow} blocks`)
    return (row, block) => data[row * blocksPerRow + block]
  }
  const perByte = 8 / bits
  const bytesPerRow = Math.ceil(blocksPerRow / perByte)
  if (data.length !== rows * bytesPerRow) context.fail(`${data.length} bytes of zero points for ${rows} rows`)
  return (row, block) => {
    const byte = data[row * bytesPerRow + Math.floor(block / perByte)]
    return (byte >> (bits * (block % perByte))) & (2 ** bits - 1)
  }
}
