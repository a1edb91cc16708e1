import type { ElementType } from '../../core/tensor.ts'
import { floatAttribute, intAttribute } from '../../graph/attribute.ts'
import type { LayerSpec } from '../layer.ts'
import type { InferenceContext, LayerContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { fusedRules } from '../rules/fused.ts'
import { quantizationRules } from '../rules/quantization.ts'
import { quantizedRules } from '../rules/quantized.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'
import { dequantized, type QuantizationInputs } from './dequantized.ts'
import { contractionLayer, productRoles } from './matrix-layers.ts'
import { productShape, swapped } from './matrix-shape.ts'
import { inferNBits, nBitLayers } from './n-bit-weights.ts'
import { isData, weightOf } from './weight.ts'

/** Which inputs of a quantised product hold an operand and how it is quantised. */
interface QuantizedOperand extends QuantizationInputs {
  readonly operand: number
}

function inferQuantized(
  a: number,
  b: number,
  typeOf: (context: InferenceContext) => ElementType | null,
): (context: InferenceContext) => ValueInfo[] {
  return (context) => {
    const shape = productShape(context, requiredInput(context, a).shape, requiredInput(context, b).shape)
    return [infoOf(typeOf(context), shape)]
  }
}

/**
 * A product whose constant operand is quantised: the map of the real numbers that it stands for, or of the
 * integers less the zero point where the operator has no scale of its own (MatMulInteger).
 */
function quantizedLayers(
  a: QuantizedOperand,
  b: QuantizedOperand,
): (context: LayerContext) => readonly LayerSpec[] {
  return (context) => {
    for (const [from, to, side] of [
      [a, b, 'right'],
      [b, a, 'left'],
    ] as const) {
      const data = context.input(from.operand)
      const weight = weightOf(context.input(to.operand))
      if (!isData(data) || weight === null) continue
      const roles = productRoles(weight.dims, data.shape, side, false)
      if (roles === null) continue
      // One scale per column on the right, one per row on the left.
      const rank = weight.dims.length
      const axis = side === 'right' ? rank - 1 : Math.max(rank - 2, 0)
      const load = dequantized(context, weight.operand, to, axis)
      return load === null ? [] : [contractionLayer(data, weight, roles, 1, { load })]
    }
    return []
  }
}

function inferQGemm(context: InferenceContext): ValueInfo[] {
  const flipped = (name: string) => intAttribute(context.node, name, 0) === 1
  const a = requiredInput(context, 0).shape
  const b = requiredInput(context, 3).shape
  const shape = productShape(context, flipped('transA') ? swapped(a) : a, flipped('transB') ? swapped(b) : b)
  return [infoOf(context.input(8)?.type ?? 'float32', shape)]
}

/** QGemm: α·dequantised(A)′·dequantised(B)′ + C; scales of B run along its columns after transposition. */
function qGemmLayers(context: LayerContext): readonly LayerSpec[] {
  const data = context.input(0)
  const weight = weightOf(context.input(3))
  if (!isData(data) || weight?.dims.length !== 2) return []
  const axis = intAttribute(context.node, 'transB', 0) === 1 ? 0 : 1
  const load = dequantized(context, weight.operand, { scale: 4, zeroPoint: 5 }, axis)
  const alpha = floatAttribute(context.node, 'alpha', 1)
  const roles = axis === 1 ? (['contracted', 'created'] as const) : (['created', 'contracted'] as const)
  return load === null ? [] : [contractionLayer(data, weight, roles, alpha, { load })]
}

const float32 = (): ElementType => 'float32'
const int32 = (): ElementType => 'int32'

export const quantizedProducts: readonly Operator[] = [
  {
    op: 'MatMulInteger',
    bound: quantizationRules.IntegerProduct,
    since: 10,
    infer: inferQuantized(0, 1, int32),
    layers: quantizedLayers(
      { operand: 0, scale: null, zeroPoint: 2 },
      { operand: 1, scale: null, zeroPoint: 3 },
    ),
  },
  {
    op: 'QLinearMatMul',
    bound: quantizationRules.QLinearMatMul,
    since: 10,
    infer: inferQuantized(0, 3, (context) => context.input(7)?.type ?? null),
    layers: quantizedLayers({ operand: 0, scale: 1, zeroPoint: 2 }, { operand: 3, scale: 4, zeroPoint: 5 }),
  },
  {
    op: 'QGemm',
    bound: quantizationRules.QGemm,
    domain: 'com.microsoft',
    infer: inferQGemm,
    layers: qGemmLayers,
  },
  {
    op: 'MatMulInteger16',
    bound: quantizationRules.IntegerProduct,
    domain: 'com.microsoft',
    infer: inferQuantized(0, 1, int32),
    layers: quantizedLayers(
      { operand: 0, scale: null, zeroPoint: null },
      { operand: 1, scale: null, zeroPoint: null },
    ),
  },
  {
    op: 'MatMulIntegerToFloat',
    bound: quantizedRules.MatMulIntegerToFloat,
    domain: 'com.microsoft',
    infer: inferQuantized(0, 1, float32),
    layers: quantizedLayers({ operand: 0, scale: 2, zeroPoint: 4 }, { operand: 1, scale: 3, zeroPoint: 5 }),
  },
  {
    op: 'DynamicQuantizeMatMul',
    bound: quantizedRules.DynamicQuantizeMatMul,
    domain: 'com.microsoft',
    infer: inferQuantized(0, 1, float32),
    layers: quantizedLayers(
      { operand: 0, scale: null, zeroPoint: null },
      { operand: 1, scale: 2, zeroPoint: 3 },
    ),
  },
  {
    op: 'MatMulNBits',
    bound: fusedRules.MatMulNBits,
    domain: 'com.microsoft',
    infer: inferNBits,
    layers: nBitLayers,
  },
]
