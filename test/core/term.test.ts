import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as mag from '../../src/core/magnitude.ts'
import type { Term } from '../../src/core/term.ts'
import * as term from '../../src/core/term.ts'

/** A recipe for a bound: built once with given leaf values, so that it can be built again with others. */
type Recipe = (leaves: readonly Term[]) => Term

const operations: readonly ((...parts: Term[]) => Term)[] = [
  term.sum,
  term.product,
  term.rootSumSquare,
  (...parts) => term.squareRoot(term.product(...parts)),
  (...parts) => term.scale(term.sum(...parts), 0.7),
  (...parts) => term.sum(term.maximum(...parts), parts[0]),
  (...parts) => term.sum(term.minimum(...parts), parts[parts.length - 1]),
]

/** Random graphs of terms with shared parts: each step joins two earlier terms. */
const recipes: fc.Arbitrary<Recipe> = fc
  .array(fc.tuple(fc.nat({ max: operations.length - 1 }), fc.nat(), fc.nat()), {
    minLength: 1,
    maxLength: 12,
  })
  .map((steps) => (leaves: readonly Term[]) => {
    const terms = [...leaves]
    for (const [operation, a, b] of steps) {
      terms.push(operations[operation](terms[a % terms.length], terms[b % terms.length]))
    }
    return terms[terms.length - 1]
  })

const build = (recipe: Recipe, values: readonly number[]) =>
  recipe(values.map((value, i) => term.leaf(`layer${i}`, value)))

describe('elasticities', () => {
  it('agree with finite differences of the logarithm', () => {
    fc.assert(
      fc.property(
        recipes,
        fc.array(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: 4, maxLength: 4 }),
        (recipe, values) => {
          const output = build(recipe, values)
          const found = term.elasticities(output)
          values.forEach((_, i) => {
            const step = 1e-6
            const shifted = (sign: number) =>
              mag.log(
                build(
                  recipe,
                  values.map((value, j) => (j === i ? value * Math.exp(sign * step) : value)),
                ).value,
              )
            const upper = shifted(1) - mag.log(output.value)
            const lower = mag.log(output.value) - shifted(-1)
            // at the kink of a maximum the two one-sided slopes differ, and the elasticity is one of them
            const measured = [upper / step, lower / step]
            const elasticity = found.get(`layer${i}`) ?? 0
            const size = Math.max(1, ...measured.map(Math.abs))
            expect(Math.min(...measured.map((slope) => Math.abs(slope - elasticity)))).toBeLessThan(
              1e-4 * size,
            )
          })
        },
      ),
    )
  })

  it('are 1 for every layer of a chain and add over branches', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((key, i) => term.leaf(key, i + 2))
    expect([...term.elasticities(term.product(a, b, c)).values()]).toEqual([1, 1, 1])
    const residual = term.elasticities(term.product(c, term.sum(term.one, term.product(a, b))))
    expect(residual.get('c')).toBeCloseTo(1, 12)
    expect(residual.get('a')).toBeCloseTo(6 / 7, 12)
    expect(term.elasticities(term.product(a, a)).get('a')).toBe(2)
  })

  it('do not exist for zero and infinite bounds', () => {
    expect(term.elasticities(term.zero).size).toBe(0)
    expect(term.elasticities(term.product(term.leaf('a', 2), term.infinite)).size).toBe(0)
  })

  it('pass through chains and ladders of 100,000 terms', () => {
    let chain: Term = term.one
    let ladder: Term = term.leaf('start', 1)
    for (let i = 0; i < 100_000; i++) {
      chain = term.product(chain, term.leaf('shared', 1.5))
      ladder = term.scale(term.sum(ladder, ladder), 0.5)
    }
    expect(term.elasticities(chain).get('shared')).toBeCloseTo(100_000, 6)
    expect(mag.log10(chain.value)).toBeCloseTo(100_000 * Math.log10(1.5), 5)
    expect(term.elasticities(ladder).get('start')).toBeCloseTo(1, 6)
    expect(mag.toNumber(ladder.value)).toBe(1)
  })
})

describe('terms', () => {
  it('leave out what does not change the value', () => {
    const a = term.leaf('a', 3)
    expect(term.product(term.one, a)).toBe(a)
    expect(term.sum(term.zero, a, term.zero)).toBe(a)
    expect(term.rootSumSquare(a)).toBe(a)
    expect(term.product()).toBe(term.one)
    expect(term.sum()).toBe(term.zero)
  })

  it('let zero win over the infinite in products alone', () => {
    expect(term.isZero(term.product(term.zero, term.infinite))).toBe(true)
    expect(term.isBounded(term.sum(term.one, term.infinite))).toBe(false)
    expect(term.minimum(term.infinite, term.one)).toBe(term.one)
  })

  it('never fall below the exact value', () => {
    const tenth = term.constant(0.1)
    const sum = term.sum(tenth, tenth, tenth)
    expect(mag.toNumber(sum.value)).toBeGreaterThanOrEqual(0.30000000000000004)
    expect(mag.toNumber(term.rootSumSquare(term.constant(3), term.constant(4)).value)).toBe(5)
  })
})
