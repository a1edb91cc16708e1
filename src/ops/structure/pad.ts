import { type Shape, stridesOf, type Tensor } from '../../core/tensor.ts'
import { floatAttribute, stringAttribute } from '../../graph/attribute.ts'
import { copyStrided } from '../fold/strided.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { movementRules } from '../rules/movement.ts'
import { allAxes, normalizeAxes } from '../shape/axes.ts'
import { dimOf } from '../shape/integers.ts'
import { infoOf, requiredInput, requiredTensor } from '../shape/operands.ts'
import {
  allKnown,
  attributeIntegers,
  foldedParameters,
  inferredParameters,
  type Parameters,
  requiredIntegers,
} from '../shape/parameters.ts'

/** Elements added before and after each axis; negative ones crop, NaN where not known. */
interface Pads {
  readonly begin: readonly number[]
  readonly end: readonly number[]
}

/** Null where it is not known which axes are padded. */
type ReadPads = (parameters: Parameters, rank: number) => Pads | null

/** Pads over the given axes, spread over all. */
function spread(
  parameters: Parameters,
  pads: readonly number[],
  axes: readonly number[],
  rank: number,
): Pads {
  if (pads.length !== 2 * axes.length) {
    parameters.fail(`${pads.length} pads for ${axes.length} axes: two for each are expected`)
  }
  const begin = new Array<number>(rank).fill(0)
  const end = new Array<number>(rank).fill(0)
  axes.forEach((axis, i) => {
    begin[axis] = pads[i]
    end[axis] = pads[axes.length + i]
  })
  return { begin, end }
}

function padsFromAttribute(name: string): ReadPads {
  return (parameters, rank) => {
    const pads = attributeIntegers(parameters, name)
    return spread(parameters, pads === 'absent' ? [] : pads, allAxes(rank), rank)
  }
}

const padsFromInput: ReadPads = (parameters, rank) => {
  const pads = requiredIntegers(parameters, 1)
  const axes = parameters.node.version < 18 ? 'absent' : parameters.integers(3)
  if (axes === null || (axes !== 'absent' && !allKnown(axes))) return null
  const padded = axes === 'absent' ? allAxes(rank) : normalizeAxes(parameters, axes, rank)
  return spread(parameters, pads ?? new Array<number>(2 * padded.length).fill(Number.NaN), padded, rank)
}

/** The contributed operator also takes its pads as one row of a matrix, and has no axes. */
const padsFromContributedInput: ReadPads = (parameters, rank) => {
  const pads = requiredIntegers(parameters, 1)
  return spread(parameters, pads ?? new Array<number>(2 * rank).fill(Number.NaN), allAxes(rank), rank)
}

function paddedShape(parameters: Parameters, shape: Shape, pads: Pads | null): Shape {
  if (pads === null) return shape.map(() => null)
  return shape.map((dim, axis) => {
    if (dim === null) return null
    const padded = dimOf(dim + pads.begin[axis] + pads.end[axis])
    if (padded !== null && padded < 0) parameters.fail(`pads crop axis ${axis} of length ${dim} below 0`)
    return padded
  })
}

function inferPad(read: ReadPads) {
  return (context: InferenceContext) => {
    const { type, shape } = requiredInput(context, 0)
    if (shape === null) return [infoOf(type, null)]
    const parameters = inferredParameters(context)
    return [infoOf(type, paddedShape(parameters, shape, read(parameters, shape.length)))]
  }
}

/** Which element of an axis of length `dim` stands at position `at`, for positions outside it as well. */
const sourcePosition: Readonly<Record<string, (at: number, dim: number) => number>> = {
  edge: (at, dim) => Math.min(Math.max(at, 0), dim - 1),
  reflect(at, dim) {
    if (dim === 1) return 0
    const period = 2 * (dim - 1)
    const folded = ((at % period) + period) % period
    return folded < dim ? folded : period - folded
  },
  wrap: (at, dim) => ((at % dim) + dim) % dim,
}

