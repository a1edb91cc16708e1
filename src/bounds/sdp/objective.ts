import { allocateFloats, floatsAt } from '../../linalg/arena.ts'
import { kernels, type Pointer } from '../../linalg/kernels.ts'
import { addProduct, placeBlocks, plain, turned } from './block-matrix.ts'
import { centredStart } from './centred-start.ts'
import { costOfEvaluation, hasUnitInput, type Pattern, patternOf, type SdpProblem } from './problem.ts'
import { BLUNT, SHARP, smoothedTop } from './smoothed-top.ts'

/**
 * The bound as a function of the multipliers. With Λⱼ > 0 diagonal, m = (α + β)/2 and p = αβ, the constraints give
 * for all x, a
 *
 *     |y|²  ≤  |y|² + ρ Σⱼ Λⱼ-weighted (aⱼ − α zⱼ)(β zⱼ − aⱼ)  =  ρ|x|² − (x, a)ᵀ(ρP − YᵀY)(x, a),
 *     (x, a)ᵀP(x, a)  =  |x|² + Σⱼ aⱼᵀΛⱼaⱼ − 2 aⱼᵀ m Λⱼ zⱼ + zⱼᵀ p Λⱼ zⱼ,
 *
 * so that L² = λ_max(Y P⁻¹ Yᵀ) wherever P is positive definite: LipSDP's condition, block by block, valid for α β < 0 as
 * well. Blocks are eliminated in order, the output's rows attached; what is left of them at the end is −Y P⁻¹ Yᵀ.
 */
export interface Objective {
  readonly pattern: Pattern
  /** ln of multipliers: where one stands for each element of a₁ … aₘ, one after the other. */
  readonly size: number
  /**
   * ln L smoothed + barrier·(−ln det P + Σ ln Λ); Infinity where P is not positive definite. `lipschitz` is L itself, not
   * proven. The gradient may be asked for until the next evaluation.
   */
  evaluate(logarithms: Float64Array, barrier: number): Evaluation
  /** ln of multipliers in closed form (ECLipsE-Fast, Xu and Sivaranjani 2024), a little inside where P is positive definite. */
  start(): Float64Array | null
}

export interface Evaluation {
  readonly value: number
  readonly lipschitz: number
  differentiate(): Slope
}

/** The gradient by the logarithms of the multipliers, and what stands in for the second derivatives: Λ ∘ diag Z. */
export interface Slope {
  readonly gradient: Float64Array
  readonly curvature: Float64Array
}

/** Multiply-adds of an evaluation up to which several starts are tried. */
const CHEAP = 2e7
/** How far inside the start is moved, in logarithms. */
const INSIDE = 0.2

