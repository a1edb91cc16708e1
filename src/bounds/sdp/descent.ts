import type { Slope } from './objective.ts'

/** What is minimised, at a point, with a barrier of the given weight: Infinity outside its domain. */
export type Evaluate = (
  point: Float64Array,
  barrier: number,
) => { readonly value: number; differentiate(): Slope }

export interface DescentOptions {
  /** Weights of the barrier, one stage after another, and the steps of each. */
  readonly stages: readonly { readonly barrier: number; readonly steps: number }[]
  /** Evaluations in all. */
  readonly evaluations: number
  readonly expired?: () => boolean
  /** Told of every point that is better than the one before in its stage. */
  readonly onPoint: (point: Float64Array) => void
}

/** Pairs of steps and changes of the gradient that stand in for second derivatives. */
const MEMORY = 20
/** Longest step of one coordinate. */
const LONGEST = 1.5
const BACKTRACKS = 20
/** How much longer than the step before a step may begin: where one left the domain, the next one often does. */
const GROWTH = 1.5
/** Least second derivative, of the largest, that a coordinate is taken to have. */
const FLOOR = 3e-3

/**
 * Limited-memory BFGS (Nocedal and Wright, algorithm 7.4) with backtracking, from a point inside the domain, one stage
 * for each weight of the barrier. Stops anywhere: every point that it comes to is as good a certificate as any. Cost: one
 * evaluation a step, seldom two.
 */
export function descend(evaluate: Evaluate, start: Float64Array, options: DescentOptions): void {
  let point = start
  let used = 0
  const spent = () => used >= options.evaluations || options.expired?.() === true
  for (const { barrier, steps } of options.stages) {
    if (spent()) return
    let { value, differentiate } = evaluate(point, barrier)
    used++
    if (!Number.isFinite(value)) return
    let slope = differentiate()
    const pairs: Pair[] = []
    let last = 1
    for (let step = 0; step < steps && !spent(); step++) {
      const scales = scalesOf(slope)
      let direction = directionOf(slope.gradient, scales, pairs)
      let descent = dot(direction, slope.gradient)
      if (!(descent < 0)) {
        pairs.length = 0
        direction = slope.gradient.map((element, i) => -element * scales[i])
        descent = dot(direction, slope.gradient)
      }
      let length = Math.min(1, LONGEST / largest(direction), last * GROWTH)
      let next = { value: Infinity, differentiate }
      let moved = point
      for (let tries = 0; tries < BACKTRACKS && !spent(); tries++, length *= 0.35) {
        moved = point.map((element, i) => element + length * direction[i])
        next = evaluate(moved, barrier)
        used++
        if (next.value <= value + 1e-4 * length * descent) break
      }
      if (!(next.value < value)) break
      last = length
      const after = next.differentiate()
      remember(pairs, point, moved, slope.gradient, after.gradient)
      const gained = value - next.value
      value = next.value
      point = moved
      slope = after
      options.onPoint(point)
      if (gained < 1e-9) break
    }
  }
}

/** A diagonal in the place of the inverse of the second derivatives. */
function scalesOf({ curvature }: Slope): Float64Array {
  const floor = FLOOR * largest(curvature)
  return curvature.map((element) => 1 / (Math.max(0, element) + floor))
}

function largest(vector: Float64Array): number {
  return vector.reduce((most, element) => Math.max(most, Math.abs(element)), Number.MIN_VALUE)
}

interface Pair {
  readonly step: Float64Array
  readonly change: Float64Array
  readonly product: number
}

function remember(
  pairs: Pair[],
  from: Float64Array,
  to: Float64Array,
  before: Float64Array,
  after: Float64Array,
): void {
  const step = to.map((value, i) => value - from[i])
  const change = after.map((value, i) => value - before[i])
  const product = dot(step, change)
  if (!(product > 1e-12 * Math.sqrt(dot(step, step) * dot(change, change)))) return
  pairs.push({ step, change, product })
  if (pairs.length > MEMORY) pairs.shift()
}

/** −H·gradient by the two loops over what is remembered. */
function directionOf(gradient: Float64Array, scales: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((element) => -element)
  const factors: number[] = []
  for (const { step, change, product } of pairs.toReversed()) {
    const factor = dot(step, direction) / product
    factors.push(factor)
    for (let i = 0; i < direction.length; i++) direction[i] -= factor * change[i]
  }
  for (let i = 0; i < direction.length; i++) direction[i] *= scales[i]
  const last = pairs.at(-1)
  const scale =
    last === undefined
      ? Math.min(1, 0.5 / largest(direction))
      : last.product / last.change.reduce((sum, element, i) => sum + element * element * scales[i], 0)
  for (let i = 0; i < direction.length; i++) direction[i] *= scale
  for (const { step, change, product } of pairs) {
    const factor = (factors.pop() ?? 0) - dot(change, direction) / product
    for (let i = 0; i < direction.length; i++) direction[i] += factor * step[i]
  }
  return direction
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
