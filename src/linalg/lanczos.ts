import type { FloatArray } from '../core/tensor.ts'
import { gamma, outward, unitRoundoff } from './rounding-error.ts'
import { largestEigenvalue, solveShifted, topEigenvector } from './tridiagonal.ts'

/**
 * The Lanczos process on B = AᵀA and what it proves about λ = λ_max(B).
 *
 * After k steps the computed vectors satisfy B vⱼ = βⱼ₋₁vⱼ₋₁ + αⱼvⱼ + βⱼvⱼ₊₁ + fⱼ, fⱼ being everything that
 * rounding and reorthogonalisation put in, with a known bound φⱼ ≥ ‖fⱼ‖. Let u be a unit eigenvector of λ and
 * cⱼ = ⟨u, vⱼ⟩. Taking the inner product with u gives (λI − T) c = βₖcₖ₊₁eₖ + ⟨u, f⟩ with |cₖ₊₁| ≤ ‖vₖ₊₁‖. For
 * t above the eigenvalues of T let x(t) = (tI − T)⁻¹e₁ > 0: if λ ≥ t then
 *
 *     |c₁|  ≤  βₖ xₖ(t) + Σⱼ φⱼ xⱼ(t)  =: F(t),
 *
 * because t·x(t) falls with t (T has no negative entry). So λ < t unless |⟨u, v₁⟩| ≤ F(t), and a uniformly random
 * start does that with probability ≤ F(t)·√(2n/π) in n ≥ 3 dimensions. In exact arithmetic this is Hochstenbach's
 * bound (Probabilistic upper bounds for the matrix two-norm, 2013) since βₖxₖ(t) = 1/|pₖ(t)| for the Lanczos
 * polynomial pₖ. The event does not depend on k: the process may stop at any step.
 *
 * Two processes with independent starts only fail together: λ ≥ t needs |⟨u, v₁⟩| ≤ F(t) in each. The overlaps are
 * independent, but t is chosen after the fact: what is bounded is the probability that there is any t for which both
 * are that small (see `jointFailure`). Two processes, sharing each pass over the weights, need hardly more than half
 * the steps of one, and each may be sure to 1e-6 only, far above rounding.
 *
 * The proof needs no orthogonality, only small fⱼ. Reorthogonalisation is for processes that run on after a Ritz
 * value has converged to rounding; up to there it changes nothing.
 *
 * Cost per step: one product with B, which the caller makes, about 10n flops, and 4nk more where the k vectors so far
 * are orthogonalised against; memory n·k numbers, of 4 bytes without
 * reorthogonalisation.
 */
export interface Lanczos {
  /** Steps taken. */
  readonly steps: number
  /** The Krylov space is exhausted: more steps cannot help. */
  readonly exhausted: boolean
  /** Largest Ritz value: an estimate of λ, from below but for rounding. */
  readonly ritzValue: number
  /** The vector v whose product B v the next step needs. */
  readonly direction: Float64Array
  /** Takes the step; overwrites `product`, whose rounding error is that of all products where none is given. */
  step(product: Float64Array, roundingError?: number): void
  /** ‖B y − θ y‖ for the Ritz pair (θ, y), but for rounding. */
  residual(): number
  /** Writes the Ritz vector; its norm is 1 but for rounding. */
  ritzVector(out: Float64Array): void
  /** A probability that is not exceeded by that of λ ≥ t, over the random start; 1 for t that is not above θ. */
  failureAt(t: number): number
  /** What one more step with a product of this rounding error adds to `failureAt(t)`; 1 for t that is not above θ. */
  harmAt(t: number, roundingError: number): number
}

function dot(a: FloatArray, b: Float64Array): number {
  let even = 0
  let odd = 0
  const paired = a.length & ~1
  for (let i = 0; i < paired; i += 2) {
    even += a[i] * b[i]
    odd += a[i + 1] * b[i + 1]
  }
  return paired < a.length ? even + odd + a[paired] * b[paired] : even + odd
}

