import type { LinearMap } from '../linear-map.ts'
import type { Block } from './block.ts'

/** Groups of elements of one tensor, which may overlap: where the members of each stand, −1 where there is none. */
export interface Groups {
  readonly places: Int32Array
  /** Places of each group. */
  readonly taps: number
  /** Elements of the tensor. */
  readonly size: number
}

/** Members of each group. */
function countsOf({ places, taps }: Groups): Int32Array {
  const counts = new Int32Array(places.length / taps)
  for (let i = 0; i < places.length; i++) if (places[i] >= 0) counts[Math.floor(i / taps)]++
  return counts
}

/** How many groups one element is a member of, at most. */
function overlapOf({ places, size }: Groups): number {
  const members = new Int32Array(size)
  let most = 0
  for (let i = 0; i < places.length; i++) if (places[i] >= 0) most = Math.max(most, ++members[places[i]])
  return most
}

/** z ↦ the mean of each group, times its factor. */
function means({ places, taps, size }: Groups, counts: Int32Array) {
  return {
    of: (z: Float64Array) => {
      const result = new Float64Array(counts.length)
      for (let i = 0; i < places.length; i++) if (places[i] >= 0) result[Math.floor(i / taps)] += z[places[i]]
      for (let g = 0; g < result.length; g++) if (counts[g] > 0) result[g] /= counts[g]
      return result
    },
    adjoint: (y: Float64Array) => {
      const result = new Float64Array(size)
      for (let i = 0; i < places.length; i++) {
        const g = Math.floor(i / taps)
        if (places[i] >= 0) result[places[i]] += y[g] / counts[g]
      }
      return result
    },
  }
}

/** z ↦ what each member of a group differs by from its mean, times a factor of the group. */
function deviations(groups: Groups, counts: Int32Array, factors: Float64Array): LinearMap {
  const { places, taps, size } = groups
  const { of } = means(groups, counts)
  return {
    apply: ([z]) => {
      if (!z) return [null]
      const middle = of(z)
      const result = new Float64Array(places.length)
      for (let i = 0; i < result.length; i++) {
        const g = Math.floor(i / taps)
        if (places[i] >= 0) result[i] = factors[g] * (z[places[i]] - middle[g])
      }
      return [result]
    },
    applyAdjoint: ([q]) => {
      if (!q) return [null]
      const sums = new Float64Array(counts.length)
      for (let i = 0; i < places.length; i++) if (places[i] >= 0) sums[Math.floor(i / taps)] += q[i]
      const result = new Float64Array(size)
      for (let i = 0; i < places.length; i++) {
        const g = Math.floor(i / taps)
        if (places[i] >= 0) result[places[i]] += factors[g] * (q[i] - sums[g] / counts[g])
      }
      return [result]
    },
  }
}

const identity = (length: number) => Int32Array.from({ length }, (_, i) => i)
const ofEach = ({ places, taps }: Groups) => Int32Array.from(places, (_, i) => Math.floor(i / taps))

/**
 * One element of each group of n, or a mean of them with weights of its own at each point (the largest, ln Σ e^z): a
 * gradient s ≥ 0 with Σ s = 1, and so its mean along a segment. With s = 1/n + d, d adds up to 0 and |d|² ≤ 1 − 1/n, so that
 * Δa is the mean of Δz and at most √(1 − 1/n)·|Δz − mean|. No bound of the form |Δa| ≤ |Δz| says as much: by Cauchy and
 * Schwarz, (|mean|·1 + √(1 − 1/n)·|Δz − mean|)² ≤ (1/n + 1 − 1/n)·(n·mean² + |Δz − mean|²) = |Δz|².
 */
