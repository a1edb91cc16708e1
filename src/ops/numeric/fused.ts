import type { ElementType } from '../../core/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import type { InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { biasedRules } from '../rules/biased.ts'
import { broadcastShapes } from '../shape/broadcast.ts'
import { infoOf, likeFirstInput, requiredInput } from '../shape/operands.ts'
import { checkedInfo } from './checked-info.ts'

/** The first half of the last axis gates the second. */
function inferSplitGelu(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const last = shape?.at(-1) ?? null
  return [checkedInfo(context, type, shape && [...shape.slice(0, -1), last && last / 2])]
}

/** The data, and a mask: one truth value for each element, or bits packed into a vector. */
function inferMasked(maskType: ElementType, asData: boolean): (context: InferenceContext) => ValueInfo[] {
  return (context) => {
    const { type, shape } = requiredInput(context, 0)
    return [infoOf(type, shape), infoOf(maskType, asData ? shape : [null])]
  }
}

/** Whether the node may train: whether the flag at this input is given. */
function trains(flag: number): (node: Node) => boolean {
  return (node) => (node.inputs[flag] ?? null) !== null
}

function inferComplex(context: InferenceContext): ValueInfo[] {
  const [a, b] = [requiredInput(context, 0), requiredInput(context, 1)]
  return [infoOf(a.type, broadcastShapes(context, [a.shape, b.shape]))]
}

/** Distances between the rows of [m, k] and [n, k]. */
function inferDistances(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  return [infoOf(type, [shape?.[0] ?? null, requiredInput(context, 1).shape?.[0] ?? null])]
}

const microsoft = { domain: 'com.microsoft' }

/** Small operators that ONNX Runtime fuses out of standard ones. */
export const fusedOperators: readonly Operator[] = [
  { op: 'BiasSoftmax', bound: biasedRules.BiasSoftmax, ...microsoft, infer: likeFirstInput },
  { op: 'BiasAdd', bound: biasedRules.BiasAdd, ...microsoft, infer: likeFirstInput },
  {
    op: 'BiasDropout',
    bound: biasedRules.BiasDropout,
    draws: trains(4),
    ...microsoft,
    infer: inferMasked('bool', true),
  },
  {
    op: 'BitmaskBiasDropout',
    bound: biasedRules.BiasDropout,
    draws: trains(4),
    ...microsoft,
    infer: inferMasked('uint32', false),
  },
  {
    op: 'BitmaskDropout',
    bound: biasedRules.BitmaskDropout,
    draws: trains(2),
    ...microsoft,
    infer: inferMasked('uint32', false),
  },
  { op: 'BiasSplitGelu', bound: biasedRules.BiasSplitGelu, ...microsoft, infer: inferSplitGelu },
  { op: 'ComplexMul', bound: biasedRules.ComplexMul, ...microsoft, infer: inferComplex },
  { op: 'ComplexMulConj', bound: biasedRules.ComplexMul, ...microsoft, infer: inferComplex },
  {
    op: 'Inverse',
    without: 'inverts matrices: not Lipschitz near singular ones, which no range of elements excludes',
    ...microsoft,
    infer: likeFirstInput,
  },
  { op: 'CDist', bound: biasedRules.CDist, ...microsoft, infer: inferDistances },
]
