import { type Dim, type Shape, stridesOf } from '../../core/tensor.ts'
import type { BoundContext, BoundRule, BoxRule } from '../bound.ts'
import { cutBox } from '../boxes/movement.ts'
import { copyStrided } from '../fold/strided.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { partOf } from '../rules/concatenated.ts'
import { selection } from '../rules/movement.ts'
import { companions } from '../rules/norms.ts'
import { allAxes, normalizeAxes } from '../shape/axes.ts'
import { infoOf, requiredInput, requiredTensor } from '../shape/operands.ts'
import {
  allKnown,
  attributeIntegers,
  foldedParameters,
  type IntegerParameter,
  inferredParameters,
  type Parameters,
} from '../shape/parameters.ts'

/** The elements of one axis that a slice keeps: start, start + step, … `count` of them. */
interface AxisRange {
  readonly start: number
  readonly step: number
  readonly count: number
}

interface SliceArguments {
  readonly starts: IntegerParameter
  readonly ends: IntegerParameter
  readonly axes: IntegerParameter
  readonly steps: IntegerParameter
}

function argumentsFromAttributes(parameters: Parameters): SliceArguments {
  return {
    starts: attributeIntegers(parameters, 'starts'),
    ends: attributeIntegers(parameters, 'ends'),
    axes: attributeIntegers(parameters, 'axes'),
    steps: 'absent',
  }
}

function argumentsFromInputs(parameters: Parameters): SliceArguments {
  return {
    starts: parameters.integers(1),
    ends: parameters.integers(2),
    axes: parameters.integers(3),
    steps: parameters.integers(4),
  }
}

/** What start, end and step keep of an axis of length `dim`; ends beyond the axis are clamped as numpy does. */
function axisRange(parameters: Parameters, dim: number, start: number, end: number, step: number): AxisRange {
  if (step === 0) parameters.fail('a step is 0')
  const clamp = (at: number, lowest: number, highest: number) =>
    Math.min(Math.max(at < 0 ? at + dim : at, lowest), highest)
  const backward = step < 0
  const first = backward ? clamp(start, 0, dim - 1) : clamp(start, 0, dim)
  const last = backward ? clamp(end, -1, dim - 1) : clamp(end, 0, dim)
  return { start: first, step, count: Math.max(0, Math.ceil((last - first) / step)) }
}

/** The range per axis; null for an axis where it is not known; null where it is not known which axes are cut. */
function sliceRanges(
  parameters: Parameters,
  shape: Shape,
  { starts, ends, axes, steps }: SliceArguments,
): (AxisRange | null)[] | null {
  if (starts === 'absent' || ends === 'absent') return parameters.fail('starts or ends are missing')
  const count = (axes !== 'absent' ? axes : (starts ?? ends))?.length
  if (axes === null || count === undefined || (axes !== 'absent' && !allKnown(axes))) return null
  for (const entries of [starts, ends, steps]) {
    if (entries !== null && entries !== 'absent' && entries.length !== count) {
      parameters.fail(`starts, ends, axes and steps differ in length`)
    }
  }
  if (count > shape.length) parameters.fail(`${count} axes are cut of a tensor of rank ${shape.length}`)
  const cut = axes === 'absent' ? allAxes(count) : normalizeAxes(parameters, axes, shape.length)
  const ranges = shape.map((dim) => (dim === null ? null : { start: 0, step: 1, count: dim }))
  cut.forEach((axis, i) => {
    const dim = shape[axis]
    const start = starts?.[i] ?? Number.NaN
    const end = ends?.[i] ?? Number.NaN
    const step = steps === 'absent' ? 1 : (steps?.[i] ?? Number.NaN)
    const known = dim !== null && allKnown([start, end, step])
    ranges[axis] = known ? axisRange(parameters, dim, start, end, step) : null
  })
  return ranges
}

function inferSlice(read: (parameters: Parameters) => SliceArguments) {
  return (context: InferenceContext) => {
    const { type, shape } = requiredInput(context, 0)
    if (shape === null) return [infoOf(type, null)]
    const parameters = inferredParameters(context)
    const ranges = sliceRanges(parameters, shape, read(parameters))
    return [
      infoOf(
        type,
        shape.map((_, axis): Dim => ranges?.[axis]?.count ?? null),
      ),
    ]
  }
}

function foldSlice(read: (parameters: Parameters) => SliceArguments) {
  return (context: FoldingContext) => {
    const source = requiredTensor(context, 0)
    const parameters = foldedParameters(context)
    const ranges = sliceRanges(parameters, source.dims, read(parameters))
    if (ranges === null || ranges.includes(null)) return null
    const cuts = ranges as AxisRange[]
    const strides = stridesOf(source.dims)
    const dims = cuts.map((range) => range.count)
    const target = context.allocate(source.type, dims)
    copyStrided(
      dims,
      {
        data: source.data,
        offset: cuts.reduce((sum, range, axis) => sum + range.start * strides[axis], 0),
        strides: cuts.map((range, axis) => range.step * strides[axis]),
      },
      { data: target.data, offset: 0, strides: stridesOf(dims) },
    )
    return [target]
  }
}

/** What is kept of each axis, as a bound rule may know it; null where it is not known. */
function keptOf(context: BoundContext, read: (parameters: Parameters) => SliceArguments) {
  const shape = context.input(0)?.shape ?? null
  const parameters = inferredParameters({
    node: context.node,
    input: (i) => context.input(i)?.operand ?? null,
    fail: context.fail,
    body: () => [],
  })
  return shape && sliceRanges(parameters, shape, read(parameters))
}

/** Elements of input 0, each once, with the intervals that they have; an axis that is cut in a way not known shares its own. */
function slicing(read: (parameters: Parameters) => SliceArguments): BoundRule {
  const boxes: BoxRule = (context, boxOf) => {
    const [box, kept] = [boxOf(0), keptOf(context, read)]
    return [box && kept && cutBox(box, kept)]
  }
  return companions(
    selection,
    (context) => {
      const kept = keptOf(context, read)
      return selection(context).map((bound) => partOf(context, bound, kept))
    },
    { boxes },
  )
}

export const sliceOperators = [
  {
    op: 'Slice',
    bound: slicing(argumentsFromAttributes),
    infer: inferSlice(argumentsFromAttributes),
    fold: foldSlice(argumentsFromAttributes),
  },
  {
    op: 'Slice',
    bound: slicing(argumentsFromInputs),
    since: 10,
    infer: inferSlice(argumentsFromInputs),
    fold: foldSlice(argumentsFromInputs),
  },
] satisfies readonly Operator[]
