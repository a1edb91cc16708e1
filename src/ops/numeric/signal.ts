import type { Dim } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { fourierRules } from '../rules/fourier.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { knownScalarOf } from '../shape/integers.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'
import { checkedInfo } from './checked-info.ts'

/** Frequencies of a real signal of this length, when only the distinct ones are kept. */
function halved(length: Dim): Dim {
  return length === null ? null : Math.floor(length / 2) + 1
}

/**
 * DFT of [batch, …, 1 or 2]: the transformed axis gets `dft_length`, the last one 2 (re, im). `onesided` keeps half
 * of the frequencies; with `inverse` it makes a real signal of them. The axis is an attribute before version 20.
 */
function inferDft(context: InferenceContext): ValueInfo[] {
  const { node } = context
  const { type, shape } = requiredInput(context, 0)
  if (shape === null) return [infoOf(type, null)]
  if (shape.length < 2) context.fail(`a signal of rank ${shape.length}`)
  const given =
    node.version < 20
      ? intAttribute(node, 'axis', 1)
      : context.input(2) === null
        ? -2
        : knownScalarOf(context.input(2))
  if (given === null)
    return [
      checkedInfo(
        context,
        type,
        shape.map(() => null),
      ),
    ]
  const axis = normalizeAxis(context, given, shape.length)
  const oneSided = intAttribute(node, 'onesided', 0) === 1
  const inverse = intAttribute(node, 'inverse', 0) === 1
  const length = context.input(1) === null ? shape[axis] : knownScalarOf(context.input(1))
  const isReal = oneSided && inverse
  const full =
    isReal && context.input(1) === null ? (shape[axis] === null ? null : 2 * (shape[axis] - 1)) : length
  const last = shape.length - 1
  return [
    checkedInfo(
      context,
      type,
      shape.map((dim, i) => {
        if (i === axis) return oneSided && !inverse ? halved(length) : full
        return i === last ? (isReal ? 1 : 2) : dim
      }),
    ),
  ]
}

/** STFT of [batch, length, 1 or 2]: [batch, frames, frequencies, 2]. */
function inferStft(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const step = knownScalarOf(context.input(1))
  const window = context.input(2)?.shape?.[0] ?? null
  const frame = context.input(3) === null ? window : knownScalarOf(context.input(3))
  const length = shape?.[1] ?? null
  const known = length !== null && frame !== null && step !== null
  if (known && !(step >= 1 && frame <= length))
    context.fail(`frames of ${frame} at steps of ${step} in ${length} samples`)
  const frames = known ? Math.floor((length - frame) / step) + 1 : null
  const frequencies = intAttribute(context.node, 'onesided', 1) === 1 ? halved(frame) : frame
  return [checkedInfo(context, type, [shape?.[0] ?? null, frames, frequencies, 2])]
}

function inferTypeAlone(context: InferenceContext): ValueInfo[] {
  return [infoOf(requiredInput(context, 0).type, null)]
}

export const signals: readonly Operator[] = [
  { op: 'DFT', bound: fourierRules.DFT, since: 17, infer: inferDft },
  { op: 'STFT', bound: fourierRules.STFT, since: 17, infer: inferStft },
  { op: 'Rfft', bound: fourierRules.Rfft, domain: 'com.microsoft', infer: inferTypeAlone },
  { op: 'Irfft', bound: fourierRules.Irfft, domain: 'com.microsoft', infer: inferTypeAlone },
]
