import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { certifyBound } from '../../../src/bounds/sdp/certificate.ts'
import { createObjective } from '../../../src/bounds/sdp/objective.ts'
import type { SdpProblem, SlopedBlock } from '../../../src/bounds/sdp/problem.ts'
import { sdpBound } from '../../../src/bounds/sdp/sdp-bound.ts'
import { createRandom, gaussianVector } from '../../../src/core/random.ts'
import { scoped } from '../../../src/linalg/arena.ts'

const all = { budget: 1e10, enough: 1e10, most: 400 }

/** A chain x → W₁ → slopes → W₂ → … → y, with skips from x where asked for. */
function chain(
  sizes: readonly number[],
  slopes: readonly [number, number],
  seed: number,
  skips = false,
): SdpProblem {
  const random = createRandom(seed)
  const matrix = (rows: number, columns: number) => ({
    columns,
    data: gaussianVector(rows * columns, random).map((value) => value / Math.sqrt(columns)),
    error: 0,
  })
  const rowOf = (rows: number, from: number) => ({
    rows,
    reads: [
      { block: from, ...matrix(rows, sizes[from]) },
      ...(skips && from > 0 ? [{ block: 0, ...matrix(rows, sizes[0]) }] : []),
    ],
  })
  const inner = sizes.slice(1, -1)
  const activations = inner.map(
    (rows, j): SlopedBlock => ({
      ...rowOf(rows, j),
      lo: new Float64Array(rows).fill(slopes[0]),
      hi: new Float64Array(rows).fill(slopes[1]),
    }),
  )
  return { sizes: sizes.slice(0, -1), activations, output: rowOf(sizes.at(-1) as number, inner.length) }
}

/** |y(x) − y(x′)| / |x − x′| at most, over random slopes of every element: attained by some network. */
function attained(problem: SdpProblem, seed: number, tries = 60): number {
  const random = createRandom(seed)
  let most = 0
  const x = gaussianVector(problem.sizes[0], random)
  for (let trial = 0; trial < tries; trial++) {
    const direction = trial % 2 === 0 ? gaussianVector(x.length, random) : x
    const blocks = [direction]
    const apply = (row: SdpProblem['output']) => {
      const y = new Float64Array(row.rows)
      for (const { block, columns, data } of row.reads)
        for (let i = 0; i < row.rows; i++)
          for (let k = 0; k < columns; k++) y[i] += data[i * columns + k] * blocks[block][k]
      return y
    }
    for (const activation of problem.activations) {
      const z = apply(activation)
      blocks.push(z.map((value, i) => value * (random.uniform() < 0.5 ? activation.lo[i] : activation.hi[i])))
    }
    most = Math.max(most, Math.hypot(...apply(problem.output)) / Math.hypot(...direction))
  }
  return most
}

/** λ_max(Y P⁻¹ Yᵀ) with P and Y written down as they are defined; null where P is not positive definite. */
function wholeSquare({ sizes, activations, output }: SdpProblem, logarithms: Float64Array): number | null {
  const starts = sizes.map((_, k) => sizes.slice(0, k).reduce((sum, size) => sum + size, 0))
  const order = sizes.reduce((sum, size) => sum + size, 0)
  const square = (size: number) => Array.from({ length: size }, () => new Float64Array(size))
  const p = square(order)
  for (let i = 0; i < sizes[0]; i++) p[i][i] = 1
  const rowOf = ({ reads }: SdpProblem['output'], i: number) => {
    const row = new Float64Array(order)
    for (const { block, columns, data } of reads)
      for (let k = 0; k < columns; k++) row[starts[block] + k] += data[i * columns + k]
    return row
  }
  let at = 0
  activations.forEach((activation, j) => {
    for (let i = 0; i < activation.rows; i++) {
      const multiplier = Math.exp(logarithms[at++])
      const [row, own] = [rowOf(activation, i), starts[j + 1] + i]
      const [lo, hi] = [activation.lo[i], activation.hi[i]]
      p[own][own] += multiplier
      row.forEach((value, k) => {
        p[own][k] -= (multiplier * (lo + hi) * value) / 2
        p[k][own] -= (multiplier * (lo + hi) * value) / 2
        row.forEach((other, l) => {
          p[k][l] += multiplier * lo * hi * value * other
        })
      })
    }
  })
  // P = L Lᵀ, then |L⁻¹ Yᵀ|
  const l = square(order)
  for (let i = 0; i < order; i++)
    for (let j = 0; j <= i; j++) {
      let sum = p[i][j]
      for (let k = 0; k < j; k++) sum -= l[i][k] * l[j][k]
      if (i === j && !(sum > 0)) return null
      l[i][j] = i === j ? Math.sqrt(sum) : sum / l[j][j]
    }
  const columns = Array.from({ length: output.rows }, (_, i) => {
    const v = rowOf(output, i)
    for (let k = 0; k < order; k++) {
      for (let m = 0; m < k; m++) v[k] -= l[k][m] * v[m]
      v[k] /= l[k][k]
    }
    return v
  })
  const gram = columns.map((a) => columns.map((b) => a.reduce((sum, value, k) => sum + value * b[k], 0)))
  let v = columns.map((_, i) => 1 + ((i * 37) % 11) / 11)
  let top = 0
  for (let step = 0; step < 3000; step++) {
    const image = gram.map((row) => row.reduce((sum, value, k) => sum + value * v[k], 0))
    top = Math.hypot(...image)
    v = image.map((value) => value / top)
  }
  return top
}

