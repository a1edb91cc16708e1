import type { FloatArray } from '../../core/tensor.ts'
import { broadcastView } from '../fold/elementwise.ts'
import { eachRow } from '../fold/strided.ts'
import type { LinearMap } from '../linear-map.ts'
import { productOf } from './sizes.ts'

/** One varying operand of an elementwise operator: repeated to the output's dims and multiplied by a factor. */
export interface BroadcastTerm {
  readonly input: number
  readonly dims: readonly number[]
  /** One for all elements, or one for each element of the output. */
  readonly factor: number | FloatArray
}

/**
 * out = Σ factor ⊙ repeat(input): the derivative of every elementwise operator with broadcasting. Its adjoint adds up
 * the copies. Cost: one pass over the output for each term.
 */
export function broadcastMap(
  inputCount: number,
  outputDims: readonly number[],
  terms: readonly BroadcastTerm[],
): LinearMap {
  const size = productOf(outputDims)
  const placed = terms.map((term) => ({ ...term, places: placesOf(term.dims, outputDims) }))
  return {
    apply: (changes) => {
      const given = placed.filter(({ input }) => changes[input])
      if (given.length === 0) return [null]
      const out = new Float64Array(size)
      for (const { input, factor, places } of given) addRepeated(out, changes[input]!, factor, places)
      return [out]
    },
    applyAdjoint: ([change]) => {
      const results = new Array<Float64Array | null>(inputCount).fill(null)
      if (!change) return results
      for (const { input, dims, factor, places } of placed) {
        const result = results[input] ?? new Float64Array(productOf(dims))
        addCollected(result, change, factor, places)
        results[input] = result
      }
      return results
    },
    absolute: () => {
      const { apply } = broadcastMap(
        inputCount,
        outputDims,
        terms.map((term) => ({ ...term, factor: sizeOfFactor(term.factor) })),
      )
      return { apply, terms: terms.length }
    },
  }
}

export function sizeOfFactor(factor: number | FloatArray): number | FloatArray {
  return typeof factor === 'number' ? Math.abs(factor) : factor.map(Math.abs)
}

/** For each output element the element of the operand that it repeats; null where that is the same one. */
export function placesOf(dims: readonly number[], outputDims: readonly number[]): Int32Array | null {
  const size = productOf(outputDims)
  if (productOf(dims) === size) return null
  const places = new Int32Array(size)
  const operand = broadcastView({ type: 'float64', dims, data: new Float64Array(0) }, outputDims)
  let at = 0
  eachRow(outputDims, [operand], ([start], [step], length) => {
    for (let i = 0; i < length; i++) places[at++] = start + i * step
  })
  return places
}

function addRepeated(
  out: Float64Array,
  change: Float64Array,
  factor: number | FloatArray,
  places: Int32Array | null,
): void {
  if (typeof factor === 'number') {
    if (places === null) for (let i = 0; i < out.length; i++) out[i] += factor * change[i]
    else for (let i = 0; i < out.length; i++) out[i] += factor * change[places[i]]
  } else if (places === null) for (let i = 0; i < out.length; i++) out[i] += factor[i] * change[i]
  else for (let i = 0; i < out.length; i++) out[i] += factor[i] * change[places[i]]
}

function addCollected(
  result: Float64Array,
  change: Float64Array,
  factor: number | FloatArray,
  places: Int32Array | null,
): void {
  if (typeof factor === 'number') {
    if (places === null) for (let i = 0; i < change.length; i++) result[i] += factor * change[i]
    else for (let i = 0; i < change.length; i++) result[places[i]] += factor * change[i]
  } else if (places === null) for (let i = 0; i < change.length; i++) result[i] += factor[i] * change[i]
  else for (let i = 0; i < change.length; i++) result[places[i]] += factor[i] * change[i]
}

/** The elements of an operand, repeated to the output's dims. */
export function repeated(
  data: FloatArray,
  dims: readonly number[],
  outputDims: readonly number[],
): FloatArray {
  const places = placesOf(dims, outputDims)
  return places === null ? data : Float64Array.from(places, (from) => data[from])
}

/** The adjoint of a map as a map: sums over copies from repetitions. */
export function adjointMap(map: LinearMap): LinearMap {
  return { apply: map.applyAdjoint, applyAdjoint: map.apply }
}
