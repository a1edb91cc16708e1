import { allocateFloats, floatsAt, place, scoped } from '../arena.ts'
import { kernels, type Pointer } from '../kernels.ts'
import { gamma } from '../rounding-error.ts'
import type { Kernel } from './kernel.ts'
import { sumOfSliceNorms, tapCount, tapPositions } from './kernel.ts'
import { staircaseSize } from './staircase.ts'
import { type Shifts, shiftIndex } from './waves.ts'

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
  /** The δ > 0 (first nonzero entry positive). */
  readonly shifts: Shifts
  /** In the arena, as the kernel reads them: per pair of elements G₀, then G_δ + G_δᵀ and G_δ − G_δᵀ of every δ. */
  readonly coefficients: Pointer
  /** ‖fl(H(ω)) − H(ω)‖₂ is at most this for every ω, the rounding of ω itself included. */
  readonly error: number
}

/**
 * Factors F ∈ ℝ^{r×L}, row-major, each of a polyphase tap u, with H(ω) = Σ F Fʹᵀ e^{i(u−uʹ)ω} over those pairs that are of the
 * same summand: of output channels every tap of the kernel is a factor, and phases are summands.
 */
interface Factors {
  readonly side: 'outputs' | 'inputs'
  readonly order: number
  readonly length: number
  readonly taps: number[][]
  readonly summands: number[]
  readonly data: Float64Array[]
}

function factorsOf(kernel: Kernel): Factors {
  const { outputs, inputs, slices, axes } = kernel
  const phases = phaseCount(kernel)
  const positions = tapPositions(kernel)
  const blocks = positions.map((tap) => axes.map((axis, a) => Math.floor(tap[a] / axis.stride)))
  const phasesOf = positions.map((tap) =>
    axes.reduce((index, axis, a) => index * axis.stride + (tap[a] % axis.stride), 0),
  )
  const size = outputs * inputs
  if (outputs <= inputs * phases) {
    const data = positions.map((_, slice) => slices.subarray(slice * size, (slice + 1) * size))
    return { side: 'outputs', order: outputs, length: inputs, taps: blocks, summands: phasesOf, data }
  }
  const order = inputs * phases
  const found = new Map<string, { taps: number[]; data: Float64Array }>()
  blocks.forEach((taps, slice) => {
    const key = taps.join()
    const factor = found.get(key) ?? { taps, data: new Float64Array(order * outputs) }
    found.set(key, factor)
    for (let o = 0; o < outputs; o++) {
      const source = (slice * outputs + o) * inputs
      for (let c = 0; c < inputs; c++) {
        factor.data[(phasesOf[slice] * inputs + c) * outputs + o] = slices[source + c]
      }
    }
  })
  const factors = [...found.values()]
  return {
    side: 'inputs',
    order,
    length: outputs,
    taps: factors.map((factor) => factor.taps),
    summands: factors.map(() => 0),
    data: factors.map((factor) => factor.data),
  }
}

/** Factorisations that a proof over all frequencies is expected to take, more or less. */
export function expectedEvaluations(kernel: Kernel): number {
  const degrees = kernel.axes.map((axis) => Math.ceil(axis.taps / axis.stride) - 1)
  return degrees.reduce((product, degree) => product * (degree + 1), Math.max(12, 300 / 3 ** degrees.length))
}

/** Multiply-adds that one frequency costs beyond its arithmetic. */
const OVERHEAD = 2e4

/** Multiply-adds that bounds by the symbol are expected to cost: the polynomial, and the factorisations. */
export function symbolCost(kernel: Kernel): number {
  const phases = phaseCount(kernel)
  const order = Math.min(kernel.outputs, kernel.inputs * phases)
  const taps = tapCount(kernel)
  const shifts = kernel.axes.reduce(
    (product, axis) => product * (2 * Math.ceil(axis.taps / axis.stride) - 1),
    0.5,
  )
  const build = (0.5 * taps * taps * order * kernel.outputs * kernel.inputs) / phases
  return build + expectedEvaluations(kernel) * frequencyCost(order, shifts)
}

/** Multiply-adds of one evaluation and factorisation. */
export function frequencyCost(order: number, shifts: number): number {
  return OVERHEAD + (2 / 3) * order ** 3 + 30 * order ** 2 + shifts * (order ** 2 + 20)
}

