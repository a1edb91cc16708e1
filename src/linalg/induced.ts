import type { OtherNorm } from '../core/norm-name.ts'
import { mulUp } from '../core/rounding.ts'
import type { FloatArray } from '../core/tensor.ts'
import { type Axis, axesOf, outputsReachedBy } from './convolution/axis.ts'
import type { ConvolutionOperator, LinearOperator, MatrixOperator } from './linear-operator.ts'
import { largestMagnitude } from './survey.ts'

/**
 * ‖A‖_∞ = max over rows of Σ|aᵢⱼ| and ‖A‖₁ = max over columns of Σ|aᵢⱼ| of an operator at its real size, rounded up: exact
 * but for the rounding of one sum. Of a convolution a row holds the taps that lie within the input at one place of
 * the output; without sizes all of them. Cost: one pass over the weights for each set of taps that no other holds,
 * one where any window lies within the input.
 */

type Measure<Operator> = (operator: Operator, weights: FloatArray, norm: OtherNorm) => number

const measures: {
  [Form in LinearOperator['form']]: Measure<Extract<LinearOperator, { form: Form }>>
} = {
  matrix: matrixNorm,
  /** A diagonal map scales each element by itself, but that an element may be repeated: then it is none. */
  diagonal: (_, weights) => largestMagnitude(weights),
  convolution: convolutionNorm,
}

/** `isAdjoint`: the operator is described by the one that it is the adjoint of. NaN where a weight is not finite. */
export function inducedNorm(
  operator: LinearOperator,
  weights: FloatArray,
  norm: OtherNorm,
  isAdjoint = false,
): number {
  if (!weights.every(Number.isFinite)) return Number.NaN
  const own = isAdjoint ? ({ linf: 'l1', l1: 'linf' } as const)[norm] : norm
  const measure = measures[operator.form] as Measure<LinearOperator>
  return mulUp(measure(operator, weights, own), Math.abs(operator.factor))
}

/** Covers the rounding of a sum of so many positive terms to nearest. */
function covered(sum: number, terms: number): number {
  return mulUp(sum, 1 + (terms + 2) * 2 ** -52)
}

/** The larger of both where it is not known along which side the input runs. */
function matrixNorm(
  { rows, columns, blocks, arrangement, input }: MatrixOperator,
  weights: FloatArray,
  norm: OtherNorm,
): number {
  const isOne = arrangement === 'stacked'
  const [height, count] = isOne ? [rows * blocks, 1] : [rows, blocks]
  const side = input ?? (isOne ? 'columns' : undefined)
  // sums along the input's side are those of rows of the map
  const sides = (['rows', 'columns'] as const).filter((other) =>
    side === undefined ? true : (other === side) === (norm === 'linf'),
  )
  const norms = sides.map((other) => largestSum(weights, count, height, columns, other))
  return Math.max(0, ...norms)
}

/** The largest sum of absolute values along the rows (over `rows`: along the first axis of each block). */
function largestSum(
  weights: FloatArray,
  blocks: number,
  rows: number,
  columns: number,
  along: 'rows' | 'columns',
): number {
  let most = 0
  const sums = new Float64Array(along === 'rows' ? columns : rows)
  for (let block = 0, at = 0; block < blocks; block++) {
    sums.fill(0)
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++)
        sums[along === 'rows' ? column : row] += Math.abs(weights[at++])
    }
    most = sums.reduce((largest, sum) => Math.max(largest, sum), most)
  }
  return covered(most, along === 'rows' ? rows : columns)
}

function convolutionNorm(operator: ConvolutionOperator, weights: FloatArray, norm: OtherNorm): number {
  const axes = axesOf(operator)
  const known = operator.inputSize !== null && operator.outputSize !== null
  const sets = axes.map((axis) => (norm === 'linf' ? tapsOfOutputs(axis, known) : tapsOfInputs(axis, known)))
  let most = 0
  for (const taps of combinations(sets)) most = Math.max(most, sumOver(operator, weights, norm, axes, taps))
  return most
}

/** One set of every axis, in all ways. */
function combinations(
  sets: readonly (readonly (readonly number[])[])[],
): readonly (readonly (readonly number[])[])[] {
  return sets.reduce<readonly (readonly (readonly number[])[])[]>(
    (found, own) => found.flatMap((chosen) => own.map((set) => [...chosen, set])),
    [[]],
  )
}

/** The largest Σ|w| over the given taps of every axis: for one output channel over its inputs, or the other way round. */
function sumOver(
  { inChannels, outChannels, groups }: ConvolutionOperator,
  weights: FloatArray,
  norm: OtherNorm,
  axes: readonly Axis[],
  taps: readonly (readonly number[])[],
): number {
  const places = taps.reduce<readonly number[]>(
    (found, own, axis) => found.flatMap((place) => own.map((tap) => place * axes[axis].taps + tap)),
    [0],
  )
  const size = axes.reduce((product, axis) => product * axis.taps, 1)
  const perGroup = inChannels / groups
  const sums = new Float64Array(norm === 'linf' ? outChannels : inChannels)
  for (let out = 0; out < outChannels; out++) {
    const group = Math.floor(out / (outChannels / groups))
    for (let own = 0; own < perGroup; own++) {
      const start = (out * perGroup + own) * size
      let sum = 0
      for (const place of places) sum += Math.abs(weights[start + place])
      sums[norm === 'linf' ? out : group * perGroup + own] += sum
    }
  }
  const terms = places.length * (norm === 'linf' ? perGroup : outChannels / groups)
  return covered(
    sums.reduce((most, sum) => Math.max(most, sum), 0),
    terms,
  )
}

const allTaps = ({ taps }: Axis) => Array.from({ length: taps }, (_, tap) => tap)

/** Sets of taps that lie within the input for some output; those that another one holds are left out. */
function tapsOfOutputs(axis: Axis, known: boolean): readonly (readonly number[])[] {
  const taps = allTaps(axis)
  if (!known) return [taps]
  const reached = taps.map((tap) => outputsReachedBy(axis, tap))
  const places = new Set(reached.filter(({ count }) => count > 0).map(({ first }) => first))
  return largestSets(
    Array.from(places, (place) =>
      taps.filter((tap) => place >= reached[tap].first && place < reached[tap].first + reached[tap].count),
    ),
  )
}

/** Sets of taps through which some input is read. */
function tapsOfInputs(axis: Axis, known: boolean): readonly (readonly number[])[] {
  const taps = allTaps(axis)
  const reached = taps.map((tap) => outputsReachedBy(axis, tap))
  const byPlace = new Map<number, number[]>()
  for (const tap of taps) {
    const { first, count } = known ? reached[tap] : { first: 0, count: axis.stride }
    for (let output = first; output < first + count; output++) {
      const input = axis.stride * output + axis.dilation * tap - axis.pad
      const place = known ? input : ((input % axis.stride) + axis.stride) % axis.stride
      const found = byPlace.get(place) ?? []
      if (!found.includes(tap)) byPlace.set(place, [...found, tap])
    }
  }
  return largestSets([...byPlace.values()])
}

/** The sets that no other one holds, each once. */
function largestSets(sets: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const distinct = [...new Map(sets.map((set) => [set.join(), set])).values()]
  return distinct.filter(
    (set) => !distinct.some((other) => other.length > set.length && set.every((tap) => other.includes(tap))),
  )
}
