import { describe, expect, it } from 'vitest'
import { createRandom, gaussianVector } from '../../src/core/random.ts'
import { jointFailure, jointQuantile, lanczos, upperBound } from '../../src/linalg/lanczos.ts'

/** Runs `count` processes on the diagonal matrix with these eigenvalues, `steps` steps each. */
function runDiagonal(eigenvalues: Float64Array, steps: number, seed: number, count: number) {
  const random = createRandom(seed)
  const product = new Float64Array(eigenvalues.length)
  return Array.from({ length: count }, () => {
    const process = lanczos(gaussianVector(eigenvalues.length, random), 1e-15)
    for (let step = 0; step < steps && !process.exhausted; step++) {
      const { direction } = process
      for (let i = 0; i < product.length; i++) product[i] = eigenvalues[i] * direction[i]
      process.step(product)
    }
    return process
  })
}

describe('lanczos', () => {
  it('fails no more often than it says, over 10,000 seeded runs', () => {
    const spread = Float64Array.from({ length: 40 }, (_, i) => 1 - (i / 40) ** 0.5)
    const lonely = Float64Array.from({ length: 40 }, (_, i) => (i === 0 ? 1 : 0.9 - i / 80))
    for (const [eigenvalues, steps, count] of [
      [spread, 4, 1],
      [lonely, 3, 1],
      [lonely, 3, 2],
    ] as const) {
      let failures = 0
      for (let seed = 0; seed < 10_000; seed++) {
        if (upperBound(runDiagonal(eigenvalues, steps, seed, count), 1e-2) < 1) failures++
      }
      // 100 expected at most: six standard deviations above would be 160
      expect(failures).toBeLessThanOrEqual(100)
    }
  })

  it('is tight: the bound is reached when the start hides the eigenvector as the probability says', () => {
    const lonely = Float64Array.from({ length: 40 }, (_, i) => (i === 0 ? 1 : 0.5 - i / 80))
    let failures = 0
    for (let seed = 0; seed < 4000; seed++) {
      if (upperBound(runDiagonal(lonely, 2, seed, 1), 0.2) < 1) failures++
    }
    expect(failures).toBeGreaterThan(0)
    expect(failures).toBeLessThanOrEqual(800)
  })

  it('counts that the level of two processes is chosen after the fact', () => {
    for (const size of [3, 40]) {
      const spike = Float64Array.from({ length: size }, (_, i) => (i === 0 ? 1 : 1e-3 / (i + 1)))
      let failures = 0
      let naive = 0
      for (let seed = 0; seed < 10_000; seed++) {
        const processes = runDiagonal(spike, 1, seed, 2)
        const alone = processes.map((process) => process.failureAt(0.9999))
        if (jointFailure(alone) <= jointQuantile(2, 0.05)) failures++
        if (alone[0] * alone[1] <= 0.05) naive++
      }
      expect(failures).toBeGreaterThan(100)
      expect(failures).toBeLessThanOrEqual(500)
      expect(naive).toBeGreaterThan(1000)
    }
  })

  it('knows how often failures of independent uniform starts are small together', () => {
    const random = createRandom(11)
    for (const probability of [0.05, 0.01]) {
      for (const processes of [1, 2, 3, 4]) {
        const level = jointQuantile(processes, probability)
        let below = 0
        for (let run = 0; run < 100_000; run++) {
          const failures = Array.from({ length: processes }, () => random.uniform())
          if (jointFailure(failures) <= level) below++
        }
        // the probability is met exactly; six standard deviations
        const expected = 100_000 * probability
        expect(Math.abs(below - expected)).toBeLessThan(6 * Math.sqrt(expected))
      }
    }
  })

  it('counts failures together no lower where one of them rises', () => {
    const random = createRandom(12)
    for (let run = 0; run < 10_000; run++) {
      const [a, b, more] = [random.uniform() ** 4, random.uniform() ** 4, 1 + random.uniform()]
      expect(jointFailure([a * more, b])).toBeGreaterThanOrEqual(jointFailure([a, b]))
      expect(jointFailure([a, b])).toBeGreaterThanOrEqual(a * b)
      expect(jointFailure([a, b])).toBe(jointFailure([b, a]))
    }
  })

  it('bears products that are wrong by what a step is told, and says what that costs', () => {
    const eigenvalues = Float64Array.from({ length: 200 }, (_, i) => 1 - (i / 200) ** 0.7)
    const random = createRandom(21)
    const wrong = 1e-4
    let harmful = 0
    for (let run = 0; run < 200; run++) {
      const process = lanczos(gaussianVector(200, random), 1e-15, false)
      const exact = lanczos(gaussianVector(200, random), 1e-15, false)
      const product = new Float64Array(200)
      for (let step = 0; step < 16; step++) {
        for (const each of [process, exact]) {
          const { direction } = each
          for (let i = 0; i < 200; i++) product[i] = eigenvalues[i] * direction[i]
          const isWrong = each === process && step >= 8
          const harm = isWrong ? each.harmAt(1.01, wrong) : 0
          if (isWrong) {
            const error = gaussianVector(200, random)
            const length = Math.hypot(...error)
            for (let i = 0; i < 200; i++) product[i] += (0.99 * wrong * error[i]) / length
          }
          each.step(product, isWrong ? wrong : undefined)
          if (harm > 0 && harm < 1 && each.failureAt(1.01) < harm) harmful++
        }
      }
      if (upperBound([process], 1e-2) < 1) harmful++
    }
    // 2 expected at most
    expect(harmful).toBeLessThanOrEqual(10)
  })

  it('never puts the Ritz value above the eigenvalue but for rounding, and converges', () => {
    const eigenvalues = Float64Array.from({ length: 300 }, (_, i) => 2 / (1 + i))
    let before = 0
    for (let steps = 1; steps < 20; steps++) {
      const [process] = runDiagonal(eigenvalues, steps, 4, 1)
      expect(process.ritzValue).toBeLessThanOrEqual(2 * (1 + 1e-14))
      expect(process.ritzValue).toBeGreaterThanOrEqual(before * (1 - 1e-14))
      before = process.ritzValue
    }
    expect(before).toBeGreaterThan(2 * (1 - 1e-10))
  })

  it('stops where the Krylov space is exhausted', () => {
    const eigenvalues = Float64Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? 1 : 0.25))
    const [process] = runDiagonal(eigenvalues, 30, 2, 1)
    expect(process.steps).toBeLessThan(5)
    expect(process.exhausted).toBe(true)
    expect(upperBound([process], 1e-6)).toBeLessThan(1 + 1e-6)
  })
})
