import type { Shape } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import { zipThree } from '../fold/elementwise.ts'
import type { FoldingContext, InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { arithmeticRules } from '../rules/arithmetic.ts'
import { jumps, locates } from '../rules/jumps.ts'
import { mixedRules } from '../rules/mixed.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { broadcastShapes, formatShape } from '../shape/broadcast.ts'
import { knownScalarOf, productOf } from '../shape/integers.ts'
import {
  commonType,
  infoOf,
  knownOutput,
  requiredInput,
  requiredTensor,
  shapeOfRank,
} from '../shape/operands.ts'

/** Operators that choose elements, or tell where elements with a property stand. */

function inferWhere(context: InferenceContext) {
  const shapes = [0, 1, 2].map((i) => requiredInput(context, i).shape)
  return [infoOf(commonType(context, [1, 2]), broadcastShapes(context, shapes))]
}

/** An unknown condition leaves an element unknown, unless both branches agree. */
function foldWhere(context: FoldingContext) {
  const known = knownOutput(context)
  if (known === null) return null
  const target = context.allocate(known.type, known.dims)
  const [condition, x, y] = [0, 1, 2].map((i) => requiredTensor(context, i))
  return [
    zipThree(condition, x, y, target, (c, a, b) => {
      if (Number.isNaN(c)) return a === b ? a : Number.NaN
      return c !== 0 ? a : b
    }),
  ]
}

function inferOneHot(context: InferenceContext) {
  const { shape } = requiredInput(context, 0)
  const { type } = requiredInput(context, 2)
  if (shape === null) return [infoOf(type, null)]
  const depth = knownScalarOf(context.input(1))
  if (depth !== null && depth < 0) context.fail(`depth ${depth} is negative`)
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', -1), shape.length + 1)
  return [infoOf(type, shape.toSpliced(axis, 0, depth === null ? null : Math.trunc(depth)))]
}

function foldOneHot(context: FoldingContext) {
  const known = knownOutput(context)
  if (known === null) return null
  const indices = requiredTensor(context, 0)
  const [off, on] = requiredTensor(context, 2).data
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', -1), known.dims.length)
  const depth = known.dims[axis]
  const inner = known.dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  if (indices.data.some(Number.isNaN)) return null
  const target = context.allocate(known.type, known.dims)
  target.data.fill(off)
  for (let i = 0; i < indices.data.length; i++) {
    const index = Math.trunc(indices.data[i])
    const hot = index < 0 ? index + depth : index
    if (hot < 0 || hot >= depth) continue
    target.data[(Math.floor(i / inner) * depth + hot) * inner + (i % inner)] = on
  }
  return [target]
}

function inferNonZero(context: InferenceContext) {
  const { shape } = requiredInput(context, 0)
  return [infoOf('int64', [shape === null || shape.length === 0 ? null : shape.length, null])]
}

/** Row-major: one column of indices per element that is not zero. */
function foldNonZero(context: FoldingContext) {
  const { data, dims } = requiredTensor(context, 0)
  if (dims.length === 0 || data.some(Number.isNaN)) return null
  const found = [...data.keys()].filter((i) => data[i] !== 0)
  const target = context.allocate('int64', [dims.length, found.length])
  found.forEach((position, column) => {
    let rest = position
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      target.data[axis * found.length + column] = rest % dims[axis]
      rest = Math.floor(rest / dims[axis])
    }
  })
  return [target]
}

function inferUnique(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const given = intAttribute(context.node, 'axis', null)
  const counts = infoOf('int64', [null])
  if (given === null) {
    return [infoOf(type, [null]), counts, infoOf('int64', [shape && productOf(shape)]), counts]
  }
  if (shape === null) return [infoOf(type, null), counts, counts, counts]
  const axis = normalizeAxis(context, given, shape.length)
  return [infoOf(type, shape.with(axis, null)), counts, infoOf('int64', [shape[axis]]), counts]
}

/** The contributed operator knows no axis, and writes values, their place for each element, counts. */
function inferContributedUnique(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  return [infoOf(type, [null]), infoOf('int64', [shape && productOf(shape)]), infoOf('int64', [null])]
}

function inferTopK(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  if (shape === null) return [infoOf(type, null), infoOf('int64', null)]
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', -1), shape.length)
  const k =
    context.node.version < 10 ? intAttribute(context.node, 'k', null) : knownScalarOf(context.input(1))
  const dim = shape[axis]
  if (k !== null && (k < 0 || (dim !== null && k > dim))) {
    context.fail(`k ${k} is out of range for axis ${axis} of ${formatShape(shape)}`)
  }
  const chosen = shape.with(axis, k)
  return [infoOf(type, chosen), infoOf('int64', chosen)]
}

function extremeShape(context: InferenceContext): Shape | null {
  const { shape } = requiredInput(context, 0)
  if (shape === null) return null
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', 0), shape.length)
  const keepsAxis = intAttribute(context.node, 'keepdims', 1) !== 0
  return keepsAxis ? shape.with(axis, 1) : shape.toSpliced(axis, 1)
}

/** Index of the extreme element along the axis; the first one unless `select_last_index` says the last. */
function foldExtreme(sign: 1 | -1) {
  return (context: FoldingContext) => {
    const known = knownOutput(context)
    const { data, dims } = requiredTensor(context, 0)
    if (known === null || data.some(Number.isNaN)) return null
    const axis = normalizeAxis(context, intAttribute(context.node, 'axis', 0), dims.length)
    const last = intAttribute(context.node, 'select_last_index', 0) !== 0
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
    const target = context.allocate('int64', known.dims)
    for (let i = 0; i < target.data.length; i++) {
      const start = Math.floor(i / inner) * dims[axis] * inner + (i % inner)
      let best = 0
      for (let at = 1; at < dims[axis]; at++) {
        const difference = sign * (data[start + at * inner] - data[start + best * inner])
        if (difference > 0 || (last && difference === 0)) best = at
      }
      target.data[i] = best
    }
    return [target]
  }
}

function inferNonMaxSuppression(context: InferenceContext) {
  shapeOfRank(context, 0, 3)
  shapeOfRank(context, 1, 3)
  return [infoOf('int64', [null, 3])]
}

export const searchOperators = [
  { op: 'Where', bound: arithmeticRules.Where, since: 9, infer: inferWhere, fold: foldWhere },
  { op: 'OneHot', bound: jumps, since: 9, infer: inferOneHot, fold: foldOneHot },
  { op: 'NonZero', bound: locates, since: 9, infer: inferNonZero, fold: foldNonZero, shapesFollowData: true },
  { op: 'Unique', bound: jumps, since: 11, infer: inferUnique, shapesFollowData: true },
  {
    op: 'Unique',
    bound: jumps,
    domain: 'com.microsoft',
    infer: inferContributedUnique,
    shapesFollowData: true,
  },
  { op: 'TopK', bound: mixedRules.TopK, infer: inferTopK },
  {
    op: 'ArgMax',
    bound: locates,
    infer: (context) => [infoOf('int64', extremeShape(context))],
    fold: foldExtreme(1),
  },
  {
    op: 'ArgMin',
    bound: locates,
    infer: (context) => [infoOf('int64', extremeShape(context))],
    fold: foldExtreme(-1),
  },
  {
    op: 'NonMaxSuppression',
    bound: locates,
    since: 10,
    infer: inferNonMaxSuppression,
    shapesFollowData: true,
  },
] satisfies readonly Operator[]
