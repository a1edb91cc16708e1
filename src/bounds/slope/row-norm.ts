import { allocateFloats, floatsAt, scoped } from '../../linalg/arena.ts'
import { certificationSlack, certifyGram } from '../../linalg/cholesky.ts'
import { mirror } from '../../linalg/gram.ts'
import { kernels, type Pointer } from '../../linalg/kernels.ts'
import { lanczos } from '../../linalg/lanczos.ts'
import { gamma, outward } from '../../linalg/rounding-error.ts'
import { adjointRows } from './adjoint-rows.ts'
import { type JointNorm, weightOf } from './joint-weight.ts'
import { rowsOf, type Window } from './window.ts'

/** Rounds in which τ settles, and multiply-adds that they may cost: a small part of what the bound itself takes. */
const ROUNDS = 30
const SETTLING = 3e6
/** Elements of all Gram matrices together: 1 GB. */
const GRAMS = 2 ** 27
/** Residuals of eigenvalues, relatively: of those that only scale, and of the one that is proven. */
const [COARSE, PRECISE] = [1e-4, 1e-11]

/**
 * The bound of a window from the rows of its matrices, with a deterministic certificate. With Kₛ = GₛGₛᵀ computed in
 * float64, Σ Kₛ/τₛ is at most t in norm by a verified factorisation (cholesky.ts), the rounding of the products
 * included, and the rows themselves are right to E = √n·(error of one application), so that
 *
 *     ‖[G₁/√τ₁ …]‖₂  ≤  √t + √(Σ Eₛ²/τₛ).
 *
 * Cost: one application of the adjoint for each of the n rows, n²·Σ sizes for the Gram matrices, n³/3.
 */
export function rowNorm(window: Window): JointNorm | null {
  return scoped(() => {
    const { sources, slotSizes } = window
    const rows = rowsOf(window)
    const sizes = sources.map(({ slots }) => slots.reduce((sum, slot) => sum + slotSizes[slot], 0))
    const places = adjointRows(window, rows)
    if (sources.length * rows * rows > GRAMS) return null
    const packed = allocateFloats((rows + 3) * 256)
    const grams = sources.map(() => allocateFloats(rows * rows))
    const squares: number[] = []
    for (const [s, { slots }] of sources.entries()) {
      floatsAt(grams[s], rows * rows).fill(0)
      let square = 0
      for (const slot of slots) {
        const columns = slotSizes[slot]
        const frobenius = frobeniusOf(floatsAt(places[slot], rows * columns))
        if (!(frobenius < 1e100 && (frobenius > 1e-100 || frobenius === 0))) return null
        square += frobenius * frobenius
        kernels().gramF64(places[slot], rows, columns, columns, 1, grams[s], packed)
      }
      mirror(rows, floatsAt(grams[s], rows * rows))
      squares.push(square)
    }
    const scales = settle(grams, sources, rows)
    const error = gramError(squares, scales, sizes)
    const pointer = allocateFloats(rows * rows)
    const whole = floatsAt(pointer, rows * rows)
    whole.fill(0)
    grams.forEach((gram, s) => {
      const [weight, part] = [scales[s] * scales[s], floatsAt(gram, rows * rows)]
      for (let i = 0; i < part.length; i++) whole[i] += weight * part[i]
    })
    const estimate = topEigenvalue(pointer, rows, PRECISE)
    if (!(estimate > 1e-280 && estimate < 1e280)) return null
    const gram = { order: rows, pointer, error }
    const { each } = window.errors(scales)
    const lost = outward(Math.sqrt(rows) * Math.hypot(...each.map((wrong, s) => wrong * scales[s])))
    for (let gap = 2 ** -40; gap < 1; gap *= 8) {
      const target = estimate * (1 + gap) + certificationSlack(gram, estimate)
      const proven = certifyGram(gram, target)
      if (proven === null) continue
      const bound = outward((Math.sqrt(proven) * (1 + 2 ** -52) + lost) * weightOf(sources, scales))
      return { bound, failureProbability: 0 }
    }
    return null
  })
}

