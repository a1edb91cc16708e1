import { allocateFloats, floatsAt, scoped } from '../../linalg/arena.ts'
import { kernels } from '../../linalg/kernels.ts'
import { gamma, outward, unitRoundoff } from '../../linalg/rounding-error.ts'
import { addProduct, placeBlocks, plain, turned } from './block-matrix.ts'
import { type BlockMatrix as BlockMap, type Pattern, patternOf, type SdpProblem } from './problem.ts'
import { placeUnitInput, type UnitInput } from './unit-input.ts'

/** Sums of squares are right within this factor, however many they are. */
const NEAR = 1 + 2 ** -20

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
 * Where the block of the input is the unit matrix, S is what is left when it is eliminated (Schur complement), which is
 * positive semidefinite if and only if the whole is: products Dᵢ GᵢGⱼᵀ Dⱼ are taken off, right to γ·‖DᵢGᵢ‖_F ‖DⱼGⱼ‖_F.
 *
 * Cost: about one evaluation of the objective.
 */
export function certifyBound(
  problem: SdpProblem,
  logarithms: Float64Array,
  squares: readonly number[],
): number | null {
  const pattern = patternOf(problem)
  return scoped(() => {
    const input = placeUnitInput(problem)
    const proven = squares.find((square) =>
      scoped(() => holds({ problem, pattern, input, logarithms, square })),
    )
    return proven === undefined ? null : outward(Math.sqrt(proven) * (1 + 2 ** -52))
  })
}

interface Claim {
  readonly problem: SdpProblem
  readonly pattern: Pattern
  readonly input: UnitInput | null
  readonly logarithms: Float64Array
  readonly square: number
}

/** Adds to the error of a block. */
type Err = (i: number, j: number, size: number) => void

