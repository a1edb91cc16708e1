import { isFloatType, type Shape } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { LayerSpec } from '../layer.ts'
import { isData, layerOf, loaderOf, weightOf } from '../numeric/weight.ts'
import type { FoldingContext, InferenceContext, LayerContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { indexingRules } from '../rules/indexing.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { formatShape } from '../shape/broadcast.ts'
import { infoOf, requiredInput, requiredTensor } from '../shape/operands.ts'
import type { Refusing } from '../shape/refusing.ts'

/** Operators that read elements at given indices. */

function inferGather(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const indices = requiredInput(context, 1).shape
  if (shape === null || indices === null) return [infoOf(type, null)]
  if (shape.length === 0) context.fail('cannot gather from a scalar')
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', 0), shape.length)
  return [infoOf(type, [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)])]
}

/** A position in [0, dim) from an index that may be negative; NaN stays unknown. */
function positionOf(context: Refusing, index: number, dim: number): number {
  const position = index < 0 ? index + dim : index
  if (position < 0 || position >= dim)
    context.fail(`index ${index} is out of range for an axis of length ${dim}`)
  return position
}

function product(dims: readonly number[]): number {
  return dims.reduce((total, dim) => total * dim, 1)
}

/** Copies one slice per index; slices at unknown indices are unknown. */
function foldGather(context: FoldingContext) {
  const data = requiredTensor(context, 0)
  const indices = requiredTensor(context, 1)
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', 0), data.dims.length)
  const outer = product(data.dims.slice(0, axis))
  const inner = product(data.dims.slice(axis + 1))
  const dim = data.dims[axis]
  const count = indices.data.length
  const target = context.allocate(data.type, [
    ...data.dims.slice(0, axis),
    ...indices.dims,
    ...data.dims.slice(axis + 1),
  ])
  for (let i = 0; i < count; i++) {
    const position = positionOf(context, indices.data[i], dim)
    for (let row = 0; row < outer; row++) {
      const to = (row * count + i) * inner
      const from = (row * dim + position) * inner
      if (Number.isNaN(position)) target.data.fill(Number.NaN, to, to + inner)
      else target.data.set(data.data.subarray(from, from + inner), to)
    }
  }
  return [target]
}

/** A float table of rank 2 that is read at integers which are not constant: the linear map from one-hot rows. */
function embeddingLayers(context: LayerContext): readonly LayerSpec[] {
  const table = weightOf(context.input(0))
  const indices = context.input(1)
  const axis = intAttribute(context.node, 'axis', 0)
  const readsRows = table?.dims.length === 2 && (axis === 0 || axis === -2)
  if (!readsRows || !isFloatType(table.operand.type) || !isData(indices)) return []
  const [rows, columns] = table.dims
  const load = loaderOf(table.operand)
  const operator = {
    form: 'matrix',
    rows,
    columns,
    blocks: 1,
    arrangement: 'diagonal',
    factor: 1,
    load,
  } as const
  return [layerOf(indices, table, operator, { kind: 'embedding', asStored: true })]
}

function inferGatherElements(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const indices = requiredInput(context, 1).shape
  if (shape !== null && indices !== null && shape.length !== indices.length) {
    context.fail(`data ${formatShape(shape)} and indices ${formatShape(indices)} differ in rank`)
  }
  return [infoOf(type, indices)]
}

function foldGatherElements(context: FoldingContext) {
  const data = requiredTensor(context, 0)
  const indices = requiredTensor(context, 1)
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', 0), data.dims.length)
  const target = context.allocate(data.type, indices.dims)
  const index = new Array<number>(indices.dims.length).fill(0)
  for (let i = 0; i < indices.data.length; i++) {
    let from = 0
    for (let a = 0; a < index.length; a++) {
      const at = a === axis ? positionOf(context, indices.data[i], data.dims[a]) : index[a]
      from = from * data.dims[a] + at
    }
    target.data[i] = Number.isNaN(from) ? Number.NaN : data.data[from]
    for (let a = index.length - 1; a >= 0 && ++index[a] === indices.dims[a]; a--) index[a] = 0
  }
  return [target]
}

/** [batch…, indices…] + the dims of data behind those that an index tuple names. */
function gatheredShape(context: InferenceContext, data: Shape, indices: Shape, batch: number): Shape | null {
  if (indices.length === 0) return context.fail('indices must be of rank 1 or more')
  const depth = indices[indices.length - 1]
  if (depth === null) return null
  if (batch + depth > data.length) {
    context.fail(`index tuples of ${depth} entries for data ${formatShape(data)} with ${batch} batch axes`)
  }
  return [...indices.slice(0, -1), ...data.slice(batch + depth)]
}

function inferGatherND(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const indices = requiredInput(context, 1).shape
  const batch = intAttribute(context.node, 'batch_dims', 0)
  if (shape === null || indices === null) return [infoOf(type, null)]
  return [infoOf(type, gatheredShape(context, shape, indices, batch))]
}

function foldGatherND(context: FoldingContext) {
  const data = requiredTensor(context, 0)
  const indices = requiredTensor(context, 1)
  const batch = intAttribute(context.node, 'batch_dims', 0)
  const depth = indices.dims[indices.dims.length - 1]
  const named = data.dims.slice(batch, batch + depth)
  const inner = product(data.dims.slice(batch + depth))
  const tuples = product(indices.dims.slice(0, -1))
  const perBatch = tuples / product(indices.dims.slice(0, batch))
  const target = context.allocate(data.type, [
    ...indices.dims.slice(0, -1),
    ...data.dims.slice(batch + depth),
  ])
  for (let tuple = 0; tuple < tuples; tuple++) {
    let from = Math.floor(tuple / perBatch)
    for (let i = 0; i < depth; i++) {
      from = from * named[i] + positionOf(context, indices.data[tuple * depth + i], named[i])
    }
    const to = tuple * inner
    if (Number.isNaN(from)) target.data.fill(Number.NaN, to, to + inner)
    else target.data.set(data.data.subarray(from * inner, (from + 1) * inner), to)
  }
  return [target]
}

export const gatherOperators = [
  {
    op: 'Gather',
    bound: indexingRules.Gather,
    infer: inferGather,
    fold: foldGather,
    layers: embeddingLayers,
  },
  {
    op: 'GatherElements',
    bound: indexingRules.GatherElements,
    since: 11,
    infer: inferGatherElements,
    fold: foldGatherElements,
  },
  { op: 'GatherND', bound: indexingRules.GatherND, since: 11, infer: inferGatherND, fold: foldGatherND },
  {
    op: 'GatherND',
    bound: indexingRules.GatherND,
    domain: 'com.microsoft',
    infer: inferGatherND,
    fold: foldGatherND,
  },
] satisfies readonly Operator[]
