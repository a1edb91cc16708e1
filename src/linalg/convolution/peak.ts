import { createRandom, gaussianVector } from '../../core/random.ts'
import { gamma } from '../rounding-error.ts'
import { createHermitian } from './hermitian.ts'
import type { RitzPair } from './ritz.ts'
import { ritzPair } from './ritz.ts'
import type { FourierSymbol } from './symbol.ts'

/** A frequency where the symbol is large: σ² there from below (but for rounding) and the eigenvector of H (see Hermitian). */
export interface Peak {
  readonly frequency: readonly number[]
  readonly value: number
  readonly vector: Float64Array
}

/** Coarse grid points per axis and per degree of H. */
const DENSITY = 3
/** How many of the highest points of the coarse grid are climbed from. */
const CLIMBS = 3

/** Estimates of λ_max(H(ω)); no proof rests on them. */
export interface PeakFinder {
  /** λ_max at one frequency, by a few Lanczos steps from `start`. */
  at(frequency: readonly number[], start: Float64Array, steps: number): Peak
  /** A proven lower bound on σ at a peak, and so on sup σ. */
  provenAt(peak: Peak): number
  /** Climbs along the given axes to a local maximum. */
  climb(from: Peak, axes: readonly number[]): Peak
  /** The highest peak that a coarse grid over the given axes leads to, the other frequencies as in `base`. */
  highest(base: readonly number[], axes: readonly number[]): Peak
}

export function peakFinder(symbol: FourierSymbol, seed: number): PeakFinder {
  const { order, degrees } = symbol
  const matrix = createHermitian(order)
  const random = gaussianVector(2 * matrix.evenOrder, createRandom(seed))
  const multiply = (v: Float64Array, z: Float64Array) => matrix.multiply(v, z)
  const scalar = Float64Array.of(1, 0, 0, 0)

  function at(frequency: readonly number[], start: Float64Array, steps: number): Peak {
    matrix.evaluate(symbol, frequency)
    if (order === 1) return { frequency, value: Math.max(0, matrix.first()), vector: scalar }
    const pair: RitzPair = ritzPair(multiply, start, steps, 1e-9)
    // a matrix that is exactly zero has no direction to converge to
    return pair.value > 0 ? { frequency, ...pair } : { frequency, value: 0, vector: start }
  }

  /** The Rayleigh quotient of the vector, less what rounding can do to it: one of a staircase has 2r terms per sum. */
  function provenAt({ frequency, vector }: Peak): number {
    matrix.evaluate(symbol, frequency)
    const image = new Float64Array(vector.length)
    const start = order === 1 ? Float64Array.of(1, 0, 0, 0) : vector
    matrix.multiply(start, image)
    let energy = 0
    let squares = 0
    for (let i = 0; i < image.length; i++) {
      energy += image[i] * start[i]
      squares += start[i] * start[i]
    }
    const rounding = 8 * order * gamma(4 * order + 16)
    const square = (energy / squares) * (1 - rounding) - symbol.error
    return square > 0 ? Math.sqrt(square) * (1 - 2 ** -50) : 0
  }

  /** One parabola per axis and round, with a step that shrinks. */
  function climb(from: Peak, axes: readonly number[]): Peak {
    let best = at(from.frequency, from.vector, 12)
    const step = axes.map((a) => Math.PI / (DENSITY * (degrees[a] + 1)))
    for (let round = 0; round < 8; round++) {
      const next = [...best.frequency]
      axes.forEach((a, i) => {
        const shifted = (by: number) =>
          at(best.frequency.with(a, best.frequency[a] + by), best.vector, 4).value
        const right = shifted(step[i])
        const left = shifted(-step[i])
        const curvature = left + right - 2 * best.value
        const move =
          curvature < 0 ? (0.5 * step[i] * (left - right)) / curvature : right > left ? step[i] : -step[i]
        next[a] += Math.max(-step[i], Math.min(step[i], move))
        step[i] /= 3
      })
      const moved = at(next, best.vector, 6)
      if (moved.value > best.value) best = moved
    }
    return best
  }

  function highest(base: readonly number[], axes: readonly number[]): Peak {
    const points = axes.map((a) => DENSITY * (degrees[a] + 1))
    const total = points.reduce((product, count) => product * count, 1)
    // σ(−ω) = σ(ω): where all axes are free half of the first is enough
    const share = axes.length === base.length ? Math.floor(points[0] / 2) + 1 : points[0]
    let found: Peak[] = []
    for (let index = 0; index < (total / points[0]) * share; index++) {
      const frequency = [...base]
      let rest = index
      for (let i = axes.length - 1; i >= 0; i--) {
        frequency[axes[i]] = (2 * Math.PI * (rest % points[i])) / points[i]
        rest = Math.floor(rest / points[i])
      }
      found.push(at(frequency, random, 6))
      if (found.length > 64) found = highestOf(found, CLIMBS)
    }
    return highestOf(
      highestOf(found, CLIMBS).map((peak) => climb(peak, axes)),
      1,
    )[0]
  }

  return { at, provenAt, climb, highest }
}

function highestOf(peaks: Peak[], count: number): Peak[] {
  return peaks.sort((a, b) => b.value - a.value).slice(0, count)
}
