import type { LinearContext } from '../calculus.ts'
import { windowPlaces } from '../maps/pools.ts'
import { reducedOf, spatialAxes, varyingData } from '../maps/reduction.ts'
import { inputDims, productOf } from '../maps/sizes.ts'
import { softmaxAxes } from '../numeric/softmax.ts'
import type { Block } from './block.ts'
import { type Groups, logSoftmaxBlock, selection, softmaxBlock } from './groups.ts'

type BlockRule = (context: LinearContext) => Block | null

/** Places that are ever written down for one node. */
const LIMIT = 2 ** 23

/** One group for each choice of positions along the other axes. */
function groupsAlong(dims: readonly number[], axes: ReadonlySet<number>): Groups | null {
  const size = productOf(dims)
  const taps = productOf(dims.filter((_, axis) => axes.has(axis)))
  if (size === 0 || size > LIMIT) return null
  const places = new Int32Array(size)
  for (let i = 0; i < size; i++) {
    let [rest, group, tap, groups, inside] = [i, 0, 0, 1, 1]
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const at = rest % dims[axis]
      rest = Math.floor(rest / dims[axis])
      if (axes.has(axis)) {
        tap += at * inside
        inside *= dims[axis]
      } else {
        group += at * groups
        groups *= dims[axis]
      }
    }
    places[group * taps + tap] = i
  }
  return { places, taps, size }
}

/** Softmax and its kin: groups along their axes. */
function alongAxes(make: (groups: Groups) => Block): BlockRule {
  return (context) => {
    const dims = inputDims(context, 0)
    if (dims === null || dims.length === 0) return null
    const { from, to } = softmaxAxes(context, dims.length)
    const axes = new Set(Array.from({ length: to - from }, (_, i) => from + i))
    const groups = groupsAlong(dims, axes)
    return groups && make(groups)
  }
}

/** Reductions to one element of each group. */
const reduced: BlockRule = (context) => {
  const found = reducedOf(context)
  if (found === null) return null
  const { dims, kept } = found
  const axes = new Set(dims.flatMap((dim, axis) => (dim !== kept[axis] ? [axis] : [])))
  const groups = groupsAlong(dims, axes)
  return groups && selection(groups)
}

const overSpace: BlockRule = (context) => {
  const dims = inputDims(context, 0)
  const groups = dims && groupsAlong(dims, new Set(spatialAxes(dims)))
  return groups && selection(groups)
}

const maxPool: BlockRule = (context) => {
  const dims = inputDims(context, 0)
  if (dims === null || context.outputs[1] != null) return null
  const windows = windowPlaces(context, dims)
  if (windows === null || windows.places.length === 0 || windows.places.length > LIMIT) return null
  return selection({ ...windows, size: productOf(dims) })
}

const rules: Readonly<Record<string, BlockRule>> = {
  MaxPool: maxPool,
  GlobalMaxPool: overSpace,
  ReduceMax: reduced,
  ReduceMin: reduced,
  ReduceLogSumExp: reduced,
  Softmax: alongAxes(softmaxBlock),
  LogSoftmax: alongAxes(logSoftmaxBlock),
}

/** What a node does with groups of elements of its first input, the only one that varies; null where that is not known. */
export function blockOf(context: LinearContext): Block | null {
  const { domain, op } = context.node
  if (domain !== '' || !Object.hasOwn(rules, op) || !varyingData(context)) return null
  return rules[op](context)
}

/** Operators of ai.onnx that have blocks. */
export const blockOperators = Object.keys(rules)
