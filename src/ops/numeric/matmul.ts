import type { Shape, Tensor } from '../../core/tensor.ts'
import { floatAttribute, intAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import type { AffineAxes, LayerSpec } from '../layer.ts'
import type { FoldingContext, InferenceContext, LayerContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { fusedRules } from '../rules/fused.ts'
import { linearRules } from '../rules/linear.ts'
import { multiplicativeRules } from '../rules/multiplicative.ts'
import { commonType, infoOf, knownOutput, requiredInput, requiredTensor } from '../shape/operands.ts'
import { multiplyMatrices } from './matrix-fold.ts'
import { contractionLayer, productRoles, type Side } from './matrix-layers.ts'
import { batchFirst, productShape, swapped } from './matrix-shape.ts'
import { affine, isData, weightOf } from './weight.ts'

/** How a fused product arranges its operands and scales the result. */
interface Arrangement {
  readonly transposed: readonly [boolean, boolean]
  readonly batchBehindRows: readonly [boolean, boolean]
  readonly factor: number
}

function arrangementOf(node: Node): Arrangement {
  const flag = (name: string) => intAttribute(node, name, 0) !== 0
  return {
    transposed: [flag('transA'), flag('transB')],
    batchBehindRows: [flag('transBatchA'), flag('transBatchB')],
    factor: floatAttribute(node, 'alpha', 1),
  }
}

function arrange(shape: Shape | null, arrangement: Arrangement, operand: 0 | 1): Shape | null {
  const batched = arrangement.batchBehindRows[operand] ? batchFirst(shape) : shape
  return arrangement.transposed[operand] ? swapped(batched) : batched
}

function inferProduct(context: InferenceContext): ValueInfo[] {
  const a = requiredInput(context, 0).shape
  const b = requiredInput(context, 1).shape
  return [infoOf(commonType(context, [0, 1]), productShape(context, a, b))]
}

function inferFused(context: InferenceContext): ValueInfo[] {
  const arrangement = arrangementOf(context.node)
  const a = arrange(requiredInput(context, 0).shape, arrangement, 0)
  const b = arrange(requiredInput(context, 1).shape, arrangement, 1)
  return [infoOf(commonType(context, [0, 1]), productShape(context, a, b))]
}

/** The layer of a product of one constant and one data operand. */
function productLayers(context: LayerContext): readonly LayerSpec[] {
  return layersWith(context, { transposed: [false, false], batchBehindRows: [false, false], factor: 1 })
}

function layersWith(context: LayerContext, arrangement: Arrangement): readonly LayerSpec[] {
  const sides: readonly (readonly [0 | 1, 0 | 1, Side])[] = [
    [0, 1, 'right'],
    [1, 0, 'left'],
  ]
  for (const [dataIndex, weightIndex, side] of sides) {
    const data = context.input(dataIndex)
    const weight = weightOf(context.input(weightIndex))
    if (!isData(data) || weight === null) continue
    const shape = arrange(data.shape, arrangement, dataIndex)
    const behind = arrangement.batchBehindRows[weightIndex] && weight.dims.length > 2
    const dims = behind ? (batchFirst(weight.dims) as readonly number[]) : weight.dims
    const roles = productRoles(dims, shape, side, arrangement.transposed[weightIndex])
    if (roles === null) continue
    // Back to the axes as stored: rows stand before the batch there.
    const stored = behind ? [roles[roles.length - 2], ...roles.slice(0, -2), roles[roles.length - 1]] : roles
    return [contractionLayer(data, weight, stored, arrangement.factor)]
  }
  return []
}

function foldProduct(context: FoldingContext): readonly Tensor[] | null {
  const output = knownOutput(context)
  if (output === null) return null
  const product = multiplyMatrices(
    requiredTensor(context, 0),
    requiredTensor(context, 1),
    context.allocate(output.type, output.dims),
  )
  return product && [product]
}

/** One determinant per matrix. */
function inferDeterminant(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  if (shape !== null && shape.length < 2) context.fail(`an operand of rank ${shape.length} is no matrix`)
  return [infoOf(type, shape === null ? null : shape.slice(0, -2))]
}

const fusedProduct = {
  domain: 'com.microsoft',
  infer: inferFused,
  layers: (context: LayerContext) => layersWith(context, arrangementOf(context.node)),
}

/** Rows of data on the left meet the weights' rows, columns of data on the right their columns. */
function productAxes(context: LayerContext): AffineAxes {
  return isData(context.input(0)) ? { input: -1, output: -1 } : { input: -2, output: -2 }
}

export const products: readonly Operator[] = [
  {
    op: 'MatMul',
    bound: linearRules.MatMul,
    infer: inferProduct,
    fold: foldProduct,
    layers: affine(productLayers, productAxes),
  },
  { op: 'Det', bound: multiplicativeRules.Det, since: 11, infer: inferDeterminant },
  { op: 'FusedMatMul', bound: fusedRules.FusedMatMul, ...fusedProduct },
  { op: 'TransposeMatMul', bound: fusedRules.FusedMatMul, ...fusedProduct },
  { op: 'FusedMatMulActivation', bound: fusedRules.FusedMatMulActivation, ...fusedProduct },
  {
    op: 'GemmFastGelu',
    bound: fusedRules.GemmFastGelu,
    domain: 'com.microsoft',
    infer: inferProduct,
    layers: productLayers,
  },
]
