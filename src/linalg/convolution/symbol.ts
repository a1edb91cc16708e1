import { gamma } from '../rounding-error.ts'
import type { Kernel } from './kernel.ts'
import { sumOfSliceNorms, tapPositions } from './kernel.ts'

/**
 * The symbol of a convolution, K̂(ω) = Σ_u K'_u e^{iu·ω}: for stride s its polyphase form, where tap t = s·u + r
 * and the s input phases r are channels of their own. The infinite convolution has the norm sup_ω ‖K̂(ω)‖₂, and a
 * zero-padded one of any size is a part of it.
 *
 * What is held is the Gram polynomial of the smaller side, H(ω) = K̂K̂* (or the conjugate of K̂*K̂): Hermitian, order
 * r, with ‖K̂(ω)‖₂² = λ_max(H(ω)). Its coefficients G_δ are real and G₋δ = G_δᵀ, so only half of them are kept:
 *
 *     Re H(ω) = G₀ + Σ_{δ>0} cos(δ·ω)(G_δ + G_δᵀ)        Im H(ω) = Σ_{δ>0} sin(δ·ω)(G_δ − G_δᵀ)
 *
 * Evaluating H costs r² flops per coefficient, far less than forming K̂ and multiplying; building the polynomial
 * costs r² · taps² · channels flops, once.
 */
export interface FourierSymbol {
  /** r: the order of H. */
  readonly order: number
  /** Degree of H in each axis: |δ| ≤ degree. */
  readonly degrees: readonly number[]
  /** Whether r counts output channels (H = K̂K̂*) or input channels and phases. */
  readonly side: 'outputs' | 'inputs'
  /** The δ > 0 (first nonzero entry positive), [coefficients, axes]. */
  readonly shifts: readonly (readonly number[])[]
  /** G₀, then for each δ the lower triangles of G_δ + G_δᵀ and G_δ − G_δᵀ, packed by rows. */
  readonly coefficients: Float64Array
  /** ‖fl(H(ω)) − H(ω)‖₂ is at most this for every ω, the rounding of ω itself included. */
  readonly error: number
}

/** The factor F_u ∈ ℝ^{r×L} of every polyphase tap u, with H(ω) = Σ F_u F_wᵀ e^{i(u−w)ω}; stored transposed, [L, r]. */
interface Factors {
  readonly side: 'outputs' | 'inputs'
  readonly order: number
  readonly length: number
  readonly taps: number[][]
  readonly data: Float64Array[]
}

function factorsOf(kernel: Kernel): Factors {
  const { outputs, inputs, slices, axes } = kernel
  const phases = axes.reduce((product, axis) => product * axis.stride, 1)
  const side = outputs <= inputs * phases ? 'outputs' : 'inputs'
  const order = side === 'outputs' ? outputs : inputs * phases
  const length = side === 'outputs' ? inputs * phases : outputs
  const found = new Map<string, { taps: number[]; data: Float64Array }>()
  tapPositions(kernel).forEach((tap, slice) => {
    const taps = axes.map((axis, a) => Math.floor(tap[a] / axis.stride))
    const phase = axes.reduce((index, axis, a) => index * axis.stride + (tap[a] % axis.stride), 0)
    const key = taps.join()
    const factor = found.get(key) ?? { taps, data: new Float64Array(order * length) }
    found.set(key, factor)
    for (let o = 0; o < outputs; o++) {
      for (let c = 0; c < inputs; c++) {
        const weight = slices[(slice * outputs + o) * inputs + c]
        const column = phase * inputs + c
        factor.data[side === 'outputs' ? column * order + o : o * order + column] = weight
      }
    }
  })
  const factors = [...found.values()]
  return { side, order, length, taps: factors.map((f) => f.taps), data: factors.map((f) => f.data) }
}

/** Multiply-adds that bounds by the symbol are expected to cost: the polynomial, and some hundred factorisations. */
export function symbolCost(kernel: Kernel): number {
  const phases = kernel.axes.reduce((product, axis) => product * axis.stride, 1)
  const order = Math.min(kernel.outputs, kernel.inputs * phases)
  const taps = kernel.axes.reduce((product, axis) => product * axis.taps, 1)
  const shifts = kernel.axes.reduce(
    (product, axis) => product * (2 * Math.ceil(axis.taps / axis.stride) - 1),
    0.5,
  )
  const build = (0.5 * taps * taps * order * kernel.outputs * kernel.inputs) / phases
  const eachFrequency = (2 / 3) * order ** 3 + 30 * order ** 2 + shifts * order ** 2
  return build + 300 * eachFrequency
}

