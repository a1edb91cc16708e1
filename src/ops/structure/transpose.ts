import { type Shape, stridesOf, type Tensor } from '../../core/tensor.ts'
import { intAttribute, intsAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import { copyStrided } from '../fold/strided.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { selection, transposing } from '../rules/movement.ts'
import { allAxes, checkPermutation } from '../shape/axes.ts'
import { formatShape } from '../shape/broadcast.ts'
import { infoOf, requiredInput, requiredTensor, shapeOfRank } from '../shape/operands.ts'
import type { Refusing } from '../shape/refusing.ts'

/** Operators that permute elements. */

function permutationOf(context: Refusing, node: Node, rank: number): readonly number[] {
  const perm = intsAttribute(node, 'perm', allAxes(rank).reverse())
  checkPermutation(context, perm, rank)
  return perm
}

/** The tensor with axis i of the result being axis perm[i] of the source. */
function transposed(context: FoldingContext, source: Tensor, perm: readonly number[]): Tensor {
  const dims = perm.map((axis) => source.dims[axis])
  const target = context.allocate(source.type, dims)
  const strides = stridesOf(source.dims)
  copyStrided(
    dims,
    { data: source.data, offset: 0, strides: perm.map((axis) => strides[axis]) },
    { data: target.data, offset: 0, strides: stridesOf(dims) },
  )
  return target
}

/** Splits the source's axes as `dims`, permutes them, and reads the result as `outputDims`. */
function rearranged(
  context: FoldingContext,
  dims: readonly number[],
  perm: readonly number[],
  outputDims: readonly number[],
): Tensor[] {
  const { type, data } = requiredTensor(context, 0)
  return [{ ...transposed(context, { type, dims, data }, perm), dims: outputDims }]
}

function blockSizeOf(context: Refusing & { readonly node: Node }): number {
  const block = intAttribute(context.node, 'blocksize', 0)
  return block >= 1 ? block : context.fail(`blocksize ${block} must be at least 1`)
}

/** The image dims [N, C, H, W] after dividing and multiplying channels and sides by the block. */
function imageDims(context: InferenceContext, direction: 'toSpace' | 'toDepth'): Shape {
  const shape = shapeOfRank(context, 0, 4)
  const block = blockSizeOf(context)
  const [batch, channels, height, width] = shape ?? [null, null, null, null]
  const divided = (dim: number | null, by: number) => {
    if (dim !== null && dim % by !== 0)
      context.fail(`blocksize ${block} does not divide ${formatShape(shape)}`)
    return dim === null ? null : dim / by
  }
  const times = (dim: number | null, by: number) => (dim === null ? null : dim * by)
  return direction === 'toSpace'
    ? [batch, divided(channels, block * block), times(height, block), times(width, block)]
    : [batch, times(channels, block * block), divided(height, block), divided(width, block)]
}

function foldDepthToSpace(context: FoldingContext) {
  const [batch, channels, height, width] = requiredTensor(context, 0).dims
  const block = blockSizeOf(context)
  const depth = channels / (block * block)
  const output = [batch, depth, height * block, width * block]
  return stringAttribute(context.node, 'mode', 'DCR') === 'CRD'
    ? rearranged(context, [batch, depth, block, block, height, width], [0, 1, 4, 2, 5, 3], output)
    : rearranged(context, [batch, block, block, depth, height, width], [0, 3, 4, 1, 5, 2], output)
}

function foldSpaceToDepth(context: FoldingContext) {
  const [batch, channels, height, width] = requiredTensor(context, 0).dims
  const block = blockSizeOf(context)
  const rows = height / block
  const columns = width / block
  const output = [batch, channels * block * block, rows, columns]
  return rearranged(context, [batch, channels, rows, block, columns, block], [0, 3, 5, 1, 2, 4], output)
}

export const transposeOperators = [
  {
    op: 'Transpose',
    bound: transposing,
    infer(context) {
      const { type, shape } = requiredInput(context, 0)
      const perm = intsAttribute(context.node, 'perm', null)
      if (shape === null) return [infoOf(type, perm?.map(() => null) ?? null)]
      return [
        infoOf(
          type,
          permutationOf(context, context.node, shape.length).map((axis) => shape[axis]),
        ),
      ]
    },
    fold(context) {
      const source = requiredTensor(context, 0)
      return [transposed(context, source, permutationOf(context, context.node, source.dims.length))]
    },
  },
  {
    op: 'DepthToSpace',
    bound: selection,
    infer: (context) => [infoOf(requiredInput(context, 0).type, imageDims(context, 'toSpace'))],
    fold: foldDepthToSpace,
  },
  {
    op: 'SpaceToDepth',
    bound: selection,
    infer: (context) => [infoOf(requiredInput(context, 0).type, imageDims(context, 'toDepth'))],
    fold: foldSpaceToDepth,
  },
] satisfies readonly Operator[]
