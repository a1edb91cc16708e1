import { createRandom, gaussianVector } from '../../core/random.ts'
import { encloseMatrix } from '../dense.ts'
import { gamma, outward } from '../rounding-error.ts'
import type { SizedAxis } from './axis.ts'
import { createHermitian, factorisationError, type Hermitian } from './hermitian.ts'
import { ritzPair } from './ritz.ts'
import { raisePeak, type Spectrum } from './spectrum.ts'
import { type Circle, leastPoints } from './torus.ts'

/**
 * An upper bound between that of a torus and the finite operator itself: what a wave loses at the borders.
 *
 * The finite operator T is a part of a convolution C on circles of N_a ≥ leastPoints points, with twists (see torus.ts), so
 * T T* ≤ P C C* P (or T*T ≤ Q* C*C Q), P being the restriction to m = ∏ m_a of the N = ∏ N_a points. C C* is block
 * diagonal over the frequencies ω_k with blocks H(ω_k). Where
 *
 *     H(ω_k) ≤ τ + Σ_i d_i w_i w_i*        for every k, proven by a Cholesky factorisation each,
 *
 * with few vectors w_i in all, ‖T‖² ≤ τ + λ_max(G D G*), G holding the waves N^{-1/2} e^{iω_k·q} w_i on the m points only. The
 * overlaps G*G of these waves are Dirichlet kernels times inner products, so what is left is a matrix of the
 * order of the number of vectors. A torus alone says max_k λ_max(H(ω_k)); the smaller τ, the nearer this comes to the
 * norm of P C C* P, a distance of order 1/n³ from that of T.
 *
 * Cost: N/2 factorisations, and a few dozen products with each H(ω_k) that has vectors. Rounding: factorisations as in
 * Prover; the matrix of overlaps errs by at most ε of its Frobenius norm.
 */
export function croppedTorusBound(
  axes: readonly SizedAxis[],
  spectrum: Spectrum,
  level: number,
  limit: number,
): number | null {
  const { symbol, peak } = spectrum
  if (symbol.order === 1) return null
  const circles = axes.map((axis, a) => halfWayCircle(axis, peak.frequency[a]))
  const matrix = createHermitian(symbol.order)
  const waves: Wave[] = []
  for (const { frequency, paired } of frequenciesOf(circles)) {
    const found = excessOver(matrix, spectrum, frequency, level, limit - waves.length)
    if (found === null) return null
    if (found.length > 0)
      raisePeak(spectrum, { frequency, value: found[0].excess + level, vector: found[0].vector })
    for (const { excess, vector } of found) {
      waves.push({ frequency, excess, vector })
      if (paired) waves.push({ frequency: frequency.map((w) => -w), excess, vector: conjugate(vector) })
    }
    if (waves.length > limit) return null
  }
  if (waves.length === 0) return Math.sqrt(level) * (1 + 2 ** -50)
  const sign = symbol.side === 'outputs' ? 1 : -1
  const overlaps = overlapMatrix(waves, circles, axes.map(pointsInside(symbol.side)), sign)
  const above = encloseMatrix(
    { rows: overlaps.order, columns: overlaps.order, data: overlaps.data },
    { tolerance: 1e-6, certify: 'deterministic', seed: 1, failureProbability: 0 },
  )
  return outward(Math.sqrt(outward(level + above.upper + overlaps.error)))
}

/** Frequencies, one of ω and −ω, that a bound looks at. */
export function torusFrequencies(axes: readonly SizedAxis[]): number {
  return axes.reduce((product, axis) => product * leastPoints(axis), 0.5)
}

/** One w with its d at a frequency. */
interface Wave {
  readonly frequency: readonly number[]
  readonly excess: number
  /** Real parts, then imaginary parts. */
  readonly vector: Float64Array
}

/** Points of an axis that the finite operator has: outputs, or blocks of inputs. */
function pointsInside(side: 'outputs' | 'inputs'): (axis: SizedAxis) => number {
  return ({ stride, pad, inputs, outputs }) =>
    side === 'outputs' ? outputs : Math.floor((inputs - 1 + pad) / stride) - Math.floor(pad / stride) + 1
}

/** The circle, of a twist that real waves allow, on which the peak lies farthest from the frequencies. */
function halfWayCircle(axis: SizedAxis, peak: number): Circle {
  const turns = peak / (2 * Math.PI)
  const least = leastPoints(axis)
  let best: Circle = { points: least, phase: 0 }
  let farthest = -1
  for (let points = least; points <= least + 1; points++) {
    for (const phase of [0, 0.5]) {
      const position = turns * points - phase
      const distance = Math.abs(position - Math.round(position)) / points
      if (distance > farthest * (1 + 1e-9)) {
        farthest = distance
        best = { points, phase }
      }
    }
  }
  return best
}

