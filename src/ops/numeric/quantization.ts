import type { ElementType, Tensor } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import { integerRange, isIntegerType, rounderOf, roundHalfEven } from '../fold/element.ts'
import type { FoldingContext, InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { quantizationRules } from '../rules/quantization.ts'
import { elementTypeOf } from '../shape/element-codes.ts'
import { infoOf, knownOutput, requiredInput, requiredTensor } from '../shape/operands.ts'

interface AttributeContext {
  readonly node: FoldingContext['node']
  fail(message: string): never
}

/** `output_dtype` (0 and absent: not given). */
function outputType(context: AttributeContext): ElementType | null {
  const code = intAttribute(context.node, 'output_dtype', 0)
  return code === 0 ? null : elementTypeOf(context, code)
}

/** QuantizeLinear: the zero point's type, else `output_dtype`, else uint8. */
function inferQuantize(context: InferenceContext): ValueInfo[] {
  checkScale(context)
  const type = context.input(2) === null ? (outputType(context) ?? 'uint8') : (context.input(2)?.type ?? null)
  return [infoOf(type, requiredInput(context, 0).shape)]
}

function inferDequantize(context: InferenceContext): ValueInfo[] {
  checkScale(context)
  return [infoOf(outputType(context) ?? requiredInput(context, 1).type, requiredInput(context, 0).shape)]
}

/** Scales are one number, one per index of `axis`, or one per block of `block_size` along it. */
function checkScale(context: InferenceContext): void {
  const { shape } = requiredInput(context, 0)
  const scale = requiredInput(context, 1).shape
  if (shape === null || scale === null || scale.length === 0) return
  if (scale.length === 1 && (scale[0] === 1 || scale[0] === null)) return
  const axis = quantizedAxis(context, shape.length)
  if (intAttribute(context.node, 'block_size', 0) > 0) return
  const dim = shape[axis]
  if (scale.length !== 1) context.fail(`a scale of rank ${scale.length} without block_size`)
  if (dim !== null && dim !== scale[0]) context.fail(`${scale[0]} scales for an axis of ${dim}`)
}

/** The axis that scales run along: `axis`, default 1. */
function quantizedAxis(context: AttributeContext, rank: number): number {
  const axis = intAttribute(context.node, 'axis', 1)
  const normalized = axis < 0 ? axis + rank : axis
  return normalized >= 0 && normalized < rank
    ? normalized
    : context.fail(`axis ${axis} is out of range for rank ${rank}`)
}

/** Visits runs of elements: elements start … start + length use the scales scale, scale + step, … . */
type RunVisitor = (start: number, length: number, scale: number, step: 0 | 1) => void

function eachRun(context: FoldingContext, x: Tensor, scale: Tensor, visit: RunVisitor): void {
  if (scale.data.length === 1) {
    visit(0, x.data.length, 0, 0)
    return
  }
  const axis = quantizedAxis(context, x.dims.length)
  const length = x.dims[axis]
  const inner = x.dims.slice(axis + 1).reduce((size, dim) => size * dim, 1)
  const outer = x.dims.slice(0, axis).reduce((size, dim) => size * dim, 1)
  const blockSize = intAttribute(context.node, 'block_size', 0)
  const blocks = blockSize > 0 ? Math.ceil(length / blockSize) : length
  const expected = blockSize > 0 ? outer * blocks * inner : length
  if (scale.data.length !== expected) context.fail(`${scale.data.length} scales instead of ${expected}`)
  for (let item = 0; item < outer; item++) {
    const first = item * length * inner
    if (blockSize > 0) {
      for (let i = 0; i < length; i++) {
        visit(first + i * inner, inner, (item * blocks + Math.floor(i / blockSize)) * inner, 1)
      }
    } else if (inner === 1) visit(first, length, 0, 1)
    else for (let i = 0; i < length; i++) visit(first + i * inner, inner, i, 0)
  }
}

/** Zero points as the scales stand: absent, all 0. */
function zerosLike(context: FoldingContext, scale: Tensor): ArrayLike<number> {
  const zeroPoint = context.inputs[2] ?? null
  if (zeroPoint === null) return new Float32Array(scale.data.length)
  const { data } = zeroPoint
  if (data.length === scale.data.length) return data
  return context.fail(`${data.length} zero points for ${scale.data.length} scales`)
}

/** scale·(x − zero point), rounded once to the output's type. */
function foldDequantize(context: FoldingContext): readonly Tensor[] | null {
  const output = knownOutput(context)
  if (output === null) return null
  const [x, scale] = [requiredTensor(context, 0), requiredTensor(context, 1)]
  const zeros = zerosLike(context, scale)
  const target = context.allocate(output.type, output.dims)
  const round = rounderOf(output.type)
  eachRun(context, x, scale, (start, length, from, step) => {
    for (let i = start, s = from; i < start + length; i++, s += step) {
      target.data[i] = round(scale.data[s] * (x.data[i] - zeros[s]))
    }
  })
  return [target]
}

/** x / scale to the nearest integer, ties to even, plus the zero point, saturated; floats are rounded to their type. */
function foldQuantize(context: FoldingContext): readonly Tensor[] | null {
  const output = knownOutput(context)
  if (output === null) return null
  const [x, scale] = [requiredTensor(context, 0), requiredTensor(context, 1)]
  const zeros = zerosLike(context, scale)
  const target = context.allocate(output.type, output.dims)
  const { type } = output
  const single = x.data instanceof Float32Array ? Math.fround : (quotient: number) => quotient
  const quantize = isIntegerType(type) ? saturated(type) : roundedTo(type)
  eachRun(context, x, scale, (start, length, from, step) => {
    for (let i = start, s = from; i < start + length; i++, s += step) {
      target.data[i] = quantize(single(x.data[i] / scale.data[s]), zeros[s])
    }
  })
  return [target]
}

function saturated(type: Parameters<typeof integerRange>[0]): (quotient: number, zero: number) => number {
  const { lowest, highest } = integerRange(type)
  return (quotient, zero) => Math.min(Math.max(roundHalfEven(quotient) + zero, lowest), highest)
}

function roundedTo(type: ElementType): (quotient: number, zero: number) => number {
  const round = rounderOf(type)
  return (quotient, zero) => round(quotient + zero)
}

/** Outputs y, its scale and its zero point. */
function inferDynamicQuantize(context: InferenceContext): ValueInfo[] {
  return [infoOf('uint8', requiredInput(context, 0).shape), infoOf('float32', []), infoOf('uint8', [])]
}

const quantize = { infer: inferQuantize, fold: foldQuantize }
const dequantize = { infer: inferDequantize, fold: foldDequantize }

export const quantizations: readonly Operator[] = [
  { op: 'QuantizeLinear', bound: quantizationRules.QuantizeLinear, since: 10, ...quantize },
  { op: 'DequantizeLinear', bound: quantizationRules.DequantizeLinear, since: 10, ...dequantize },
  {
    op: 'DynamicQuantizeLinear',
    bound: quantizationRules.DynamicQuantizeLinear,
    since: 11,
    infer: inferDynamicQuantize,
  },
  { op: 'QuantizeLinear', bound: quantizationRules.QuantizeLinear, domain: 'com.microsoft', ...quantize },
  {
    op: 'DequantizeLinear',
    bound: quantizationRules.DequantizeLinear,
    domain: 'com.microsoft',
    ...dequantize,
  },
]
