import { allocateFloats, floatsAt, scoped } from '../../linalg/arena.ts'
import { kernels } from '../../linalg/kernels.ts'
import { gamma, outward, unitRoundoff } from '../../linalg/rounding-error.ts'
import { addProduct, placeBlocks, plain, turned } from './block-matrix.ts'
import { type Pattern, patternOf, type SdpProblem } from './problem.ts'

/**
 * Proves L² ≤ ρ for given multipliers Λ > 0: the matrix
 *
 *     S  =  ( P   Yᵀ )
 *           ( Y   ρI )
 *
 * is positive semidefinite. The rows and columns of the computed Ŝ are scaled by powers of two so that its diagonal is
 * near 1 (exact), and Ŝ − sI has a Cholesky factorisation that runs to completion, block by block. Then
 * RᵀR = Ŝ − sI + Δ with ‖Δ‖₂ ≤ γ/(1 − γ)·tr(Ŝ − sI) (Higham, theorem 10.3; Rump 2006), in whatever order the sums of
 * at most N + (blocks) terms run, so S ⪰ s − ‖Δ‖ − ‖Ŝ − S‖ ≥ 0 for s at least the sum of both. What Ŝ errs by is bounded
 * block by block: maps Gₖⱼ by their own errors, products by γ, and the norm of all by that of the matrix of the blocks'.
 *
 * Cost: about one evaluation of the objective.
 */
export function certifyBound(
  problem: SdpProblem,
  logarithms: Float64Array,
  squares: readonly number[],
): number | null {
  const pattern = patternOf(problem)
  for (const square of squares) {
    if (scoped(() => holds(problem, pattern, logarithms, square)))
      return outward(Math.sqrt(square) * (1 + 2 ** -52))
  }
  return null
}