/** The frequencies of the circles, one of ω and −ω; `paired` where these are two. */
function frequenciesOf(circles: readonly Circle[]): { frequency: number[]; paired: boolean }[] {
  let indexes: number[][] = [[]]
  for (const { points } of circles) {
    indexes = indexes.flatMap((head) => Array.from({ length: points }, (_, k) => [...head, k]))
  }
  return indexes.flatMap((index) => {
    const opposite = index.map((k, a) => {
      const { points, phase } = circles[a]
      return (2 * points - k - 2 * phase) % points
    })
    const first = index.findIndex((k, a) => k !== opposite[a])
    if (first >= 0 && index[first] > opposite[first]) return []
    const frequency = index.map((k, a) => (2 * Math.PI * (k + circles[a].phase)) / circles[a].points)
    return [{ frequency, paired: first >= 0 }]
  })
}

/** Vectors of one H that are looked for. */
const MOST = 8
/** How far below the level a vector's share is brought. */
const ROOM = 1e-5

/**
 * What H(ω) has above the level, proven to be all; null where that is too much. Taking d w w* off errs by at most
 * γ(‖H‖_F + Σ d‖w‖²), and ‖H‖₂ is itself at most the level and Σ d‖w‖² where the factorisation succeeds.
 */
function excessOver(
  matrix: Hermitian,
  { symbol, peak }: Spectrum,
  frequency: readonly number[],
  level: number,
  limit: number,
): Omit<Wave, 'frequency'>[] | null {
  const { order, error } = symbol
  const found: Omit<Wave, 'frequency'>[] = []
  const slack = 2 * factorisationError(order) * order
  const half = matrix.evenOrder
  const random = createRandom(1)
  const start = peak.vector
  while (true) {
    load()
    const size = found.reduce((sum, { excess }) => sum + 4 * excess, 2 * level)
    const subtraction = gamma(4 * found.length + 8) * order * size
    const t = (level * (1 - slack) - error - subtraction) * (1 - 2 ** -40)
    if (matrix.isBelow(t)) return found
    if (found.length >= Math.min(MOST, limit)) return null
    load()
    const from = found.length === 0 ? start : gaussianVector(2 * half, random)
    const { value, vector } = ritzPair((v, z) => matrix.multiply(v, z), from, 80, 1e-6)
    for (let i = order; i < half; i++) vector[i] = vector[half + i] = 0
    found.push({ excess: Math.max(value - level, 0) + level * ROOM, vector })
  }

  /** H less what has been found, into the matrix. */
  function load(): void {
    matrix.evaluate(symbol, frequency)
    const { real, imaginary } = matrix.elements()
    for (const { excess, vector } of found) {
      for (let i = 0; i < order; i++) {
        const m = i >> 1
        const row = 2 * m * (m + 1) + (i & 1) * (2 * m + 2)
        const re = excess * vector[i]
        const im = excess * vector[half + i]
        for (let j = 0; j <= i; j++) {
          real[row + j] -= re * vector[j] + im * vector[half + j]
          imaginary[row + j] -= im * vector[j] - re * vector[half + j]
        }
      }
    }
  }
}

function conjugate(vector: Float64Array): Float64Array {
  const half = vector.length / 2
  return vector.map((value, i) => (i < half ? value : -value))
}

/** D^{1/2} G*G D^{1/2} as a real matrix of twice the order. */
function overlapMatrix(
  waves: readonly Wave[],
  circles: readonly Circle[],
  inside: readonly number[],
  sign: number,
): { order: number; data: Float64Array; error: number } {
  const count = waves.length
  const order = 2 * count
  const data = new Float64Array(order * order)
  let squares = 0
  waves.forEach((a, i) => {
    const half = a.vector.length / 2
    waves.forEach((b, j) => {
      let re = 0
      let im = 0
      for (let c = 0; c < half; c++) {
        re += a.vector[c] * b.vector[c] + a.vector[half + c] * b.vector[half + c]
        im += a.vector[c] * b.vector[half + c] - a.vector[half + c] * b.vector[c]
      }
      circles.forEach(({ points }, axis) => {
        const difference = sign * (b.frequency[axis] - a.frequency[axis])
        let p = 0
        let q = 0
        for (let x = 0; x < inside[axis]; x++) {
          p += Math.cos(difference * x)
          q += Math.sin(difference * x)
        }
        const next = (re * p - im * q) / points
        im = (re * q + im * p) / points
        re = next
      })
      const scale = Math.sqrt(a.excess) * Math.sqrt(b.excess)
      data[i * order + j] = data[(count + i) * order + count + j] = scale * re
      data[i * order + count + j] = -scale * im
      data[(count + i) * order + j] = scale * im
      squares += 2 * scale * scale * dot(a.vector) * dot(b.vector)
    })
  })
  const longest = Math.max(...inside)
  // sums over channels and points, and angles of up to 2π · points
  const relative = gamma(8 * waves[0].vector.length + 64 * longest * circles.length + 64)
  return { order, data, error: relative * Math.sqrt(squares) * 2 }
}

function dot(vector: Float64Array): number {
  return vector.reduce((sum, value) => sum + value * value, 0)
}