/** ‖computed − exact‖₂ of Σ Gₛ Gₛᵀ/τₛ: each entry a sum of products, then one over the sources. */
function gramError(squares: readonly number[], scales: readonly number[], sizes: readonly number[]): number {
  const roundings = squares.map((square, s) => gamma(sizes[s] + squares.length + 6) * square * scales[s] ** 2)
  return outward(roundings.reduce((sum, part) => sum + part, 0) * (1 + 2 ** -20))
}

/**
 * Scales 1/√τ that make the bound nearly least. With tₛ = ln τₛ, ln λ_max(Σ e^{−tₛ} Kₛ) + ln Σ e^{tₛ} bₛ² is convex; it
 * starts where it is no more than the sum of norms, at τₛ = ‖Gₛ‖/bₛ, and descends along its gradient, the difference of
 * two sets of shares.
 */
function settle(
  grams: readonly Pointer[],
  sources: readonly { readonly bound: number }[],
  rows: number,
): number[] {
  const norms = grams.map((gram) => Math.sqrt(topEigenvalue(gram, rows, COARSE)))
  const largest = Math.max(...norms.map((size, s) => size * sources[s].bound))
  const floor = (s: number) => Math.max(norms[s], (1e-6 * largest) / sources[s].bound)
  let t = sources.map(({ bound }, s) => Math.log(floor(s) / bound))
  if (grams.length === 1) return t.map((value) => Math.exp(-value / 2))
  const [from, to] = [allocateFloats(rows), allocateFloats(rows)]
  const [v, image] = [floatsAt(from, rows), floatsAt(to, rows)]
  for (let i = 0; i < rows; i++) v[i] = 1 + (i % 7) / 7
  let [best, least, step] = [t, Infinity, 0.5]
  const rounds = Math.min(ROUNDS, SETTLING / (3 * grams.length * rows * rows))
  for (let round = 0; round < rounds; round++) {
    const shares = new Array<number>(grams.length).fill(0)
    let value = 0
    for (let power = round === 0 ? 12 : 3; power > 0; power--) {
      const next = new Float64Array(rows)
      grams.forEach((gram, s) => {
        const weight = Math.exp(-t[s])
        kernels().imageF64(gram, rows, rows, from, to)
        let square = 0
        for (let i = 0; i < rows; i++) {
          square += v[i] * image[i]
          next[i] += weight * image[i]
        }
        shares[s] = weight * square
      })
      const length = frobeniusOf(next)
      value = length / frobeniusOf(v)
      for (let i = 0; i < rows; i++) v[i] = next[i] / length
    }
    const weights = sources.map(({ bound }, s) => Math.exp(t[s]) * bound * bound)
    const [all, total] = [shares, weights].map((parts) => parts.reduce((sum, part) => sum + part, 0))
    const bound = Math.log(value) + Math.log(total)
    if (bound < least) [best, least] = [t, bound]
    else step *= 0.7
    t = t.map((old, s) => old + step * (shares[s] / all - weights[s] / total) * Math.min(4, grams.length))
  }
  return best.map((value) => Math.exp(-value / 2))
}

/** By Lanczos, of a positive semidefinite matrix, until the residual is that part of it. */
function topEigenvalue(matrix: Pointer, order: number, tolerance: number): number {
  const start = new Float64Array(order).map((_, i) => 1 + ((i * 7919) % 101) / 101)
  const process = lanczos(start, 0, order <= 64)
  return scoped(() => {
    const [from, to] = [allocateFloats(order), allocateFloats(order)]
    const [direction, image] = [floatsAt(from, order), floatsAt(to, order)]
    do {
      direction.set(process.direction)
      kernels().imageF64(matrix, order, order, from, to)
      process.step(image.slice())
    } while (!process.exhausted && process.steps < 300 && process.residual() > tolerance * process.ritzValue)
    return process.ritzValue
  })
}

function frobeniusOf(data: Float64Array): number {
  let square = 0
  for (let i = 0; i < data.length; i++) square += data[i] * data[i]
  return Math.sqrt(square)
}