function addScaled(target: Float64Array, factor: number, source: FloatArray): void {
  for (let i = 0; i < target.length; i++) target[i] += factor * source[i]
}

/**
 * Starts the process at `start`: any nonzero vector, uniformly random in direction where bounds are wanted.
 * `roundingError` is that of the products, as `NormalMap` defines it.
 */
export function lanczos(start: Float64Array, roundingError: number, reorthogonalise = true): Lanczos {
  const n = start.length
  let capacity = Math.min(n, 32)
  let diagonal = new Float64Array(capacity)
  let offDiagonal = new Float64Array(capacity)
  /** φⱼ without the part that grows with ‖A‖. */
  let defects = new Float64Array(capacity)
  /** Rounding errors of the products, the part that grows with ‖A‖. */
  let errors = new Float64Array(capacity)
  /** All vectors so far, for the Ritz vector; float32 suffices where nothing is orthogonalised against them. */
  const basis: FloatArray[] = []
  let current = new Float64Array(n)
  let previous = new Float64Array(n)
  const correction = new Float64Array(reorthogonalise ? n : 0)
  let steps = 0
  let ritz = 0
  let exhausted = false

  function grow(): void {
    if (steps < capacity) return
    capacity = capacity * 2
    const longer = (old: Float64Array) => {
      const grown = new Float64Array(capacity)
      grown.set(old)
      return grown
    }
    diagonal = longer(diagonal)
    offDiagonal = longer(offDiagonal)
    defects = longer(defects)
    errors = longer(errors)
  }

  const matrix = () => ({ order: steps, diagonal, offDiagonal })

  /** Makes vector / norm the current one. */
  function advance(vector: Float64Array, norm: number): void {
    const unit = previous
    previous = current
    current = unit
    for (let i = 0; i < n; i++) unit[i] = vector[i] / norm
    basis.push(reorthogonalise ? unit.slice() : new Float32Array(unit))
  }
  advance(start, Math.sqrt(dot(start, start)))

  function step(residue: Float64Array, productError = roundingError): void {
    grow()
    const beta = steps > 0 ? offDiagonal[steps - 1] : 0
    const size = Math.sqrt(dot(residue, residue))
    let alpha = dot(current, residue)
    addScaled(residue, -alpha, current)
    if (steps > 0) addScaled(residue, -beta, previous)

    let removed = 0
    let accumulated = 0
    if (reorthogonalise) {
      correction.fill(0)
      for (let i = 0; i <= steps; i++) {
        const overlap = dot(basis[i], residue)
        addScaled(correction, overlap, basis[i])
        accumulated += Math.abs(overlap)
        if (i === steps) alpha += overlap
        else removed += Math.abs(overlap)
      }
      addScaled(residue, -1, correction)
    }
    const clamped = Math.max(alpha, 0)
    const norm = Math.sqrt(dot(residue, residue))
    diagonal[steps] = clamped
    offDiagonal[steps] = norm
    const elementwise =
      12 * unitRoundoff * (size + clamped + beta + norm) + 2 * gamma(steps + 4) * accumulated
    defects[steps] = (elementwise + (clamped - alpha) + removed) * (1 + 4 * gamma(n))
    errors[steps] = productError
    steps++
    ritz = largestEigenvalue(matrix(), ritz * (1 - 2 ** -50))
    exhausted = (reorthogonalise && steps === n) || norm <= 2 ** -46 * ritz
    if (!exhausted) advance(residue, norm)
  }

  let scratch = { x: new Float64Array(0), pivots: new Float64Array(0), b: new Float64Array(0) }

  /** One component of a random unit vector is as small as `overlap` with probability ≤ density · overlap. */
  const density = Math.sqrt((2 * n) / Math.PI) * (1 + 2 ** -20)

  /** x(t), in `scratch`; false where it is not defined. */
  function solveAt(t: number): boolean {
    if (scratch.x.length < steps) {
      scratch = {
        x: new Float64Array(capacity),
        pivots: new Float64Array(capacity),
        b: new Float64Array(capacity),
      }
      scratch.b[0] = 1
    }
    const { x, pivots, b } = scratch
    return solveShifted(matrix(), t, b, x, pivots)
  }

  function failureAt(t: number): number {
    if (n < 3 || !solveAt(t)) return 1
    const { x } = scratch
    const root = Math.sqrt(t)
    let overlap = offDiagonal[steps - 1] * x[steps - 1] * (1 + gamma(n))
    for (let i = 0; i < steps; i++) overlap += x[i] * (errors[i] * root + defects[i])
    return Math.min(1, overlap * density)
  }

  function harmAt(t: number, productError: number): number {
    if (n < 3 || steps === 0 || !solveAt(t)) return 1
    return Math.min(1, scratch.x[steps - 1] * productError * Math.sqrt(t) * density)
  }

  return {
    get steps() {
      return steps
    },
    get exhausted() {
      return exhausted
    },
    get ritzValue() {
      return ritz
    },
    get direction() {
      return current
    },
    step,
    residual() {
      const vector = topEigenvector(matrix(), ritz)
      return offDiagonal[steps - 1] * Math.abs(vector[steps - 1])
    },
    ritzVector(out) {
      const weights = topEigenvector(matrix(), ritz)
      out.fill(0)
      for (let i = 0; i < steps; i++) addScaled(out, weights[i], basis[i])
    },
    failureAt,
    harmAt,
  }
}