export function symbolOf(kernel: Kernel): FourierSymbol {
  const { side, order, length, taps, data } = factorsOf(kernel)
  const degrees = kernel.axes.map((_, a) => Math.max(...taps.map((tap) => tap[a])))
  const sums = new Map<string, { shift: number[]; matrix: Float64Array }>()
  for (let u = 0; u < taps.length; u++) {
    for (let w = 0; w < taps.length; w++) {
      const shift = taps[u].map((tap, a) => tap - taps[w][a])
      if ((shift.find((step) => step !== 0) ?? 0) < 0) continue
      const key = shift.join()
      const sum = sums.get(key) ?? { shift, matrix: new Float64Array(order * order) }
      sums.set(key, sum)
      addProduct(order, length, data[u], data[w], sum.matrix)
    }
  }
  const zeroKey = degrees.map(() => 0).join()
  const shifts = [...sums.keys()].filter((key) => key !== zeroKey)
  const triangle = (order * (order + 1)) / 2
  const coefficients = new Float64Array(triangle * (1 + 2 * shifts.length))
  const constant = sums.get(zeroKey)?.matrix ?? new Float64Array(order * order)
  for (let i = 0, k = 0; i < order; i++) {
    for (let j = 0; j <= i; j++, k++) coefficients[k] = constant[i * order + j]
  }
  shifts.forEach((key, d) => {
    const matrix = sums.get(key)?.matrix as Float64Array
    const symmetric = triangle * (1 + 2 * d)
    for (let i = 0, k = 0; i < order; i++) {
      for (let j = 0; j <= i; j++, k++) {
        const lower = matrix[i * order + j]
        const upper = matrix[j * order + i]
        coefficients[symmetric + k] = lower + upper
        coefficients[symmetric + triangle + k] = lower - upper
      }
    }
  })
  const kappa = sumOfSliceNorms(kernel)
  const reach = degrees.reduce((sum, degree) => sum + degree, 0)
  const roundings = length * taps.length + 2 * shifts.length + 16 + 64 * reach
  return {
    order,
    degrees,
    side,
    shifts: shifts.map((key) => sums.get(key)?.shift as number[]),
    coefficients,
    error: 2 * gamma(roundings) * kappa * kappa,
  }
}

/** target += A Bᵀ for A, B ∈ ℝ^{order×length}, both stored transposed. */
function addProduct(
  order: number,
  length: number,
  a: Float64Array,
  b: Float64Array,
  target: Float64Array,
): void {
  for (let l = 0; l < length; l++) {
    const row = l * order
    for (let i = 0; i < order; i++) {
      const weight = a[row + i]
      if (weight === 0) continue
      const to = i * order
      for (let j = 0; j < order; j++) target[to + j] += weight * b[row + j]
    }
  }
}

/** A Hermitian matrix: lower triangles of real and imaginary part, packed by rows. */
export interface Hermitian {
  readonly order: number
  readonly real: Float64Array
  readonly imaginary: Float64Array
}

export function createHermitian(order: number): Hermitian {
  const triangle = (order * (order + 1)) / 2
  return { order, real: new Float64Array(triangle), imaginary: new Float64Array(triangle) }
}

/** H(ω) into `out`. */
export function evaluateSymbol(symbol: FourierSymbol, frequency: ArrayLike<number>, out: Hermitian): void {
  const { real, imaginary } = out
  const { coefficients, shifts } = symbol
  const triangle = real.length
  imaginary.fill(0)
  real.set(coefficients.subarray(0, triangle))
  for (let d = 0; d < shifts.length; d++) {
    let angle = 0
    for (let a = 0; a < shifts[d].length; a++) angle += shifts[d][a] * frequency[a]
    const cosine = Math.cos(angle)
    const sine = Math.sin(angle)
    const symmetric = triangle * (1 + 2 * d)
    const skew = symmetric + triangle
    for (let k = 0; k < triangle; k++) {
      real[k] += cosine * coefficients[symmetric + k]
      imaginary[k] += sine * coefficients[skew + k]
    }
  }
}
