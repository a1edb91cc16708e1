import type { NormName } from '../../core/norm-name.ts'
import type { Random } from '../../core/random.ts'
import { jacobianNorm, type Local, type Singular } from './objective.ts'
import { lengthOf } from './point.ts'

/**
 * A norm ‖·‖ in which changes are measured on both sides, with the vectors that Boyd's power method alternates between:
 * uᵀz = ‖z‖ for the u of dual length 1 that `dual` gives, and v of length 1 with gᵀv as large as can be (`along`).
 */
export interface Measure {
  readonly norm: NormName
  size(vector: Float64Array): number
  dual(image: Float64Array): Float64Array
  along(gradient: Float64Array): Float64Array
  /** The norm of the Jacobian from below, with vectors that give it; null where it is zero or not finite. */
  peak(local: Local, steps: number, random: Random, start?: Float64Array): Singular | null
}

function placeOfLargest(vector: Float64Array): number {
  let place = 0
  for (let i = 1; i < vector.length; i++) if (Math.abs(vector[i]) > Math.abs(vector[place])) place = i
  return place
}

const sum = (vector: Float64Array) => vector.reduce((total, x) => total + Math.abs(x), 0)
const largest = (vector: Float64Array) => vector.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
const signs = (vector: Float64Array) => vector.map((x) => (x < 0 ? -1 : 1))

/** ± one basis vector, where the vector is largest. */
function peakOf(vector: Float64Array): Float64Array {
  const place = placeOfLargest(vector)
  const basis = new Float64Array(vector.length)
  basis[place] = vector[place] < 0 ? -1 : 1
  return basis
}

function unit(vector: Float64Array): Float64Array {
  const length = lengthOf(vector)
  return length > 0 ? vector.map((x) => x / length) : vector
}

/** Rows or columns that are looked at one by one, where there are no more. */
const fewEnough = 12

/** Steps of the power method after which nothing changes. */
function alternating(
  measure: Pick<Measure, 'size' | 'dual' | 'along'>,
  local: Local,
  steps: number,
  first: Float64Array,
): Singular | null {
  let best: Singular | null = null
  let right = first
  for (let step = 0; step < steps; step++) {
    const image = local.push(right)
    const sigma = measure.size(image)
    if (!(sigma > (best?.sigma ?? 0) * (1 + 1e-12) && sigma < Infinity)) break
    best = { sigma, right, left: measure.dual(image) }
    right = measure.along(local.pull(best.left))
  }
  return best
}

function polyhedral(
  norm: 'linf' | 'l1',
  parts: Pick<Measure, 'size' | 'dual' | 'along'>,
  /** Where the power method begins: every vector that may be the best, where they are few, else random ones. */
  startsOf: (local: Local, count: number, random: Random) => Float64Array[],
): Measure {
  return {
    norm,
    ...parts,
    peak(local, steps, random, start) {
      const starts = start === undefined ? startsOf(local, steps > 8 ? fewEnough : 1, random) : [start]
      let best: Singular | null = null
      for (const first of starts) {
        const found = alternating(parts, local, steps, first)
        if (found !== null && found.sigma > (best?.sigma ?? 0)) best = found
      }
      return best
    },
  }
}

function basis(size: number, place: number): Float64Array {
  const vector = new Float64Array(size)
  vector[place] = 1
  return vector
}

export const measures = {
  l2: {
    norm: 'l2',
    size: lengthOf,
    dual: unit,
    along: unit,
    peak: jacobianNorm,
  },
  /** ‖J‖∞: the largest row of |J|, reached by the signs of that row. */
  linf: polyhedral('linf', { size: largest, dual: peakOf, along: signs }, (local, count, random) => {
    const outputs = local.value.length
    const rows =
      outputs <= count
        ? Array.from({ length: outputs }, (_, i) => i)
        : Array.from({ length: Math.min(count, 2) }, () => Math.floor(random.uniform() * outputs))
    return rows.map((row) => signs(local.pull(basis(outputs, row))))
  }),
  /** ‖J‖₁: the largest column of |J|, reached by one element. */
  l1: polyhedral('l1', { size: sum, dual: signs, along: peakOf }, (local, count, random) => {
    const inputs = local.x.length
    if (inputs <= count) return Array.from({ length: inputs }, (_, i) => basis(inputs, i))
    return Array.from({ length: Math.min(count, 2) }, () => {
      const weights = local.value.map(() => (random.uniform() < 0.5 ? -1 : 1))
      return peakOf(local.pull(weights))
    })
  }),
} as const satisfies Record<NormName, Measure>