const slopes = fc.constantFrom<readonly [number, number]>(
  [0, 1],
  [0.1, 1],
  [-0.13, 1.13],
  [-1, 1],
  [0, 0.25],
  [0.5, 2],
)
const sizes = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 3, maxLength: 6 })

describe('the SDP bound', () => {
  it('is never below what some slopes attain', () => {
    let proven = 0
    fc.assert(
      fc.property(sizes, slopes, fc.boolean(), fc.nat(), (dims, range, skips, seed) => {
        const problem = chain(dims, range, seed, skips)
        const bound = sdpBound(problem, all)
        if (bound === null) return
        proven++
        expect(bound).toBeGreaterThanOrEqual(attained(problem, seed))
      }),
      { numRuns: 60 },
    )
    expect(proven).toBeGreaterThan(55)
  })

  it('is the norm of the matrix where nothing is an activation', () => {
    const problem = chain([4, 3], [0, 1], 7)
    const [{ data }] = problem.output.reads
    const bound = sdpBound(problem, all) as number
    const largest = attained({ ...problem }, 1, 4000)
    expect(bound).toBeGreaterThanOrEqual(largest)
    expect(bound).toBeLessThanOrEqual(Math.hypot(...data))
    expect(largest).toBeGreaterThan(0.9 * bound)
  })

  it('is exact for one hidden layer of one neuron', () => {
    const problem = chain([3, 1, 2], [0, 1], 11)
    const norms = [problem.activations[0], problem.output].map(({ reads }) => Math.hypot(...reads[0].data))
    expect(sdpBound(problem, all)).toBeCloseTo(norms[0] * norms[1], 6)
  })

  it('keeps the term in αβ: slopes of both signs give more than what the mean alone says', () => {
    const [positive, mixed] = [chain([4, 6, 6, 2], [0, 1], 3), chain([4, 6, 6, 2], [-0.5, 1], 3)]
    expect(sdpBound(mixed, all)).toBeGreaterThan(sdpBound(positive, all) as number)
  })

  it('has the gradient that differences show', () => {
    for (const [range, skips] of [
      [[0, 1], false],
      [[0, 1], true],
      [[-0.2, 1.1], true],
    ] as const) {
      scoped(() => {
        const objective = createObjective(chain([3, 5, 4, 2], range, 5, skips))
        const point = objective.start() as Float64Array
        const barrier = 0.01
        const { gradient } = objective.evaluate(point, barrier).differentiate()
        for (let i = 0; i < point.length; i++) {
          const moved = (step: number) =>
            objective.evaluate(
              point.map((v, k) => (k === i ? v + step : v)),
              barrier,
            ).value
          const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5
          expect(gradient[i]).toBeCloseTo(slope, 4)
        }
      })
    }
  })

  it('is proven just above √λ_max(Y P⁻¹ Yᵀ) of the whole matrices, and not just below', () => {
    let proven = 0
    fc.assert(
      fc.property(sizes, slopes, fc.boolean(), fc.nat(), (dims, range, skips, seed) => {
        const problem = chain(dims, range, seed, skips)
        scoped(() => {
          const objective = createObjective(problem)
          const start = objective.start()
          const random = createRandom(seed + 1)
          const point = start?.map((value) => value + 0.05 * random.uniform()) ?? null
          if (point === null) return
          const square = wholeSquare(problem, point)
          const { lipschitz } = objective.evaluate(point, 0)
          if (square === null) {
            expect(lipschitz).toBe(Infinity)
            return
          }
          proven++
          expect(lipschitz ** 2 / square).toBeCloseTo(1, 6)
          expect(certifyBound(problem, point, [square * (1 - 1e-6)])).toBeNull()
          expect(certifyBound(problem, point, [square * (1 + 1e-5)])).not.toBeNull()
        })
      }),
      { numRuns: 60 },
    )
    expect(proven).toBeGreaterThan(40)
  })

  it('proves nothing that is too small', () => {
    fc.assert(
      fc.property(sizes, slopes, fc.nat(), (dims, range, seed) => {
        const problem = chain(dims, range, seed)
        const least = attained(problem, seed)
        scoped(() => {
          const point = createObjective(problem).start()
          if (point !== null) expect(certifyBound(problem, point, [(0.999 * least) ** 2])).toBeNull()
        })
      }),
      { numRuns: 40 },
    )
  })
})
