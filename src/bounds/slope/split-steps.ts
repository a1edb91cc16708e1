import { gamma, outward } from '../../linalg/rounding-error.ts'
import type { Block } from '../../ops/blocks/block.ts'
import type { LinearMap } from '../../ops/linear-map.ts'
import type { Placed } from './placed.ts'

/** Factors of all elements, one number or one for each. */
export type Factor = number | Float64Array

const none = { matrix: null, convolution: null }

/** A node of a window that gives a = C z + B u, C and B diagonal. */
export function splitStep(
  inputs: readonly number[],
  outputs: readonly number[],
  center: Factor,
  root: Factor,
): Placed {
  const gain = outward(Math.hypot(largest(center), largest(root)))
  const split = { center, root }
  return {
    inputs,
    outputs,
    map: splitMap(center, root),
    gain,
    rounding: 8 * gamma(1) * gain,
    split,
    ...none,
  }
}

/** A node of a window that multiplies each element by its factor. */
export function diagonalStep(from: number, to: number, factor: Factor): Placed {
  return splitStep([from, -1], [to], factor, 0)
}

/** A node of a window that gives a = C z + B u, group by group. */
export function blockStep(inputs: readonly number[], outputs: readonly number[], block: Block): Placed {
  const { split, gain, terms, size, measured } = block
  const rounding = outward(gamma(terms + 64) * Math.sqrt(size + measured) * gain)
  return { inputs, outputs, map: split, gain, rounding, split: null, ...none, block }
}

/** What bounds the u of a block: M z. */
export function measureStep(
  from: number,
  to: number,
  { measure, measureGain, terms, measured }: Block,
): Placed {
  const rounding = outward(gamma(terms + 64) * Math.sqrt(measured) * measureGain)
  return { inputs: [from], outputs: [to], map: measure, gain: measureGain, rounding, split: null, ...none }
}

/** The largest |factor|. */
export function largest(factor: Factor): number {
  if (typeof factor === 'number') return Math.abs(factor)
  let most = 0
  for (let i = 0; i < factor.length; i++) most = Math.max(most, Math.abs(factor[i]))
  return most
}

/** (Δz, u) ↦ C Δz + B u. */
function splitMap(center: Factor, root: Factor): LinearMap {
  return {
    apply: ([z, u]) => {
      const some = z ?? u
      if (!some) return [null]
      const a = z ? scaled(center, z) : new Float64Array(some.length)
      if (u) add(a, root, u)
      return [a]
    },
    applyAdjoint: ([a]) => (a === null ? [null, null] : [scaled(center, a), scaled(root, a)]),
  }
}

function scaled(factor: Factor, source: Float64Array): Float64Array {
  const target = new Float64Array(source.length)
  if (typeof factor === 'number') for (let i = 0; i < target.length; i++) target[i] = factor * source[i]
  else for (let i = 0; i < target.length; i++) target[i] = factor[i] * source[i]
  return target
}

function add(target: Float64Array, factor: Factor, source: Float64Array): void {
  if (typeof factor === 'number') for (let i = 0; i < target.length; i++) target[i] += factor * source[i]
  else for (let i = 0; i < target.length; i++) target[i] += factor[i] * source[i]
}