/** Padding with one value: the source is copied into the middle, cropped where pads are negative. */
function padConstant(
  context: FoldingContext,
  source: Tensor,
  dims: readonly number[],
  pads: Pads,
  value: number,
): Tensor {
  const target = context.allocate(source.type, dims)
  if (value !== 0) target.data.fill(value)
  const from = stridesOf(source.dims)
  const to = stridesOf(dims)
  const first = pads.begin.map((pad) => Math.max(0, -pad))
  const kept = source.dims.map((dim, axis) => dim - first[axis] - Math.max(0, -pads.end[axis]))
  if (kept.some((length) => length <= 0)) return target
  copyStrided(
    kept,
    { data: source.data, offset: first.reduce((sum, at, axis) => sum + at * from[axis], 0), strides: from },
    {
      data: target.data,
      offset: pads.begin.reduce((sum, pad, axis) => sum + Math.max(0, pad) * to[axis], 0),
      strides: to,
    },
  )
  return target
}

/** Padding with the tensor's own elements, one axis after the other. */
function padFromSource(
  context: FoldingContext,
  source: Tensor,
  dims: readonly number[],
  pads: Pads,
  position: (at: number, dim: number) => number,
): Tensor {
  let current = source
  for (let axis = 0; axis < dims.length; axis++) {
    const dim = current.dims[axis]
    if (dim === dims[axis] && pads.begin[axis] === 0) continue
    if (dim === 0) return context.fail(`cannot pad axis ${axis} of length 0 with its own elements`)
    const padded = context.allocate(source.type, current.dims.with(axis, dims[axis]))
    const inner = current.dims.slice(axis + 1).reduce((product, length) => product * length, 1)
    const outer = current.dims.slice(0, axis).reduce((product, length) => product * length, 1)
    for (let row = 0; row < outer; row++) {
      for (let i = 0; i < dims[axis]; i++) {
        const from = (row * dim + position(i - pads.begin[axis], dim)) * inner
        padded.data.set(current.data.subarray(from, from + inner), (row * dims[axis] + i) * inner)
      }
    }
    current = padded
  }
  return current
}

function foldPad(read: ReadPads, valueInput: number | null) {
  return (context: FoldingContext) => {
    const source = requiredTensor(context, 0)
    const parameters = foldedParameters(context)
    const pads = read(parameters, source.dims.length)
    if (pads === null || !allKnown([...pads.begin, ...pads.end])) return null
    const dims = paddedShape(parameters, source.dims, pads) as readonly number[]
    const mode = stringAttribute(context.node, 'mode', 'constant')
    if (mode === 'constant') {
      const value =
        valueInput === null
          ? floatAttribute(context.node, 'value', 0)
          : (context.inputs[valueInput]?.data[0] ?? 0)
      return [padConstant(context, source, dims, pads, value)]
    }
    const position = sourcePosition[mode] ?? context.fail(`mode '${mode}' is not known`)
    return [padFromSource(context, source, dims, pads, position)]
  }
}

const legacyPads = padsFromAttribute('paddings')
const attributePads = padsFromAttribute('pads')

export const padOperators = [
  { op: 'Pad', bound: movementRules.Pad, infer: inferPad(legacyPads), fold: foldPad(legacyPads, null) },
  {
    op: 'Pad',
    bound: movementRules.Pad,
    since: 2,
    infer: inferPad(attributePads),
    fold: foldPad(attributePads, null),
  },
  {
    op: 'Pad',
    bound: movementRules.Pad,
    since: 11,
    infer: inferPad(padsFromInput),
    fold: foldPad(padsFromInput, 2),
  },
  {
    op: 'Pad',
    bound: movementRules.Pad,
    domain: 'com.microsoft',
    infer: inferPad(padsFromContributedInput),
    fold: foldPad(padsFromContributedInput, 2),
  },
] satisfies readonly Operator[]
