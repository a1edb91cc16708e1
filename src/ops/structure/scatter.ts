import { intAttribute, stringAttribute } from '../../graph/attribute.ts'
import { rounderOf } from '../fold/element.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { indexingRules } from '../rules/indexing.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { formatShape } from '../shape/broadcast.ts'
import { infoOf, requiredInput, requiredTensor } from '../shape/operands.ts'

/** Operators that write updates into a copy of their data at given indices. */

const reductions: Readonly<Record<string, (old: number, update: number) => number>> = {
  none: (_, update) => update,
  add: (old, update) => old + update,
  mul: (old, update) => old * update,
  max: Math.max,
  min: Math.min,
}

function inferScatterElements(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const indices = requiredInput(context, 1).shape
  if (shape !== null && indices !== null && shape.length !== indices.length) {
    context.fail(`data ${formatShape(shape)} and indices ${formatShape(indices)} differ in rank`)
  }
  return [infoOf(type, shape)]
}

function inferScatterND(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const indices = requiredInput(context, 1).shape
  const depth = indices?.at(-1) ?? null
  if (shape !== null && depth !== null && depth > shape.length) {
    context.fail(`index tuples of ${depth} entries for data ${formatShape(shape)}`)
  }
  return [infoOf(type, shape)]
}

/** A copy of the data, and how an update changes an element of it; null where the indices are not all known. */
function beginScatter(context: FoldingContext) {
  const data = requiredTensor(context, 0)
  const indices = requiredTensor(context, 1)
  const updates = requiredTensor(context, 2)
  if (indices.data.some(Number.isNaN)) return null
  const name = stringAttribute(context.node, 'reduction', 'none')
  const reduce = reductions[name] ?? context.fail(`reduction '${name}' is not known`)
  const round = rounderOf(data.type)
  const target = context.allocate(data.type, data.dims)
  target.data.set(data.data)
  const write = (at: number, update: number) => {
    target.data[at] = round(reduce(target.data[at], update))
  }
  const positionOf = (index: number, dim: number) => {
    const position = index < 0 ? index + dim : index
    if (position < 0 || position >= dim)
      context.fail(`index ${index} is out of range for an axis of length ${dim}`)
    return position
  }
  return { data, indices, updates, target, write, positionOf }
}

function foldScatterElements(context: FoldingContext) {
  const scatter = beginScatter(context)
  if (scatter === null) return null
  const { data, indices, updates, target, write, positionOf } = scatter
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', 0), data.dims.length)
  const index = new Array<number>(indices.dims.length).fill(0)
  for (let i = 0; i < indices.data.length; i++) {
    let to = 0
    for (let a = 0; a < index.length; a++) {
      to = to * data.dims[a] + (a === axis ? positionOf(indices.data[i], data.dims[a]) : index[a])
    }
    write(to, updates.data[i])
    for (let a = index.length - 1; a >= 0 && ++index[a] === indices.dims[a]; a--) index[a] = 0
  }
  return [target]
}

function foldScatterND(context: FoldingContext) {
  const scatter = beginScatter(context)
  if (scatter === null) return null
  const { data, indices, updates, target, write, positionOf } = scatter
  const depth = indices.dims[indices.dims.length - 1]
  const inner = data.dims.slice(depth).reduce((total, dim) => total * dim, 1)
  const tuples = indices.dims.slice(0, -1).reduce((total, dim) => total * dim, 1)
  for (let tuple = 0; tuple < tuples; tuple++) {
    let to = 0
    for (let i = 0; i < depth; i++) {
      to = to * data.dims[i] + positionOf(indices.data[tuple * depth + i], data.dims[i])
    }
    for (let i = 0; i < inner; i++) write(to * inner + i, updates.data[tuple * inner + i])
  }
  return [target]
}

export const scatterOperators = [
  {
    op: 'Scatter',
    bound: indexingRules.Scatter,
    since: 9,
    until: 11,
    infer: inferScatterElements,
    fold: foldScatterElements,
  },
  {
    op: 'ScatterElements',
    bound: indexingRules.Scatter,
    since: 11,
    infer: inferScatterElements,
    fold: foldScatterElements,
  },
  { op: 'ScatterND', bound: indexingRules.ScatterND, since: 11, infer: inferScatterND, fold: foldScatterND },
  {
    op: 'TensorScatter',
    bound: indexingRules.TensorScatter,
    since: 24,
    infer: (context) => [infoOf(requiredInput(context, 0).type, requiredInput(context, 0).shape)],
  },
] satisfies readonly Operator[]