function holds(problem: SdpProblem, pattern: Pattern, logarithms: Float64Array, square: number): boolean {
  const { sizes, later } = pattern
  const last = sizes.length - 1
  const matrix = placeBlocks(pattern)
  const largest = Math.max(...sizes)
  const packed = allocateFloats((2 * largest + 6) * 256)
  /** Bounds of the errors of blocks before scaling, by the row scales of one side and the other. */
  const scales = sizes.map((size) => new Float64Array(size).fill(1))
  const errors = new Map<number, number>()
  const key = (i: number, j: number) => i * sizes.length + j

  function assemble(): void {
    matrix.fill(0)
    errors.clear()
    const err = (i: number, j: number, size: number) => {
      const at = key(Math.min(i, j), Math.max(i, j))
      errors.set(at, outward((errors.get(at) ?? 0) + size))
    }
    /** Adds a block's elements, each right to `rounding` of its size. */
    const add = (
      i: number,
      j: number,
      element: (row: number, column: number) => number,
      rounding: number,
    ) => {
      const [rows, columns] = [sizes[i], sizes[j]]
      const target = floatsAt(matrix.at(i, j), rows * columns)
      let squares = 0
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const value = element(row, column) * scales[i][row] * scales[j][column]
          target[row * columns + column] += value
          squares += value * value
        }
      }
      err(i, j, outward(rounding * Math.sqrt(squares)))
    }
    const diagonal = (i: number, element: (row: number) => number, rounding: number) => {
      const target = floatsAt(matrix.at(i, i), sizes[i] ** 2)
      let most = 0
      for (let row = 0; row < sizes[i]; row++) {
        const value = element(row) * scales[i][row] ** 2
        target[row * sizes[i] + row] += value
        most = Math.max(most, value)
      }
      err(i, i, rounding * most)
    }
    const u = 4 * unitRoundoff
    diagonal(0, () => 1, 0)
    let offset = 0
    problem.activations.forEach(({ rows, reads, lo, hi }, j) => {
      const own = logarithms.slice(offset, offset + rows).map((value) => Math.exp(value))
      offset += rows
      // the multipliers are these numbers, exactly
      diagonal(j + 1, (row) => own[row], u)
      const means = own.map((value, i) => value * ((lo[i] + hi[i]) / 2))
      for (const { block, columns, data, error } of reads) {
        add(block, j + 1, (row, column) => -means[column] * data[column * columns + row], u)
        const across = largestProduct(means, scales[j + 1])
        err(block, j + 1, outward(largestOf(scales[block]) * error * across))
      }
      const weights = own.map((value, i) => value * lo[i] * hi[i])
      if (weights.some((value) => value !== 0)) mix(j, weights, err)
    })
    for (const { block, columns, data, error } of problem.output.reads) {
      add(block, last, (row, column) => data[column * columns + row], u)
      err(block, last, outward(largestOf(scales[block]) * error * largestOf(scales[last])))
    }
    diagonal(last, () => square, 0)
  }

  /** Adds Gₖᵀ·diag(weights)·Gₗ for all pairs of blocks that zⱼ reads. */
  function mix(j: number, weights: Float64Array, err: (i: number, j: number, size: number) => void): void {
    const { rows, reads } = problem.activations[j]
    const roots = weights.map((value) => Math.sqrt(Math.abs(value)))
    const scaled = reads.map(({ block, columns, data, error }) => {
      const matrix = data.map((value, at) => {
        const [row, column] = [Math.floor(at / columns), at % columns]
        return value * roots[row] * scales[block][column]
      })
      const size = Math.sqrt(matrix.reduce((sum, value) => sum + value * value, 0))
      return { block, columns, matrix, size, wrong: error * largestOf(roots) * largestOf(scales[block]) }
    })
    for (const left of scaled) {
      for (const right of scaled) {
        if (right.block < left.block) continue
        scoped(() => {
          const [a, b] = [allocateFloats(left.matrix.length), allocateFloats(right.matrix.length)]
          const signed = left.matrix.map(
            (value, at) => value * Math.sign(weights[Math.floor(at / left.columns)]),
          )
          floatsAt(a, signed.length).set(signed)
          floatsAt(b, right.matrix.length).set(right.matrix)
          addProduct(
            matrix.at(left.block, right.block),
            turned(a, left.columns),
            plain(b, right.columns),
            [left.columns, right.columns, rows],
            1,
            packed,
          )
        })
        const rounding = gamma(rows + 24) * left.size * right.size
        const wrong = left.wrong * right.size + right.wrong * left.size + left.wrong * right.wrong
        err(left.block, right.block, outward(rounding + wrong))
      }
    }
  }

  assemble()
  for (const [k, size] of sizes.entries()) {
    const block = floatsAt(matrix.at(k, k), size * size)
    for (let i = 0; i < size; i++) {
      const value = block[i * size + i]
      if (!(value > 1e-290 && value < 1e290)) return false
      scales[k][i] = 2 ** -Math.round(Math.log2(value) / 2)
    }
  }
  assemble()

  let frobenius = 0
  for (const [at, size] of errors) {
    const isDiagonal = Math.floor(at / sizes.length) === at % sizes.length
    frobenius += (isDiagonal ? 1 : 2) * size * size
  }
  let [trace, order] = [0, 0]
  for (const [k, size] of sizes.entries()) {
    const block = floatsAt(matrix.at(k, k), size * size)
    for (let i = 0; i < size; i++) trace += block[i * size + i]
    order += size
  }
  const growth = gamma(order + sizes.length + 3)
  // sums into one block round once more each
  const additions = 8 * sizes.length * unitRoundoff * largestEntry()
  const shift =
    outward(Math.sqrt(frobenius) + additions * order + (growth / (1 - growth)) * trace * (1 + 2 ** -40)) *
    1.01
  if (!(shift < 0.5)) return false
  for (const [k, size] of sizes.entries()) {
    const block = floatsAt(matrix.at(k, k), size * size)
    for (let i = 0; i < size; i++) block[i * size + i] -= shift
  }
  return sizes.every((_, k) => eliminate(k))

  function largestEntry(): number {
    let most = 0
    sizes.forEach((size, i) => {
      for (const j of [i, ...later[i]])
        for (const value of floatsAt(matrix.at(i, j), size * sizes[j])) most = Math.max(most, Math.abs(value))
    })
    return most
  }

  /** Factorises block k with the rows of the blocks behind it, and takes their products off these. */
  function eliminate(k: number): boolean {
    const near = later[k]
    const order = near.reduce((sum, j) => sum + sizes[j], sizes[k])
    return scoped(() => {
      const front = allocateFloats(order * order)
      const panels = allocateFloats((order + 3) * 48)
      const target = floatsAt(front, order * order)
      target.fill(0)
      const own = floatsAt(matrix.at(k, k), sizes[k] ** 2)
      for (let i = 0; i < sizes[k]; i++)
        target.set(own.subarray(i * sizes[k], i * sizes[k] + i + 1), i * order)
      let at = sizes[k]
      for (const j of near) {
        const block = floatsAt(matrix.at(k, j), sizes[k] * sizes[j])
        for (let row = 0; row < sizes[j]; row++)
          for (let i = 0; i < sizes[k]; i++) target[(at + row) * order + i] = block[i * sizes[j] + row]
        at += sizes[j]
      }
      if (!kernels().eliminate(front, order, sizes[k], panels)) return false
      let from = sizes[k]
      near.forEach((i, a) => {
        let to = from
        for (const j of near.slice(a)) {
          // rows of j, columns of i, of the lower triangle
          const block = floatsAt(matrix.at(i, j), sizes[i] * sizes[j])
          for (let row = 0; row < sizes[j]; row++) {
            const end = i === j ? row + 1 : sizes[i]
            for (let column = 0; column < end; column++) {
              const value = target[(to + row) * order + from + column]
              if (i === j) block[row * sizes[i] + column] += value
              else block[column * sizes[j] + row] += value
            }
          }
          to += sizes[j]
        }
        from += sizes[i]
      })
      return true
    })
  }
}

function largestOf(values: Float64Array): number {
  let most = 0
  for (const value of values) most = Math.max(most, Math.abs(value))
  return most
}

function largestProduct(a: Float64Array, b: Float64Array): number {
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] * b[i]))
  return most
}
