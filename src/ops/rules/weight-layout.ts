import { mulUp, sqrtUp } from '../../core/rounding.ts'
import type { FloatArray } from '../../core/tensor.ts'
import { floatAttribute, intAttribute, intsAttribute, stringAttribute } from '../../graph/attribute.ts'
import { type BoundContext, type BoundOperand, everything, type Interval } from '../bound.ts'
import { affineImage, type WeightLayout } from './affine.ts'
import { growth } from './broadcast.ts'
import { elementsOf, rangeOf } from './constant.ts'
import { farthest, hull, interval, scaled } from './interval.ts'
import { isFixed } from './join.ts'

/** Where the weights of a linear map stand and how: what ranges need besides the layer's norm. */
export interface Affine {
  readonly weights: BoundOperand
  readonly layout: WeightLayout
  /** Whether some outputs see only a part of their weights (padding): the rest counts as data of value 0. */
  readonly partial: boolean
  readonly bias: BoundOperand | null
  /** Whether the bias has one element for each output. */
  readonly biasByOutput: boolean
  /** Factors of weights and bias. */
  readonly alpha: number
  readonly beta: number
}

const origin = interval(0, 0)

/** Above that many weights ranges are not followed through a layer. */
export const manyWeights = 2 ** 26

export function imageOf(data: BoundOperand, affine: Affine): Interval {
  const { weights, layout, partial, alpha } = affine
  const count = layout.groups * layout.outer * layout.outputs * layout.inner
  if (count > manyWeights || (data.norm === Infinity && farthest(data.range) === Infinity)) return everything
  const elements = elementsOf(weights)
  if (elements === null || elements.length !== count) return everything
  const range = scaled(partial ? hull(data.range, origin) : data.range, alpha)
  const norm = mulUp(data.norm, Math.abs(alpha))
  return affineImage(elements, layout, { range, norm }, biasAt(affine))
}

/** The bias of one output: its own element, or the range of all. */
export function biasAt({ bias, beta, biasByOutput, layout }: Affine): (output: number) => Interval {
  const outputs = layout.groups * layout.outputs
  if (bias === null || beta === 0) return () => origin
  const elements = elementsOf(bias)
  if (biasByOutput && elements?.length === outputs && bias.shape?.at(-1) === outputs) {
    return (output) => scaled(interval(elements[output], elements[output]), beta)
  }
  const range = elements === null ? bias.range : (rangeOf(elements) ?? everything)
  return () => scaled(range, beta)
}

/** ‖βb‖₂ over all elements of the output. */
export function biasNorm(context: BoundContext, { bias, beta }: Affine): number {
  if (bias === null || beta === 0) return 0
  const copied = growth(bias.shape, context.output(0)?.shape ?? null)
  const elements = elementsOf(bias)
  const own = elements === null ? bias.norm : lengthOf(elements)
  return copied === null ? Infinity : mulUp(mulUp(sqrtUp(copied), own), Math.abs(beta))
}

function lengthOf(elements: FloatArray): number {
  let sum = 0
  for (const element of elements) sum += element * element
  return sqrtUp(sum * (1 + (elements.length + 2) * 2 ** -52))
}

const sizeOfKnown = (dims: readonly number[]) => dims.reduce((size, dim) => size * dim, 1)

/** The dimensions of constant weights; null where they are not known. */
function dimsOf(weights: BoundOperand | null): readonly number[] | null {
  const dims = weights?.shape?.filter((dim) => dim !== null) ?? null
  return weights !== null && dims?.length === weights.shape?.length ? dims : null
}

/** Weights [outputs, inputs of a group, ...kernel]. */
export function convolutionLayout(context: BoundContext): Affine | null {
  const [weights, bias] = [context.input(1), context.input(2)]
  const dims = dimsOf(weights)
  if (weights === null || dims === null) return null
  const groups = intAttribute(context.node, 'group', 1)
  if (!(groups >= 1) || dims[0] % groups !== 0) return null
  const taps = sizeOfKnown(dims.slice(2))
  const layout = { groups, outer: 1, outputs: dims[0] / groups, inner: dims[1] * taps, taps }
  return { weights, layout, partial: reachesBeyond(context), bias, biasByOutput: true, alpha: 1, beta: 1 }
}

/** Whether windows may reach beyond the data, where it counts as 0. */
function reachesBeyond({ node }: BoundContext): boolean {
  const pads = intsAttribute(node, 'pads', null) ?? []
  return pads.some((pad) => pad !== 0) || stringAttribute(node, 'auto_pad', 'NOTSET').startsWith('SAME')
}

/** Weights [inputs, outputs of a group, ...kernel]. */
export function transposedLayout(context: BoundContext): Affine | null {
  const [weights, bias] = [context.input(1), context.input(2)]
  const dims = dimsOf(weights)
  const groups = intAttribute(context.node, 'group', 1)
  if (weights === null || dims === null || !(groups >= 1) || dims[0] % groups !== 0) return null
  const taps = sizeOfKnown(dims.slice(2))
  const layout = { groups, outer: dims[0] / groups, outputs: dims[1], inner: taps, taps }
  return { weights, layout, partial: true, bias, biasByOutput: true, alpha: 1, beta: 1 }
}

/** A matrix on either side of the data; `alongRows`: whether its rows are what the data is multiplied with. */
export function matrixLayout(weights: BoundOperand, alongRows: boolean): WeightLayout | null {
  const dims = dimsOf(weights)
  if (dims?.length !== 2) return null
  const [rows, columns] = dims
  return alongRows
    ? { groups: 1, outer: 1, outputs: rows, inner: columns, taps: 1 }
    : { groups: 1, outer: rows, outputs: columns, inner: 1, taps: 1 }
}

/** With data in A the outputs run along B′'s columns and the bias along them, with data in B along A′'s rows. */
export function gemmLayout(context: BoundContext, data: BoundOperand): Affine | null {
  const { node } = context
  const [a, b, bias] = [context.input(0), context.input(1), context.input(2)]
  const weights = data === a ? b : a
  const transposed = intAttribute(node, data === a ? 'transB' : 'transA', 0) !== 0
  const layout = weights && matrixLayout(weights, (data === a) === transposed)
  if (weights === null || layout === null || (bias !== null && !isFixed(bias))) return null
  const [alpha, beta] = [floatAttribute(node, 'alpha', 1), floatAttribute(node, 'beta', 1)]
  // a bias runs along the columns: beside weights on the left its elements belong to no one row
  return { weights, layout, partial: false, bias, biasByOutput: data === a, alpha, beta }
}