function holds({ problem, pattern, input, logarithms, square }: Claim): boolean {
  const { sizes, later } = pattern
  const last = sizes.length - 1
  const first = input === null ? 0 : 1
  const matrix = placeBlocks(pattern, first)
  const blocks = [...sizes.keys()].slice(first)
  const largest = Math.max(...sizes)
  const packed = allocateFloats((2 * largest + 6) * 256)
  /** Bounds of the errors of blocks before scaling, by the row scales of one side and the other. */
  const scales = sizes.map((size) => new Float64Array(size).fill(1))
  const errors = new Map<number, number>()
  let entry = 0
  const key = (i: number, j: number) => i * sizes.length + j

  const multipliers = problem.activations.map(({ rows }, j) => {
    const from = problem.activations.slice(0, j).reduce((sum, block) => sum + block.rows, 0)
    // the multipliers are these numbers, exactly
    return logarithms.slice(from, from + rows).map((value) => Math.exp(value))
  })
  const mixed = problem.activations.map(({ lo, hi }, j) =>
    multipliers[j].map((own, i) => own * lo[i] * hi[i]),
  )
  if (!scale()) return false

  /** Powers of two that bring the diagonal near 1; false where it is out of range. */
  function scale(): boolean {
    const diagonals = sizes.map((size, k) =>
      k === 0
        ? new Float64Array(size).fill(1)
        : k === last
          ? new Float64Array(size).fill(square)
          : multipliers[k - 1].slice(),
    )
    problem.activations.forEach(({ rows, reads }, j) => {
      if (mixed[j].every((value) => value === 0)) return
      for (const { block, columns, data } of reads)
        for (let row = 0; row < rows; row++)
          for (let k = 0; k < columns; k++)
            diagonals[block][k] += mixed[j][row] * data[row * columns + k] ** 2
    })
    if (diagonals.some((diagonal) => diagonal.some((value) => !(value > 1e-290 && value < 1e290))))
      return false
    for (const [k, diagonal] of diagonals.entries())
      scales[k].set(diagonal.map((value) => 2 ** -Math.round(Math.log2(value) / 2)))
    return true
  }

  function assemble(): void {
    matrix.fill(0)
    const err = (i: number, j: number, size: number) => {
      const at = key(Math.min(i, j), Math.max(i, j))
      errors.set(at, outward((errors.get(at) ?? 0) + size))
    }
    /** Adds Gᵀ·diag(factors), each element right to four roundings, for what block j reads. */
    const add = (j: number, { block, columns, data, error }: BlockMap, factors: Float64Array) => {
      if (block < first) return
      const [left, right] = [scales[block], factors.map((factor, i) => factor * scales[j][i])]
      const target = floatsAt(matrix.at(block, j), columns * right.length)
      let squares = 0
      for (let k = 0, at = 0; k < columns; k++) {
        for (let i = 0; i < right.length; i++, at++) {
          const value = left[k] * (data[i * columns + k] * right[i])
          target[at] += value
          squares += value * value
        }
      }
      err(
        block,
        j,
        outward(4 * unitRoundoff * Math.sqrt(squares) * NEAR + largestOf(left) * error * largestOf(right)),
      )
    }
    const diagonal = (i: number, values: Float64Array, rounding: number) => {
      const target = floatsAt(matrix.at(i, i), sizes[i] ** 2)
      let most = 0
      for (let row = 0; row < sizes[i]; row++) {
        const value = values[row] * scales[i][row] ** 2
        target[row * sizes[i] + row] += value
        most = Math.max(most, value)
      }
      err(i, i, rounding * most)
    }
    if (first === 0) diagonal(0, new Float64Array(sizes[0]).fill(1), 0)
    /** What columns of maps are multiplied by. */
    const factors = [new Float64Array(0)]
    problem.activations.forEach(({ reads, lo, hi }, j) => {
      diagonal(j + 1, multipliers[j], 4 * unitRoundoff)
      factors.push(multipliers[j].map((value, i) => -value * ((lo[i] + hi[i]) / 2)))
      for (const map of reads) add(j + 1, map, factors[j + 1])
      if (mixed[j].some((value) => value !== 0)) mix(j, mixed[j], err)
    })
    factors.push(new Float64Array(sizes[last]).fill(1))
    for (const map of problem.output.reads) add(last, map, factors[last])
    diagonal(last, new Float64Array(sizes[last]).fill(square), 0)
    entry = largestEntry()
    if (input !== null) takeInput(input, factors, err)
  }

  /** Takes off what the elimination of a unit input leaves. */
  function takeInput(
    { readers, eliminate, sizeOf, errorOf }: UnitInput,
    factors: readonly Float64Array[],
    err: Err,
  ): void {
    const scaled = factors.map((factor, j) => factor.map((value, i) => value * scales[j][i]))
    for (const i of readers) {
      for (const j of readers) {
        if (j < i) continue
        eliminate(matrix, i, j, (block) => scaled[block])
        const [left, right] = [i, j].map((block) => ({
          size: sizeOf(block, scaled[block]),
          wrong: errorOf(block) * largestOf(scaled[block]),
        }))
        const rounding = gamma(2 * sizes[0] + 32) * left.size * right.size
        err(
          i,
          j,
          outward(rounding + left.wrong * right.size + right.wrong * left.size + left.wrong * right.wrong),
        )
      }
    }
  }

  /** Adds Gₖᵀ·diag(weights)·Gₗ for all pairs of blocks that zⱼ reads. */
  function mix(j: number, weights: Float64Array, err: Err): void {
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

  let frobenius = 0
  for (const [at, size] of errors) {
    const isDiagonal = Math.floor(at / sizes.length) === at % sizes.length
    frobenius += (isDiagonal ? 1 : 2) * size * size
  }
  let [trace, order] = [0, 0]
  for (const k of blocks) {
    const [size, block] = [sizes[k], floatsAt(matrix.at(k, k), sizes[k] ** 2)]
    for (let i = 0; i < size; i++) trace += block[i * size + i]
    order += size
  }
  const growth = gamma(order + sizes.length + 3)
  // sums into one block round once more each
  const additions = 8 * sizes.length * unitRoundoff * Math.max(entry, largestEntry())
  const shift =
    outward(Math.sqrt(frobenius) + additions * order + (growth / (1 - growth)) * trace * (1 + 2 ** -40)) *
    1.01
  if (!(shift < 0.5)) return false
  for (const k of blocks) {
    const [size, block] = [sizes[k], floatsAt(matrix.at(k, k), sizes[k] ** 2)]
    for (let i = 0; i < size; i++) block[i * size + i] -= shift
  }
  return blocks.every((k) => eliminate(k))

  function largestEntry(): number {
    let most = 0
    for (const i of blocks)
      for (const j of [i, ...later[i]])
        most = Math.max(most, largestOf(floatsAt(matrix.at(i, j), sizes[i] * sizes[j])))
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
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]))
  return most
}