/** The symbol of a kernel; its coefficients stand in the arena. */
export function symbolOf(kernel: Kernel): FourierSymbol {
  const { side, order, length, taps, summands, data } = factorsOf(kernel)
  const degrees = kernel.axes.map((_, a) => Math.max(...taps.map((tap) => tap[a])))
  const pairsOf = new Map<number, number[]>()
  for (let u = 0; u < taps.length; u++) {
    for (let w = 0; w < taps.length; w++) {
      const index = shiftIndex(taps[u], taps[w], degrees)
      if (index < 0 || summands[u] !== summands[w]) continue
      const pairs = pairsOf.get(index)
      if (pairs === undefined) pairsOf.set(index, [u, w])
      else pairs.push(u, w)
    }
  }
  const constant = pairsOf.get(0) as number[]
  pairsOf.delete(0)
  const shifted = [...pairsOf.values()]
  const shifts: Shifts = {
    count: shifted.length,
    values: Int32Array.from(shifted.flatMap(([u, w]) => taps[u].map((tap, a) => tap - taps[w][a]))),
    degrees,
  }

  const elements = staircaseSize(order)
  const stride = 2 + 4 * shifted.length
  const coefficients = allocateFloats((elements / 2) * stride)
  scoped(() => {
    const products = gramProducts(order, length, data)
    store(products(constant), 0)
    shifted.forEach((pairs, d) => {
      store(products(pairs), 2 + 4 * d)
    })
  })

  /** G into the staircase: G itself at offset 0, else G + Gᵀ and G − Gᵀ. */
  function store(matrix: Float64Array, offset: number): void {
    const target = floatsAt(coefficients, (elements / 2) * stride)
    let element = 0
    for (let i = 0; i < order; i++) {
      for (let j = 0; j < (i | 1) + 1; j++, element++) {
        const at = (element >> 1) * stride + (element & 1) + offset
        const inside = j <= i
        const lower = inside ? matrix[i * order + j] : 0
        const upper = inside ? matrix[j * order + i] : 0
        target[at] = offset === 0 ? lower : lower + upper
        if (offset > 0) target[at + 2] = lower - upper
      }
    }
    for (; element < elements; element++) {
      const at = (element >> 1) * stride + (element & 1) + offset
      target[at] = 0
      if (offset > 0) target[at + 2] = 0
    }
  }

  const kappa = sumOfSliceNorms(kernel)
  const reach = degrees.reduce((sum, degree) => sum + degree, 0)
  const roundings = length * taps.length + 2 * shifted.length + 32 + 64 * reach
  return {
    order,
    degrees,
    side,
    shifts,
    coefficients,
    error: 2 * gamma(roundings) * kappa * kappa,
  }
}

/**
 * Σ F_u F_wᵀ over pairs (u, w, u, w, …), order × order; valid until the next one. Of pairs (u, u) alone, which is a
 * symmetric sum, the lower triangle is right.
 */
function gramProducts(
  order: number,
  length: number,
  data: readonly Float64Array[],
): (pairs: readonly number[]) => Float64Array {
  if (order === 1) return (pairs) => Float64Array.of(sumOfDots(data, pairs))
  const placed = data.map((factor) => place(factor))
  const sum = allocateFloats(order * order)
  const packed = allocateFloats((2 * order + 6) * 256)
  const { gramF64, product } = kernels()
  return (pairs) => {
    floatsAt(sum, order * order).fill(0)
    for (let i = 0; i < pairs.length; i += 2) {
      const [a, b] = [placed[pairs[i]], placed[pairs[i + 1]]]
      if (a === b) gramF64(a, order, length, length, 1, sum, packed)
      else product(a, length, 1, b, 1, length, order, order, length, sum, order, packed, 1)
    }
    return floatsAt(sum, order * order)
  }
}

function sumOfDots(data: readonly Float64Array[], pairs: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < pairs.length; i += 2) {
    const a = data[pairs[i]]
    const b = data[pairs[i + 1]]
    for (let l = 0; l < a.length; l++) sum += a[l] * b[l]
  }
  return sum
}

/** Input phases: how many input channels of the polyphase form stand for one. */
export function phaseCount(kernel: Kernel): number {
  return kernel.axes.reduce((product, axis) => product * axis.stride, 1)
}
