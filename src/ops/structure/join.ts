import { type Dim, type Shape, stridesOf } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import { broadcastView, viewOf } from '../fold/elementwise.ts'
import { copyStrided } from '../fold/strided.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { movementRules } from '../rules/movement.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { broadcastShapes, formatShape } from '../shape/broadcast.ts'
import { dimOf, integersOf, knownScalarOf } from '../shape/integers.ts'
import {
  allInputs,
  commonType,
  infoOf,
  knownOutput,
  requiredInput,
  requiredTensor,
  unknownDims,
} from '../shape/operands.ts'

/** Operators that put tensors side by side, or copies of one. */

function concatAxis(context: InferenceContext | FoldingContext, rank: number): number {
  const fallback = context.node.version < 4 ? 1 : null
  const axis = intAttribute(context.node, 'axis', fallback)
  return axis === null ? context.fail('axis is missing') : normalizeAxis(context, axis, rank)
}

function concatenatedShape(context: InferenceContext): Shape | null {
  const shapes = allInputs(context).map((i) => requiredInput(context, i).shape)
  if (shapes.length === 0) context.fail('it has no inputs')
  const first = shapes.find((shape) => shape !== null)
  if (first === undefined) return null
  const axis = concatAxis(context, first.length)
  const joined: Dim[] = first.with(axis, shapes.includes(null) ? null : 0)
  for (const shape of shapes) {
    if (shape === null) continue
    if (shape.length !== first.length) {
      context.fail(`shapes ${formatShape(first)} and ${formatShape(shape)} differ in rank`)
    }
    for (let i = 0; i < shape.length; i++) {
      const [a, b] = [joined[i], shape[i]]
      if (i === axis) joined[i] = a === null || b === null ? null : a + b
      else if (a !== null && b !== null && a !== b) {
        context.fail(`shapes ${formatShape(first)} and ${formatShape(shape)} differ beyond axis ${axis}`)
      } else joined[i] = a ?? b
    }
  }
  return joined
}

function foldConcat(context: FoldingContext) {
  const parts = context.inputs.map((_, i) => requiredTensor(context, i))
  const axis = concatAxis(context, parts[0].dims.length)
  const dims = parts[0].dims.with(
    axis,
    parts.reduce((sum, part) => sum + part.dims[axis], 0),
  )
  const target = context.allocate(parts[0].type, dims)
  const strides = stridesOf(dims)
  let start = 0
  for (const part of parts) {
    copyStrided(part.dims, viewOf(part), { data: target.data, offset: start * strides[axis], strides })
    start += part.dims[axis]
  }
  return [target]
}

function inferExpand(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const target = requiredInput(context, 1)
  const entries = integersOf(target)
  if (entries?.some((entry) => entry < 0)) context.fail(`shape [${entries.join(',')}] has a negative entry`)
  const wanted = entries === null ? unknownDims(context, target) : entries.map(dimOf)
  return [infoOf(type, broadcastShapes(context, [shape, wanted]))]
}

function foldExpand(context: FoldingContext) {
  const known = knownOutput(context)
  if (known === null) return null
  const target = context.allocate(known.type, known.dims)
  copyStrided(known.dims, broadcastView(requiredTensor(context, 0), known.dims), viewOf(target))
  return [target]
}

function tiledShape(context: InferenceContext, shape: Shape, repeats: readonly number[] | null): Shape {
  if (repeats === null) return shape.map((dim) => (dim === 0 ? 0 : null))
  if (repeats.length !== shape.length) {
    context.fail(`${repeats.length} repeats for a tensor of rank ${shape.length}`)
  }
  if (repeats.some((repeat) => repeat < 0))
    context.fail(`repeats [${repeats.join(',')}] are not all at least 0`)
  return shape.map((dim, axis) => (dim === null ? null : dimOf(dim * repeats[axis])))
}

function inferTile(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  return [infoOf(type, shape && tiledShape(context, shape, integersOf(context.input(1))))]
}

/** Tile-1 repeats along one axis: inputs `tiles` and `axis` are scalars. */
function inferLegacyTile(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const tiles = knownScalarOf(context.input(1))
  const axis = knownScalarOf(context.input(2))
  if (shape === null || tiles === null || axis === null) return [infoOf(type, shape?.map(() => null) ?? null)]
  const repeats = new Array<number>(shape.length).fill(1)
  repeats[normalizeAxis(context, axis, shape.length)] = tiles
  return [infoOf(type, tiledShape(context, shape, repeats))]
}

/** Each axis of the result is (copy, element): copies read the same element, with stride 0. */
function foldTile(context: FoldingContext) {
  const known = knownOutput(context)
  if (known === null) return null
  const source = requiredTensor(context, 0)
  const target = context.allocate(known.type, known.dims)
  if (target.data.length === 0) return [target]
  const strides = stridesOf(source.dims)
  const dims = source.dims.flatMap((dim, axis) => [known.dims[axis] / dim, dim])
  copyStrided(
    dims,
    { data: source.data, offset: 0, strides: strides.flatMap((stride) => [0, stride]) },
    { data: target.data, offset: 0, strides: stridesOf(dims) },
  )
  return [target]
}

export const joinOperators = [
  {
    op: 'Concat',
    bound: movementRules.Concat,
    infer: (context) => [infoOf(commonType(context, allInputs(context)), concatenatedShape(context))],
    fold: foldConcat,
  },
  { op: 'Expand', bound: movementRules.Expand, since: 8, infer: inferExpand, fold: foldExpand },
  { op: 'Tile', bound: movementRules.Tile, infer: inferLegacyTile, fold: foldTile },
  { op: 'Tile', bound: movementRules.Tile, since: 6, infer: inferTile, fold: foldTile },
] satisfies readonly Operator[]