/** Places everything in the arena, where it stays until the enclosing `scoped` call returns. */
export function createObjective(problem: SdpProblem): Objective {
  const { activations, output } = problem
  const pattern = patternOf(problem)
  const { sizes, later } = pattern
  const last = sizes.length - 1
  const offsets: number[] = []
  let size = 0
  for (const { rows } of activations) {
    offsets.push(size)
    size += rows
  }
  const means = activations.map(({ lo, hi }) => lo.map((value, i) => (value + hi[i]) / 2))
  const products = activations.map(({ lo, hi }) => lo.map((value, i) => value * hi[i]))
  const mixes = products.map((product) => product.some((value) => value !== 0))
  const largest = Math.max(...sizes)
  const packed = allocateFloats((2 * largest + 6) * 256)
  const scratch = [allocateFloats(largest * largest), allocateFloats(largest * largest)]
  const matrices = activations.map(({ reads }) => reads.map(({ data }) => placed(data)))
  const schur = placeBlocks(pattern)
  const factors = placeBlocks(pattern)
  const inverse = placeBlocks(pattern)

  const unitInput = hasUnitInput(problem)
  const isUnit = (k: number) => k === 0 && unitInput

  function assemble(multipliers: Float64Array): void {
    schur.fill(0)
    const unit = floatsAt(schur.at(0, 0), sizes[0] ** 2)
    for (let i = 0; i < sizes[0]; i++) unit[i * sizes[0] + i] = 1
    for (const j of activations.keys()) attach(j, multipliers)
    for (const { block, columns, data } of output.reads) {
      const target = floatsAt(schur.at(block, last), columns * output.rows)
      for (let i = 0; i < output.rows; i++)
        for (let k = 0; k < columns; k++) target[k * output.rows + i] += data[i * columns + k]
    }
  }

  /** Adds the constraints of activation j to P. */
  function attach(j: number, multipliers: Float64Array): void {
    const { rows, reads } = activations[j]
    const own = multipliers.subarray(offsets[j], offsets[j] + rows)
    const diagonal = floatsAt(schur.at(j + 1, j + 1), rows * rows)
    for (let i = 0; i < rows; i++) diagonal[i * rows + i] += own[i]
    reads.forEach(({ block, columns, data }) => {
      const target = floatsAt(schur.at(block, j + 1), columns * rows)
      for (let i = 0; i < rows; i++) {
        const factor = means[j][i] * own[i]
        for (let k = 0; k < columns; k++) target[k * rows + i] -= factor * data[i * columns + k]
      }
    })
    if (!mixes[j]) return
    reads.forEach((left) => {
      const weighted = floatsAt(scratch[0], rows * left.columns)
      for (let i = 0; i < rows; i++) {
        const factor = products[j][i] * own[i]
        for (let k = 0; k < left.columns; k++)
          weighted[i * left.columns + k] = factor * left.data[i * left.columns + k]
      }
      reads.forEach((right, b) => {
        if (right.block < left.block) return
        addProduct(
          schur.at(left.block, right.block),
          turned(scratch[0], left.columns),
          plain(matrices[j][b], right.columns),
          [left.columns, right.columns, rows],
          1,
          packed,
        )
      })
    })
  }

  /** Eliminates block k: its inverse, its factors, and the Schur complement; false where it is not positive definite. */
  function eliminate(k: number, logDeterminant: { sum: number }): boolean {
    const n = sizes[k]
    if (isUnit(k)) {
      for (const j of later[k]) {
        floatsAt(factors.at(k, j), n * sizes[j]).set(floatsAt(schur.at(k, j), n * sizes[j]))
      }
    } else {
      const [triangle, inverted] = scratch
      floatsAt(triangle, n * n).set(floatsAt(schur.at(k, k), n * n))
      if (!kernels().cholesky(triangle, n, packed)) return false
      const diagonal = floatsAt(triangle, n * n)
      for (let i = 0; i < n; i++) logDeterminant.sum += 2 * Math.log(diagonal[i * n + i])
      floatsAt(inverted, n * n).fill(0)
      kernels().invertTriangle(triangle, n, inverted)
      const target = factors.at(k, k)
      floatsAt(target, n * n).fill(0)
      kernels().gramF64(inverted, n, n, 1, n, target, packed)
      mirror(target, n)
      for (const j of later[k]) {
        floatsAt(factors.at(k, j), n * sizes[j]).fill(0)
        const shape = [n, sizes[j], n] as const
        addProduct(factors.at(k, j), plain(target, n), plain(schur.at(k, j), sizes[j]), shape, 1, packed)
      }
    }
    for (const i of later[k]) {
      for (const j of later[k]) {
        if (j < i) continue
        addProduct(
          schur.at(i, j),
          turned(schur.at(k, i), sizes[i]),
          plain(factors.at(k, j), sizes[j]),
          [sizes[i], sizes[j], n],
          -1,
          packed,
        )
      }
    }
    return true
  }

  /**
   * Z = ½ U D Uᵀ + barrier · P⁻¹ on the pattern, U = P⁻¹Yᵀ, from the last block back: with F = M⁻¹B,
   * Z_kN = −F Z_NN and Z_kk = barrier · M⁻¹ + F Z_NN Fᵀ, starting from Z = ½ D at the output.
   */
  function differentiate(weights: Float64Array, barrier: number): void {
    floatsAt(inverse.at(last, last), sizes[last] ** 2).set(weights)
    for (let k = last - 1; k >= 0; k--) {
      const n = sizes[k]
      for (const i of later[k]) {
        floatsAt(inverse.at(k, i), n * sizes[i]).fill(0)
        for (const j of later[k]) {
          const block = i <= j ? turned(inverse.at(i, j), sizes[j]) : plain(inverse.at(j, i), sizes[i])
          const shape = [n, sizes[i], sizes[j]] as const
          addProduct(inverse.at(k, i), plain(factors.at(k, j), sizes[j]), block, shape, -1, packed)
        }
      }
      const own = floatsAt(inverse.at(k, k), n * n)
      own.fill(0)
      if (isUnit(k)) for (let i = 0; i < n; i++) own[i * n + i] = barrier
      else {
        const source = floatsAt(factors.at(k, k), n * n)
        for (let i = 0; i < own.length; i++) own[i] = barrier * source[i]
      }
      // the blocks of x are not needed where nothing mixes there
      if (isUnit(k)) continue
      for (const j of later[k]) {
        const shape = [n, n, sizes[j]] as const
        addProduct(
          inverse.at(k, k),
          plain(inverse.at(k, j), sizes[j]),
          turned(factors.at(k, j), sizes[j]),
          shape,
          -1,
          packed,
        )
      }
    }
  }

  /** −Λ·⟨Z, ∂P/∂Λ⟩ for each multiplier. */
  function collect(multipliers: Float64Array, barrier: number): Slope {
    const gradient = new Float64Array(size).fill(barrier)
    const curvature = new Float64Array(size)
    activations.forEach(({ rows, reads }, j) => {
      const sums = new Float64Array(rows)
      const own = multipliers.subarray(offsets[j], offsets[j] + rows)
      const diagonal = floatsAt(inverse.at(j + 1, j + 1), rows * rows)
      for (let i = 0; i < rows; i++) sums[i] = diagonal[i * rows + i]
      curvature.set(
        sums.map((value, i) => value * own[i]),
        offsets[j],
      )
      for (const { block, columns, data } of reads) {
        const z = floatsAt(inverse.at(block, j + 1), columns * rows)
        for (let i = 0; i < rows; i++) {
          let sum = 0
          for (let k = 0; k < columns; k++) sum += data[i * columns + k] * z[k * rows + i]
          sums[i] -= 2 * means[j][i] * sum
        }
      }
      if (mixes[j]) addMixed(j, sums)
      for (let i = 0; i < rows; i++) gradient[offsets[j] + i] -= own[i] * sums[i]
    })
    return { gradient, curvature }
  }

  /** p · zᵀ Z z of each element. */
  function addMixed(j: number, sums: Float64Array): void {
    const { rows, reads } = activations[j]
    reads.forEach((left, a) => {
      reads.forEach((right, b) => {
        const image = floatsAt(scratch[0], rows * right.columns)
        image.fill(0)
        const block =
          left.block <= right.block
            ? plain(inverse.at(left.block, right.block), right.columns)
            : turned(inverse.at(right.block, left.block), left.columns)
        const shape = [rows, right.columns, left.columns] as const
        addProduct(scratch[0], plain(matrices[j][a], left.columns), block, shape, 1, packed)
        const other = floatsAt(matrices[j][b], rows * right.columns)
        for (let i = 0; i < rows; i++) {
          let sum = 0
          for (let k = 0; k < right.columns; k++)
            sum += image[i * right.columns + k] * other[i * right.columns + k]
          sums[i] += products[j][i] * sum
        }
      })
    })
  }

  const failed: Evaluation = {
    value: Infinity,
    lipschitz: Infinity,
    differentiate: () => ({ gradient: new Float64Array(0), curvature: new Float64Array(0) }),
  }

  function evaluate(logarithms: Float64Array, barrier: number): Evaluation {
    const multipliers = logarithms.map((value) => Math.exp(value))
    assemble(multipliers)
    const logDeterminant = { sum: 0 }
    for (let k = 0; k < last; k++) if (!eliminate(k, logDeterminant)) return failed
    const outputs = sizes[last]
    const left = floatsAt(schur.at(last, last), outputs ** 2)
    // sharper as the barrier gives way
    const sharpness =
      barrier > 0 ? Math.min(SHARP, BLUNT * Math.sqrt(Math.max(1, 0.1 / (barrier * size)))) : SHARP
    const { top, smoothed, weights } = smoothedTop(left, outputs, sharpness)
    if (!(top > 0 && top < 1e300)) return failed
    const sum = logarithms.reduce((total, value) => total + value, 0)
    return {
      value: smoothed / 2 + barrier * (sum - logDeterminant.sum),
      lipschitz: Math.sqrt(top),
      differentiate: () => {
        differentiate(weights, barrier)
        return collect(multipliers, barrier)
      },
    }
  }

  /** One multiplier for each activation: 1/(2λ_max) of what its block has lost, so that half of it is left. */
  function closedForm(): Float64Array | null {
    const logarithms = new Float64Array(size)
    for (const j of activations.keys()) {
      const { rows } = activations[j]
      const multipliers = logarithms.map((value, i) => (i < offsets[j] ? Math.exp(value) : 0))
      multipliers.fill(1, offsets[j], offsets[j] + rows)
      assemble(multipliers)
      const unused = { sum: 0 }
      for (let k = 0; k <= j; k++) if (!eliminate(k, unused)) return null
      const block = floatsAt(schur.at(j + 1, j + 1), rows * rows).map((value) => -value)
      for (let i = 0; i < rows; i++) block[i * rows + i] += 1
      const { top } = smoothedTop(
        block.map((value) => -value),
        rows,
      )
      logarithms.fill(top > 0 ? -Math.log(2 * top) : 0, offsets[j], offsets[j] + rows)
    }
    return logarithms
  }

  return {
    pattern,
    size,
    evaluate,
    start: () => {
      const isMixed = products.some((product) => product.some((value) => value < 0))
      const isSmall = costOfEvaluation(problem) < CHEAP
      const closed = isMixed ? null : closedForm()
      const centred = isMixed || isSmall ? centredStart(problem) : null
      const candidates = [closed?.map((value) => value - INSIDE), closed, centred]
      let [best, least]: [Float64Array | null, number] = [null, Infinity]
      for (const candidate of candidates) {
        if (candidate == null || (candidate === closed && best !== null)) continue
        const { value } = evaluate(candidate, 0)
        if (value < least) [best, least] = [candidate, value]
      }
      return best
    },
  }
}

function placed(data: Float64Array): Pointer {
  const pointer = allocateFloats(data.length)
  floatsAt(pointer, data.length).set(data)
  return pointer
}

function mirror(pointer: Pointer, order: number): void {
  const data = floatsAt(pointer, order * order)
  for (let i = 0; i < order; i++) for (let j = 0; j < i; j++) data[j * order + i] = data[i * order + j]
}
