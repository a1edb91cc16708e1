import type { Magnitude } from './magnitude.ts'
import * as mag from './magnitude.ts'

/**
 * A magnitude that remembers what it was computed from. Bounds are sums, products, root-sum-squares and maxima
 * of layer norms and constants; the terms form a graph, and one reverse pass over it gives the elasticity
 * d log(bound) / d log(norm) of every layer. `weights[i]` is d log(value) / d log(parents[i]) at this value.
 */
export interface Term {
  readonly value: Magnitude
  readonly parents: readonly Term[]
  readonly weights: readonly number[]
  /** Names a layer's norm; null for everything that is computed or constant. */
  readonly leaf: string | null
  /** Of a root of a sum of squares: 2, the power of its parents' shares that the weights are. */
  readonly power?: 2
}

export function constant(value: number | Magnitude): Term {
  return {
    value: typeof value === 'number' ? mag.magnitude(value) : value,
    parents: [],
    weights: [],
    leaf: null,
  }
}

export const zero: Term = constant(0)
export const one: Term = constant(1)
export const infinite: Term = constant(Infinity)

/** The norm of the layer with this key: where elasticities are measured. */
export function leaf(key: string, value: number | Magnitude): Term {
  return { ...constant(value), leaf: key }
}

export function isZero(term: Term): boolean {
  return mag.isZero(term.value)
}

export function isBounded(term: Term): boolean {
  return mag.isBounded(term.value)
}

const isOne = (term: Term) =>
  term.leaf === null && term.parents.length === 0 && term.value.m === 1 && term.value.e === 0

/** ∏ terms, rounded up. A factor 0 wins over an infinite one. */
export function product(...terms: readonly Term[]): Term {
  const factors = terms.filter((term) => !isOne(term))
  if (factors.length === 0) return one
  if (factors.length === 1) return factors[0]
  const value = factors.map((term) => term.value).reduce(mag.multiply)
  if (mag.isZero(value)) return zero
  return { value, parents: factors, weights: factors.map(() => 1), leaf: null }
}

/** factor · term, for a constant factor ≥ 0. */
export function scale(term: Term, factor: number | Magnitude): Term {
  return product(constant(factor), term)
}

/** Σ terms, rounded up. */
export function sum(...terms: readonly Term[]): Term {
  const parts = terms.filter((term) => !isZero(term))
  if (parts.length === 0) return zero
  if (parts.length === 1) return parts[0]
  const value = parts.map((term) => term.value).reduce(mag.add)
  return { value, parents: parts, weights: shares(parts, value, 1), leaf: null }
}

/** √(Σ terms²), rounded up. */
export function rootSumSquare(...terms: readonly Term[]): Term {
  const parts = terms.filter((term) => !isZero(term))
  if (parts.length === 0) return zero
  if (parts.length === 1) return parts[0]
  const value = mag.rootSumSquare(parts.map((term) => term.value))
  return { value, parents: parts, weights: shares(parts, value, 2), leaf: null, power: 2 }
}

/** √term, rounded up. */
export function squareRoot(term: Term): Term {
  return { value: mag.squareRoot(term.value), parents: [term], weights: [0.5], leaf: null }
}

/** The largest of the terms; where several are equal the first. */
export function maximum(...terms: readonly Term[]): Term {
  return terms.reduce((best, term) => (mag.compare(term.value, best.value) > 0 ? term : best), zero)
}

/** The least of the terms, for several bounds on one thing; where several are equal the first. */
export function minimum(...terms: readonly Term[]): Term {
  return terms.reduce((best, term) => (mag.compare(term.value, best.value) < 0 ? term : best))
}

function shares(parts: readonly Term[], value: Magnitude, power: number): number[] {
  if (!mag.isBounded(value)) return parts.map(() => 0)
  return parts.map((part) => mag.ratio(part.value, value) ** power)
}

/**
 * d log(output) / d log(leaf) for every leaf below `output`, by one reverse pass, linear in the number of terms.
 * Nothing is returned for an infinite or zero output: it has no logarithm.
 */
export function elasticities(output: Term): Map<string, number> {
  const result = new Map<string, number>()
  if (!isBounded(output) || isZero(output)) return result
  const adjoints = new Map<Term, number>([[output, 1]])
  for (const term of topologicalOrder(output)) {
    const adjoint = adjoints.get(term) ?? 0
    if (term.leaf !== null) result.set(term.leaf, (result.get(term.leaf) ?? 0) + adjoint)
    term.parents.forEach((parent, i) => {
      adjoints.set(parent, (adjoints.get(parent) ?? 0) + adjoint * term.weights[i])
    })
  }
  return result
}

/**
 * What each of these leaves alone would make of an output that is built of them by sums, roots of sums of squares,
 * maxima and products with what does not depend on them: at most this part of the output. A root of squares counts as
 * the sum, whose parts do not hide one another; rounding is covered.
 */
export function partsAlone(output: Term, isPart: (leaf: string) => boolean): Map<string, number> {
  const parts = new Map<string, number>()
  if (!isBounded(output) || isZero(output)) return parts
  const total = mag.toNumber(output.value)
  const order = topologicalOrder(output)
  const slack = total * (1 + 2 ** -48 * (order.length + 8))
  const shareOf = new Map<Term, number>([[output, 1]])
  for (const term of order) {
    const share = shareOf.get(term) ?? 0
    if (term.leaf !== null && isPart(term.leaf))
      parts.set(term.leaf, (parts.get(term.leaf) ?? 0) + share * slack)
    term.parents.forEach((parent, i) => {
      const own = term.power === 2 ? Math.sqrt(term.weights[i]) : term.weights[i]
      shareOf.set(parent, (shareOf.get(parent) ?? 0) + share * own)
    })
  }
  return parts
}

/** Every term below the output, each before its parents. Iterative: graphs may be 100,000 deep. */
function topologicalOrder(output: Term): Term[] {
  const order: Term[] = []
  const seen = new Set<Term>([output])
  const stack: { term: Term; next: number }[] = [{ term: output, next: 0 }]
  while (stack.length > 0) {
    const top = stack[stack.length - 1]
    if (top.next < top.term.parents.length) {
      const parent = top.term.parents[top.next++]
      if (!seen.has(parent)) {
        seen.add(parent)
        stack.push({ term: parent, next: 0 })
      }
    } else {
      order.push(top.term)
      stack.pop()
    }
  }
  return order.reverse()
}
