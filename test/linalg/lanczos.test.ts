import { describe, expect, it } from 'vitest'
import { createRandom, gaussianVector } from '../../src/core/random.ts'
import { lanczos, productQuantile, upperBound } from '../../src/linalg/lanczos.ts'

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
        const product = processes.reduce((all, process) => all * process.failureAt(0.9999), 1)
        if (product <= productQuantile(2, 0.05)) failures++
        if (product <= 0.05) naive++
      }
      expect(failures).toBeGreaterThan(100)
      expect(failures).toBeLessThanOrEqual(500)
      expect(naive).toBeGreaterThan(1000)
    }
  })

  it('knows how often the product of independent uniform numbers is small', () => {
    const random = createRandom(11)
    for (const factors of [1, 2, 3]) {
      const level = productQuantile(factors, 0.05)
      let below = 0
      for (let run = 0; run < 100_000; run++) {
        let product = 1
        for (let i = 0; i < factors; i++) product *= random.uniform()
        if (product <= level) below++
      }
      // 5,000 expected at most, standard deviation 69
      expect(below).toBeLessThan(5300)
      expect(below).toBeGreaterThan(3500)
    }
    expect(productQuantile(2, 1e-10)).toBeGreaterThan(1e-10 / 40)
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
