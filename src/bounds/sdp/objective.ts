import { allocateFloats, floatsAt } from '../../linalg/arena.ts'
import { mirror } from '../../linalg/gram.ts'
import { kernels } from '../../linalg/kernels.ts'
import { addProduct, placeBlocks, placed, plain, transposed, turned } from './block-matrix.ts'
import { centredStart } from './centred-start.ts'
import { topPair } from './eigenvectors.ts'
import { costOfEvaluation, type Pattern, patternOf, type SdpProblem } from './problem.ts'
import { BLUNT, SHARP, smoothedTop } from './smoothed-top.ts'
import { placeUnitInput } from './unit-input.ts'

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

const failed: Evaluation = {
  value: Infinity,
  lipschitz: Infinity,
  differentiate: () => ({ gradient: new Float64Array(0), curvature: new Float64Array(0) }),
}

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
  const input = placeUnitInput(problem)
  /** The first block that is eliminated as a matrix. */
  const first = input === null ? 0 : 1
  const largest = Math.max(...sizes.slice(first))
  const packed = allocateFloats((2 * Math.max(...sizes) + 6) * 256)
  const scratch = [0, 1].map(() => allocateFloats(largest * Math.max(...sizes)))
  const matrices = activations.map(({ reads }, j) => reads.map(({ data }) => (mixes[j] ? placed(data) : 0)))
  /** Maps from blocks other than a unit block, columns × rows. */
  const transposes = [...activations, output].map(({ rows, reads }) =>
    reads.map(({ block, columns, data }) => (block < first ? null : transposed(data, rows, columns))),
  )
  const schur = placeBlocks(pattern, first)
  const factors = placeBlocks(pattern, first)
  const inverse = placeBlocks(pattern, first)
  /** −mΛ of activations, 1 for the output. */
  const scales = [
    new Float64Array(0),
    ...means.map((mean) => mean.slice()),
    new Float64Array(output.rows).fill(1),
  ]

  function assemble(multipliers: Float64Array): void {
    schur.fill(0)
    for (const j of activations.keys()) scale(j, multipliers)
    if (first === 0) unit()
    for (const j of activations.keys()) attach(j, multipliers)
    addMaps(last)
    for (let j = 1; j <= last; j++) takeInput(j)
  }

  function unit(): void {
    const block = floatsAt(schur.at(0, 0), sizes[0] ** 2)
    for (let i = 0; i < sizes[0]; i++) block[i * sizes[0] + i] = 1
  }

  function scale(j: number, multipliers: Float64Array): void {
    for (let i = 0; i < means[j].length; i++) scales[j + 1][i] = -means[j][i] * multipliers[offsets[j] + i]
  }

  /** Adds the maps that block j reads, its columns scaled. */
  function addMaps(j: number): void {
    const [size, factor] = [sizes[j], scales[j]]
    const { reads } = j === last ? output : activations[j - 1]
    reads.forEach(({ block, columns }, at) => {
      const map = transposes[j - 1][at]
      if (map === null) return
      const target = floatsAt(schur.at(block, j), columns * size)
      for (let k = 0, to = 0; k < columns; k++)
        for (let i = 0; i < size; i++, to++) target[to] += factor[i] * map[to]
    })
  }

  /** Takes off what a unit input leaves in the column of block j, down to its diagonal. */
  function takeInput(j: number): void {
    if (input === null || !input.readers.includes(j)) return
    for (const i of input.readers) if (i <= j) input.eliminate(schur, i, j, (block) => scales[block])
  }

  /** Adds the constraints of activation j to P. */
  function attach(j: number, multipliers: Float64Array): void {
    const { rows, reads } = activations[j]
    const own = multipliers.subarray(offsets[j], offsets[j] + rows)
    const diagonal = floatsAt(schur.at(j + 1, j + 1), rows * rows)
    for (let i = 0; i < rows; i++) diagonal[i * rows + i] += own[i]
    addMaps(j + 1)
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

  /** M⁻¹ of block k; false where what is left of it is not positive definite. */
  function invert(k: number, logDeterminant: { sum: number }): boolean {
    const n = sizes[k]
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
    mirror(n, floatsAt(target, n * n))
    return true
  }

  /** M⁻¹B for the column of block j, and what it leaves there. */
  function eliminate(k: number, j: number): void {
    const n = sizes[k]
    const factor = factors.at(k, j)
    floatsAt(factor, n * sizes[j]).fill(0)
    addProduct(
      factor,
      plain(factors.at(k, k), n),
      plain(schur.at(k, j), sizes[j]),
      [n, sizes[j], n],
      1,
      packed,
    )
    for (const i of later[k]) {
      if (i > j) break
      const shape = [sizes[i], sizes[j], n] as const
      addProduct(schur.at(i, j), turned(schur.at(k, i), sizes[i]), plain(factor, sizes[j]), shape, -1, packed)
    }
  }

  /**
   * Z = ½ U D Uᵀ + barrier · P⁻¹ on the pattern, U = P⁻¹Yᵀ, from the last block back: with F = M⁻¹B,
   * Z_kN = −F Z_NN and Z_kk = barrier · M⁻¹ + F Z_NN Fᵀ, starting from Z = ½ D at the output.
   */
  function differentiate(weights: Float64Array, barrier: number): void {
    floatsAt(inverse.at(last, last), sizes[last] ** 2).set(weights)
    for (let k = last - 1; k >= first; k--) {
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
      const source = floatsAt(factors.at(k, k), n * n)
      for (let i = 0; i < own.length; i++) own[i] = barrier * source[i]
      for (const j of later[k]) {
        const [left, right] = [plain(inverse.at(k, j), sizes[j]), turned(factors.at(k, j), sizes[j])]
        addProduct(inverse.at(k, k), left, right, [n, n, sizes[j]], -1, packed)
      }
    }
  }

  /** −Λ·⟨Z, ∂P/∂Λ⟩ for each multiplier. */
  function collect(multipliers: Float64Array, barrier: number): Slope {
    const gradient = new Float64Array(size).fill(barrier)
    const curvature = new Float64Array(size)
    activations.forEach(({ rows, reads }, j) => {
      const own = multipliers.subarray(offsets[j], offsets[j] + rows)
      const diagonal = floatsAt(inverse.at(j + 1, j + 1), rows * rows)
      const traces = input?.traceOf(j + 1, inverse, (block) => scales[block]) ?? new Float64Array(rows)
      reads.forEach(({ block, columns }, at) => {
        const map = transposes[j][at]
        if (map === null) return
        const z = floatsAt(inverse.at(block, j + 1), columns * rows)
        for (let k = 0, from = 0; k < columns; k++)
          for (let i = 0; i < rows; i++, from++) traces[i] += map[from] * z[from]
      })
      const sums = traces.map((trace, i) => diagonal[i * rows + i] - 2 * means[j][i] * trace)
      for (let i = 0; i < rows; i++) curvature[offsets[j] + i] = diagonal[i * rows + i] * own[i]
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

  function evaluate(logarithms: Float64Array, barrier: number): Evaluation {
    const multipliers = logarithms.map((value) => Math.exp(value))
    assemble(multipliers)
    const logDeterminant = { sum: 0 }
    for (let k = first; k < last; k++) {
      if (!invert(k, logDeterminant)) return failed
      for (const j of later[k]) eliminate(k, j)
    }
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

  /**
   * One multiplier for each activation, where none is mixed: 1/(2λ_max) of what its block loses to those before it per
   * square of the multiplier, so that half of it is left. Columns are eliminated one after the other, with multiplier 1,
   * and scaled when it is known.
   */
  function closedForm(): Float64Array | null {
    const logarithms = new Float64Array(size)
    const unused = { sum: 0 }
    schur.fill(0)
    if (first === 0) unit()
    for (let j = 1; j < last; j++) {
      const multipliers = logarithms.map(() => 1)
      scale(j - 1, multipliers)
      attach(j - 1, multipliers)
      takeInput(j)
      for (let k = first; k < j; k++) if (later[k].includes(j)) eliminate(k, j)
      const n = sizes[j]
      const block = floatsAt(schur.at(j, j), n * n)
      const lost = block.map((value, at) => (at % (n + 1) === 0 ? 1 - value : -value))
      const top = topPair(lost, n).values[0]
      const multiplier = top > 0 ? 1 / (2 * top) : 1
      logarithms.fill(Math.log(multiplier), offsets[j - 1], offsets[j - 1] + n)
      for (let at = 0; at < block.length; at++) block[at] = -lost[at] * multiplier * multiplier
      for (let i = 0; i < n; i++) block[i * n + i] += multiplier
      for (let i = 0; i < n; i++) scales[j][i] *= multiplier
      for (let k = first; k < j; k++) {
        if (!later[k].includes(j)) continue
        const column = floatsAt(schur.at(k, j), sizes[k] * n)
        for (let at = 0; at < column.length; at++) column[at] *= multiplier
      }
      if (!invert(j, unused)) return null
    }
    return logarithms
  }

  return {
    pattern,
    size,
    evaluate,
    start: () => {
      const isMixed = products.some((product) => product.some((value) => value < 0))
      let [best, least]: [Float64Array | null, number] = [null, Infinity]
      const consider = (candidate: Float64Array | null | undefined) => {
        if (candidate == null) return
        const { value } = evaluate(candidate, 0)
        if (value < least) [best, least] = [candidate, value]
      }
      consider(centredStart(problem))
      if (isMixed || (best !== null && costOfEvaluation(problem) >= CHEAP)) return best
      const closed = closedForm()
      consider(closed?.map((value) => value - INSIDE))
      if (best === null) consider(closed)
      return best
    },
  }
}
