import type { Shape, Tensor } from '../../core/tensor.ts'
import { floatAttribute, intAttribute } from '../../graph/attribute.ts'
import { zipElements } from '../fold/elementwise.ts'
import type { AffineAxes, LayerSpec } from '../layer.ts'
import type { FoldingContext, InferenceContext, LayerContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { fusedRules } from '../rules/fused.ts'
import { linearRules } from '../rules/linear.ts'
import { broadcastTo } from '../shape/broadcast.ts'
import { commonType, infoOf, knownOutput, requiredInput, requiredTensor } from '../shape/operands.ts'
import { multiplyMatrices, transposedMatrix } from './matrix-fold.ts'
import { contractionLayer } from './matrix-layers.ts'
import { productShape, swapped } from './matrix-shape.ts'
import { affine, isData, weightOf } from './weight.ts'

/** Y = α·A′·B′ + β·C for matrices; A′ and B′ are transposed where the attributes say so. */
function inferGemm(context: InferenceContext): ValueInfo[] {
  const a = matrixShape(context, 0, 'transA')
  const b = matrixShape(context, 1, 'transB')
  const shape = productShape(context, a ?? [null, null], b ?? [null, null])
  const bias = context.input(2)
  if (bias !== null && context.node.version >= 7) broadcastTo(context, bias.shape, shape)
  return [infoOf(commonType(context, [0, 1]), shape)]
}

function matrixShape(context: InferenceContext, i: number, transpose: string): Shape | null {
  const { shape } = requiredInput(context, i)
  if (shape !== null && shape.length !== 2) context.fail(`operand ${i} of rank ${shape.length} is no matrix`)
  const flag = intAttribute(context.node, transpose, 0)
  if (flag !== 0 && flag !== 1) context.fail(`${transpose} is ${flag}`)
  return flag === 1 ? swapped(shape) : shape
}

function gemmLayers(context: LayerContext): readonly LayerSpec[] {
  for (const [dataIndex, weightIndex, transpose] of [
    [0, 1, 'transB'],
    [1, 0, 'transA'],
  ] as const) {
    const data = context.input(dataIndex)
    const weight = weightOf(context.input(weightIndex))
    if (!isData(data) || weight?.dims.length !== 2) continue
    // B is contracted along its first axis, A along its last, unless they are transposed.
    const contractedFirst = (weightIndex === 1) !== (intAttribute(context.node, transpose, 0) === 1)
    const roles = contractedFirst
      ? (['contracted', 'created'] as const)
      : (['created', 'contracted'] as const)
    return [contractionLayer(data, weight, roles, floatAttribute(context.node, 'alpha', 1))]
  }
  return []
}

function foldGemm(context: FoldingContext): readonly Tensor[] | null {
  const output = knownOutput(context)
  if (output === null) return null
  const { node } = context
  const [a, b] = ['transA', 'transB'].map((transpose, i) => {
    const operand = requiredTensor(context, i)
    return intAttribute(node, transpose, 0) === 1 ? transposedMatrix(operand) : operand
  })
  const product = multiplyMatrices(a, b, context.allocate('float64', output.dims))
  if (product === null) return null
  const alpha = floatAttribute(node, 'alpha', 1)
  const beta = floatAttribute(node, 'beta', 1)
  const bias = context.inputs[2] ?? { type: output.type, dims: [], data: new Float32Array(1) }
  const target = context.allocate(output.type, output.dims)
  return [zipElements(product, bias, target, (x, c) => alpha * x + beta * c)]
}

/** As of a matrix product; transposed data turn their axis of contraction. */
function gemmAxes(context: LayerContext): AffineAxes {
  const turned = (name: string) => intAttribute(context.node, name, 0) === 1
  if (isData(context.input(0))) return { input: turned('transA') ? -2 : -1, output: -1 }
  return { input: turned('transB') ? -1 : -2, output: -2 }
}

export const gemms: readonly Operator[] = [
  {
    op: 'Gemm',
    bound: linearRules.Gemm,
    infer: inferGemm,
    fold: foldGemm,
    layers: affine(gemmLayers, gemmAxes),
  },
  {
    op: 'FusedGemm',
    bound: fusedRules.FusedGemm,
    domain: 'com.microsoft',
    infer: inferGemm,
    layers: gemmLayers,
  },
]
