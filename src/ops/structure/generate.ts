import type { ElementType, Shape } from '../../core/tensor.ts'
import { intAttribute, intsAttribute } from '../../graph/attribute.ts'
import { rounderOf } from '../fold/element.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { draws, makes } from '../rules/jumps.ts'
import { elementTypeOf } from '../shape/element-codes.ts'
import { knownScalarOf } from '../shape/integers.ts'
import {
  commonType,
  infoOf,
  knownOutput,
  requiredInput,
  requiredTensor,
  shapeOfRank,
} from '../shape/operands.ts'

/** Operators that make tensors out of a few numbers, or at random. Random ones are never folded. */

function typeFrom(
  context: InferenceContext,
  attribute: string,
  fallback: ElementType | null,
): ElementType | null {
  const code = intAttribute(context.node, attribute, null)
  return code === null ? fallback : elementTypeOf(context, code)
}

function inferEyeLike(context: InferenceContext) {
  const shape = shapeOfRank(context, 0, 2)
  return [infoOf(typeFrom(context, 'dtype', requiredInput(context, 0).type), shape ?? [null, null])]
}

function foldEyeLike(context: FoldingContext) {
  const known = knownOutput(context)
  if (known === null) return null
  const target = context.allocate(known.type, known.dims)
  const diagonal = intAttribute(context.node, 'k', 0)
  const [rows, columns] = known.dims
  for (let row = 0; row < rows; row++) {
    const column = row + diagonal
    if (column >= 0 && column < columns) target.data[row * columns + column] = 1
  }
  return [target]
}

/** A constant number of elements, at least 0; null where unknown. */
function sizeFrom(context: InferenceContext, i: number): number | null {
  const size = knownScalarOf(context.input(i))
  if (size !== null && !(size >= 0)) context.fail(`size ${size} is negative`)
  return size
}

/** Number of elements from start (included) to limit (not) in steps of delta; float32 bounds are subtracted as such. */
function rangeLength(type: ElementType | null, start: number, limit: number, delta: number): number {
  const distance = type === 'float32' ? Math.fround(limit - start) : limit - start
  return Math.max(0, Math.ceil(distance / delta))
}

function inferRange(context: InferenceContext) {
  const [start, limit, delta] = [0, 1, 2].map((i) => knownScalarOf(context.input(i)))
  if (delta === 0) context.fail('delta is 0')
  const type = commonType(context, [0, 1, 2])
  const known = start !== null && limit !== null && delta !== null
  return [infoOf(type, [known ? rangeLength(type, start, limit, delta) : null])]
}

function foldRange(context: FoldingContext) {
  const [start, limit, delta] = [0, 1, 2].map((i) => requiredTensor(context, i).data[0])
  const { type } = requiredTensor(context, 0)
  const length = rangeLength(type, start, limit, delta)
  if (Number.isNaN(length)) return null
  const target = context.allocate(type, [length])
  const round = rounderOf(type)
  for (let i = 0; i < length; i++) target.data[i] = round(start + i * delta)
  return [target]
}

function inferWindow(context: InferenceContext) {
  return [infoOf(typeFrom(context, 'output_datatype', 'float32'), [sizeFrom(context, 0)])]
}

/** Σ aₙ cos(2πnk/N) over the given cosine coefficients, N the size, or one less when symmetric. */
function foldWindow(coefficients: readonly number[]) {
  return (context: FoldingContext) => {
    const known = knownOutput(context)
    if (known === null) return null
    const [size] = known.dims
    const target = context.allocate(known.type, known.dims)
    const round = rounderOf(known.type)
    const period = intAttribute(context.node, 'periodic', 1) !== 0 ? size : size - 1
    for (let k = 0; k < size; k++) {
      const angle = period === 0 ? 0 : (2 * Math.PI * k) / period
      target.data[k] = round(coefficients.reduce((sum, a, n) => sum + a * Math.cos(n * angle), 0))
    }
    return [target]
  }
}

