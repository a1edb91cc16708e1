import type { InferenceContext, Operator, ValueInfo } from '../operator.ts'
import { infoOf, likeFirstInput, requiredInput } from '../shape/operands.ts'
import { checkedInfo } from './checked-info.ts'

/** The first half of the last axis gates the second. */
function inferSplitGelu(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const last = shape?.at(-1) ?? null
  return [checkedInfo(context, type, shape && [...shape.slice(0, -1), last && last / 2])]
}

function inferBiasDropout(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  return [infoOf(type, shape), infoOf('bool', shape)]
}

/** Distances between the rows of [m, k] and [n, k]. */
function inferDistances(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  return [infoOf(type, [shape?.[0] ?? null, requiredInput(context, 1).shape?.[0] ?? null])]
}

const microsoft = { domain: 'com.microsoft' }

/** Small operators that ONNX Runtime fuses out of standard ones. */
export const fusedOperators: readonly Operator[] = [
  { op: 'BiasSoftmax', ...microsoft, infer: likeFirstInput },
  { op: 'BiasAdd', ...microsoft, infer: likeFirstInput },
  { op: 'BiasDropout', ...microsoft, infer: inferBiasDropout },
  { op: 'BiasSplitGelu', ...microsoft, infer: inferSplitGelu },
  { op: 'ComplexMul', ...microsoft, infer: likeFirstInput },
  { op: 'Inverse', ...microsoft, infer: likeFirstInput },
  { op: 'CDist', ...microsoft, infer: inferDistances },
]