export function selection(groups: Groups): Block {
  const counts = countsOf(groups)
  const factors = Float64Array.from(counts, (n) => (1 - 1 / Math.max(1, n)) ** 0.25 * (1 + 2 ** -50))
  const { of, adjoint } = means(groups, counts)
  const overlap = overlapOf(groups)
  return {
    split: {
      apply: ([z, u]) => {
        if (!z && !u) return [null]
        const a = z ? of(z) : new Float64Array(counts.length)
        if (u) for (let g = 0; g < a.length; g++) a[g] += factors[g] * u[g]
        return [a]
      },
      applyAdjoint: ([a]) => (a ? [adjoint(a), a.map((value, g) => value * factors[g])] : [null, null]),
    },
    measure: deviations(groups, counts, factors),
    size: counts.length,
    measured: groups.places.length,
    groupsOf: identity(counts.length),
    groupsMeasured: ofEach(groups),
    groups: counts.length,
    gain: Math.sqrt(overlap + 1),
    measureGain: Math.sqrt(overlap) * (1 + 2 ** -40),
    terms: groups.taps + overlap + 4,
  }
}

/**
 * Softmax of groups that do not overlap and fill the tensor: its Jacobian diag(p) − ppᵀ is symmetric, between 0 and ½,
 * and takes 1 to 0, and so does its mean along a segment. It is therefore ¼P and a remainder of norm ¼ on the image of P, which
 * takes off the mean.
 */
export function softmaxBlock(groups: Groups): Block {
  const counts = countsOf(groups)
  const halves = new Float64Array(counts.length).fill(0.5)
  const scatter = scattered(groups)
  const half = deviations(groups, counts, halves)
  return {
    split: {
      apply: ([z, u]) => {
        if (!z && !u) return [null]
        const a = new Float64Array(groups.size)
        const add = (part: Float64Array | null | undefined, factor: number) => {
          const own = part ? scatter(part) : null
          if (own) for (let i = 0; i < a.length; i++) a[i] += factor * own[i]
        }
        if (z) add(half.apply([z])[0], 0.5)
        if (u) add(half.apply([u])[0], 1)
        return [a]
      },
      applyAdjoint: ([a]) => {
        const part = a ? half.apply([a])[0] : null
        const own = part ? scatter(part) : null
        return own ? [own.map((value) => 0.5 * value), own] : [null, null]
      },
    },
    measure: half,
    size: groups.size,
    measured: groups.places.length,
    groupsOf: Int32Array.from(scatter(Float64Array.from(ofEach(groups)))),
    groupsMeasured: ofEach(groups),
    groups: counts.length,
    gain: 0.6,
    measureGain: 0.5 * (1 + 2 ** -40),
    terms: 2 * groups.taps + 8,
  }
}

/** ln softmax = z − ln Σ e^z: Δz − mean, less what the second is off the mean, in every element. */
export function logSoftmaxBlock(groups: Groups): Block {
  const counts = countsOf(groups)
  const single = selection(groups)
  const whole = deviations(groups, counts, new Float64Array(counts.length).fill(1))
  const scatter = scattered(groups)
  const factors = Float64Array.from(counts, (n) => (1 - 1 / Math.max(1, n)) ** 0.25 * (1 + 2 ** -50))
  const owners = Int32Array.from(scatter(Float64Array.from(ofEach(groups))))
  return {
    ...single,
    split: {
      apply: ([z, u]) => {
        if (!z && !u) return [null]
        const part = z ? whole.apply([z])[0] : null
        const a = part ? scatter(part) : new Float64Array(groups.size)
        if (u) for (let i = 0; i < a.length; i++) a[i] -= factors[owners[i]] * u[owners[i]]
        return [a]
      },
      applyAdjoint: ([a]) => {
        if (!a) return [null, null]
        const part = whole.apply([a])[0] as Float64Array
        const sums = new Float64Array(counts.length)
        for (let i = 0; i < a.length; i++) sums[owners[i]] -= factors[owners[i]] * a[i]
        return [scatter(part), sums]
      },
    },
    gain: Math.sqrt(1 + groups.taps) * (1 + 2 ** -40),
    terms: 2 * groups.taps + 8,
  }
}

/** Members of groups that do not overlap, back in their places. */
function scattered({ places, size }: Groups): (q: Float64Array) => Float64Array {
  return (q) => {
    const result = new Float64Array(size)
    for (let i = 0; i < places.length; i++) if (places[i] >= 0) result[places[i]] = q[i]
    return result
  }
}