function inferMelWeightMatrix(context: InferenceContext) {
  const bins = sizeFrom(context, 0)
  const length = sizeFrom(context, 1)
  const type = typeFrom(context, 'output_datatype', 'float32')
  return [infoOf(type, [length === null ? null : Math.floor(length / 2) + 1, bins])]
}

/** Triangular filters, equally spaced on the mel scale 2595·log₁₀(1 + f/700) between two frequencies. */
function foldMelWeightMatrix(context: FoldingContext) {
  const known = knownOutput(context)
  if (known === null) return null
  const [bins, length, rate, lowest, highest] = [0, 1, 2, 3, 4].map((i) => requiredTensor(context, i).data[0])
  const target = context.allocate(known.type, known.dims)
  const mel = (frequency: number) => 2595 * Math.log10(1 + frequency / 700)
  const step = (mel(highest) - mel(lowest)) / (bins + 2)
  const edges = Array.from({ length: bins + 2 }, (_, i) => {
    const frequency = 700 * (10 ** ((i * step + mel(lowest)) / 2595) - 1)
    return Math.floor(((length + 1) * frequency) / rate)
  })
  if (edges.some((edge) => !(edge >= 0 && edge <= known.dims[0]))) return null
  for (let bin = 0; bin < bins; bin++) {
    const [left, center, right] = edges.slice(bin, bin + 3)
    if (center === left) target.data[center * bins + bin] = 1
    else for (let i = left; i <= center; i++) target.data[i * bins + bin] = (i - left) / (center - left)
    for (let i = center; i < right; i++) target.data[i * bins + bin] = (right - i) / (right - center)
  }
  return [target]
}

function inferRandom(context: InferenceContext) {
  const shape: Shape = intsAttribute(context.node, 'shape', [])
  if (shape.some((dim) => dim !== null && dim < 0))
    context.fail(`shape [${shape.join(',')}] has a negative entry`)
  return [infoOf(typeFrom(context, 'dtype', 'float32'), shape)]
}

function inferRandomLike(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  return [infoOf(typeFrom(context, 'dtype', type), shape)]
}

function inferMultinomial(context: InferenceContext) {
  const shape = shapeOfRank(context, 0, 2)
  const samples = intAttribute(context.node, 'sample_size', 1)
  if (samples < 0) context.fail(`sample_size ${samples} is negative`)
  return [infoOf(typeFrom(context, 'dtype', 'int32'), [shape?.[0] ?? null, samples])]
}

const random = { bound: draws, draws: () => true } as const

export const generateOperators = [
  { op: 'EyeLike', bound: makes, since: 9, infer: inferEyeLike, fold: foldEyeLike, foldsFrom: 'shapes' },
  { op: 'Range', bound: makes, since: 11, infer: inferRange, fold: foldRange },
  { op: 'Range', bound: makes, domain: 'com.microsoft', infer: inferRange },
  { op: 'HannWindow', bound: makes, since: 17, infer: inferWindow, fold: foldWindow([0.5, -0.5]) },
  { op: 'HammingWindow', bound: makes, since: 17, infer: inferWindow, fold: foldWindow([25 / 46, -21 / 46]) },
  { op: 'BlackmanWindow', bound: makes, since: 17, infer: inferWindow, fold: foldWindow([0.42, -0.5, 0.08]) },
  { op: 'MelWeightMatrix', bound: makes, since: 17, infer: inferMelWeightMatrix, fold: foldMelWeightMatrix },
  { op: 'RandomNormal', ...random, infer: inferRandom },
  { op: 'RandomUniform', ...random, infer: inferRandom },
  { op: 'RandomNormalLike', ...random, infer: inferRandomLike },
  { op: 'RandomUniformLike', ...random, infer: inferRandomLike },
  { op: 'Bernoulli', ...random, since: 15, infer: inferRandomLike },
  { op: 'Multinomial', ...random, since: 7, infer: inferMultinomial },
] satisfies readonly Operator[]