/** How far apart processes may be, as a natural logarithm, for the better one to count in full. */
const SPREAD = 2

/**
 * The failures of processes with independent starts as one number, which over the starts is p or less with a probability
 * of at most (1 + SPREAD)^(k − 1)·p for k processes.
 *
 * The product f·g of two would be, with a probability of p(1 + ln 1/p): below the hyperbola there is much room where one
 * factor is large. Both are near one another, so the lesser one counts as no less than e^−SPREAD times the greater one.
 * Of the area below the hyperbola that leaves what lies in the square with the side e^{SPREAD/2}√p, which is p + SPREAD·p.
 * Of k numbers let m be the greatest and m·yᵢ the others: the volume is p·(E 1/max(y, e^−SPREAD))^(k − 1), each factor
 * e^−SPREAD·e^SPREAD + SPREAD.
 */
export function jointFailure(failures: readonly number[]): number {
  const largest = Math.max(...failures)
  const counted = failures.length < 2 ? 0 : largest * Math.exp(-SPREAD) * (1 + 2 ** -50)
  return failures.reduce((product, failure) => product * Math.max(failure, counted), 1)
}

/** What `jointFailure` of so many processes may be at most. */
export function jointQuantile(processes: number, failureProbability: number): number {
  return failureProbability / (1 + SPREAD) ** (processes - 1)
}

/**
 * The least t (within 1 % of its distance from the Ritz value) that λ exceeds with at most the given probability, by one
 * process or several with independent uniformly random starts. Infinity where they prove nothing.
 */
export function upperBound(processes: readonly Lanczos[], failureProbability: number): number {
  const ritz = Math.max(...processes.map((process) => process.ritzValue))
  const quantile = jointQuantile(processes.length, failureProbability)
  const holds = (gap: number) => {
    const t = ritz * (1 + gap)
    return jointFailure(processes.map((process) => process.failureAt(t))) <= quantile
  }
  let high = 2 ** -48
  while (!holds(high)) {
    high *= 16
    if (high > 2 ** 64) return Infinity
  }
  let low = high / 16
  while (high > 1.01 * low) {
    const middle = Math.sqrt(low * high)
    if (holds(middle)) high = middle
    else low = middle
  }
  return outward(ritz * (1 + high))
}
