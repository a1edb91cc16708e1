import { type Dim, stridesOf } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import { copyStrided } from '../fold/strided.ts'
import type { FoldingContext, InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { splitting } from '../rules/movement.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { dimOf } from '../shape/integers.ts'
import { infoOf, requiredInput, requiredTensor } from '../shape/operands.ts'
import {
  allKnown,
  attributeIntegers,
  foldedParameters,
  type IntegerParameter,
  inferredParameters,
  type Parameters,
} from '../shape/parameters.ts'

/** The sizes asked for: the attribute (before opset 13, Split-1 also knows an input) or the second input. */
function requestedSizes(parameters: Parameters): IntegerParameter {
  if (parameters.node.version >= 13) return parameters.integers(1)
  const sizes = attributeIntegers(parameters, 'split')
  return sizes === 'absent' && parameters.node.version < 2 ? parameters.integers(1) : sizes
}

/** Lengths of the parts along the split axis, null where not known. */
function partSizes(parameters: Parameters, dim: Dim): Dim[] {
  const parts = parameters.node.outputs.length
  const sizes = requestedSizes(parameters)
  if (sizes === null) return new Array<Dim>(parts).fill(null)
  if (sizes === 'absent') return equalParts(parameters, dim, parts)
  if (sizes.length !== parts) parameters.fail(`${sizes.length} sizes for ${parts} outputs`)
  if (sizes.some((size) => size < 0)) parameters.fail(`sizes [${sizes.join(',')}] are not all at least 0`)
  const sum = sizes.reduce((total, size) => total + size, 0)
  if (dim !== null && allKnown(sizes) && sum !== dim) {
    parameters.fail(`sizes [${sizes.join(',')}] do not sum to ${dim}`)
  }
  return sizes.map(dimOf)
}

/** Equal parts; from opset 18 on the last one may be smaller. */
function equalParts(parameters: Parameters, dim: Dim, parts: number): Dim[] {
  const named = intAttribute(parameters.node, 'num_outputs', parts)
  if (named !== parts) parameters.fail(`num_outputs is ${named}, the node has ${parts} outputs`)
  if (dim === null) return new Array<Dim>(parts).fill(null)
  if (parameters.node.version < 18 && dim % parts !== 0) {
    parameters.fail(`axis of length ${dim} does not split into ${parts} equal parts`)
  }
  const chunk = Math.ceil(dim / parts)
  const last = dim - (parts - 1) * chunk
  if (last < 0) parameters.fail(`axis of length ${dim} does not split into ${parts} parts of ${chunk}`)
  return new Array<Dim>(parts).fill(chunk).with(-1, last)
}

function inferSplit(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  if (shape === null) return context.node.outputs.map(() => infoOf(type, null))
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', 0), shape.length)
  return partSizes(inferredParameters(context), shape[axis]).map((size) =>
    infoOf(type, shape.with(axis, size)),
  )
}

function foldSplit(context: FoldingContext) {
  const source = requiredTensor(context, 0)
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', 0), source.dims.length)
  const sizes = partSizes(foldedParameters(context), source.dims[axis])
  if (sizes.includes(null)) return null
  const strides = stridesOf(source.dims)
  let start = 0
  return (sizes as number[]).map((size) => {
    const dims = source.dims.with(axis, size)
    const target = context.allocate(source.type, dims)
    copyStrided(
      dims,
      { data: source.data, offset: start * strides[axis], strides },
      { data: target.data, offset: 0, strides: stridesOf(dims) },
    )
    start += size
    return target
  })
}

export const splitOperators = [
  { op: 'Split', bound: splitting, infer: inferSplit, fold: foldSplit },
] satisfies readonly Operator[]
