import type { FloatArray } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { LinearContext, LinearRule } from '../calculus.ts'
import type { LinearMap } from '../linear-map.ts'
import type { Parameters } from '../shape/parameters.ts'
import { reducedAxes } from '../structure/reduce.ts'
import { inputDims, outputDims, productOf } from './sizes.ts'
import { adjointMap, broadcastMap, sizeOfFactor } from './terms.ts'

/** What a reduction does: the data's dims, and those dims with 1 where they are reduced. */
export interface Reduced {
  readonly dims: readonly number[]
  readonly kept: readonly number[]
  /** Elements that one output stands for. */
  readonly count: number
}

/** Parameters of a node from the constants among its inputs. */
export function parametersOf(context: LinearContext): Parameters {
  return {
    node: context.node,
    fail: context.fail,
    integers(i) {
      const operand = context.inputs[i] ?? null
      if (operand === null) return 'absent'
      const tensor = context.varies(i) ? null : operand.constant()
      return tensor && Array.from(tensor.data)
    },
  }
}

/** The version from which axes are an input. */
const axesInputSince = (op: string) => (op === 'ReduceSum' ? 13 : 18)

/** Null where a size or the axes are not known. */
export function reducedOf(context: LinearContext): Reduced | null {
  const dims = inputDims(context, 0)
  const axes = dims && reducedAxes(parametersOf(context), dims.length, axesInputSince(context.node.op))
  return axes && reducedBy(dims, axes)
}

export function reducedBy(dims: readonly number[], axes: readonly number[]): Reduced {
  return {
    dims,
    kept: dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim)),
    count: productOf(axes.map((axis) => dims[axis])),
  }
}

/** Σ over the reduced axes of factor ⊙ data: the adjoint of repeating. Cost: one pass over the data. */
export function reductionMap(inputCount: number, reduced: Reduced, factor: number | FloatArray): LinearMap {
  const { dims, kept, count } = reduced
  const map = adjointMap(broadcastMap(1, dims, [{ input: 0, dims: kept, factor }]))
  const rest = new Array<null>(inputCount - 1).fill(null)
  return {
    apply: ([change]) => map.apply([change]),
    applyAdjoint: (changes) => [...map.applyAdjoint(changes), ...rest],
    absolute: () => ({ ...reductionMap(inputCount, reduced, sizeOfFactor(factor)), terms: count }),
  }
}

function reduction(factorOf: (count: number) => number): LinearRule {
  return (context) => {
    const reduced = varyingData(context) ? reducedOf(context) : null
    return reduced && reductionMap(context.inputs.length, reduced, factorOf(reduced.count))
  }
}

/** Whether the first input alone varies. */
export function varyingData(context: LinearContext): boolean {
  return context.varies(0) && !context.inputs.some((_, i) => i > 0 && context.varies(i))
}

/** Means over all spatial axes. */
const globalAverage: LinearRule = (context) => {
  const dims = inputDims(context, 0)
  const reduced = dims && reducedBy(dims, spatialAxes(dims))
  return reduced && reductionMap(context.inputs.length, reduced, 1 / reduced.count)
}

export const spatialAxes = (dims: readonly number[]) => dims.slice(2).map((_, i) => i + 2)

/** Sums over windows from the first element on, along one axis: Σ over the elements before, or behind. */
const cumulativeSum: LinearRule = (context) => {
  const dims = outputDims(context)
  const [axisEntry] = parametersOf(context).integers(1) ?? []
  if (dims === null || typeof axisEntry !== 'number' || !varyingData(context)) return null
  const axis = axisEntry < 0 ? axisEntry + dims.length : axisEntry
  const reverse = intAttribute(context.node, 'reverse', 0) !== 0
  const exclusive = intAttribute(context.node, 'exclusive', 0) !== 0
  const step = productOf(dims.slice(axis + 1))
  const accumulate = (backward: boolean) => (change: Float64Array) =>
    running(change, dims[axis], step, backward, exclusive)
  const apply: LinearMap['apply'] = ([change]) => [change ? accumulate(reverse)(change) : null]
  return {
    apply,
    absolute: () => ({ apply, terms: dims[axis] }),
    applyAdjoint: ([change]) => [change ? accumulate(!reverse)(change) : null, null],
  }
}

function running(
  change: Float64Array,
  length: number,
  step: number,
  backward: boolean,
  exclusive: boolean,
): Float64Array {
  const out = new Float64Array(change.length)
  for (let i = 0; i < change.length; i++) {
    if (Math.floor(i / step) % length !== 0) continue
    let total = 0
    for (let n = 0; n < length; n++) {
      const at = i + (backward ? length - 1 - n : n) * step
      if (exclusive) out[at] = total
      total += change[at]
      if (!exclusive) out[at] = total
    }
  }
  return out
}

export const reductionMaps = {
  ReduceSum: reduction(() => 1),
  ReduceSumInteger: reduction(() => 1),
  ReduceMean: reduction((count) => 1 / count),
  GlobalAveragePool: globalAverage,
  CumSum: cumulativeSum,
} satisfies Record<string, LinearRule>
