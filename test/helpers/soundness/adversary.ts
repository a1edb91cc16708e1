import { generator } from '../seeded.ts'
import type { Network } from './network.ts'
import { basis, distance, gaussian, moved, norm, orthonormal, topCombination, unit } from './vectors.ts'

/**
 * Looks for pairs of points whose images are as far apart as possible: random pairs at many scales, then the
 * direction that a finite-difference Jacobian stretches most, then an ascent of the point. What it finds are lower
 * bounds of a Lipschitz constant, less what rounding may have added.
 */
export interface Search {
  readonly seed: number
  /** Runs of the network to spend, about. */
  readonly runs: number
  /** Points to try first. */
  readonly samples: readonly Float64Array[]
  /** A box that all points stay in. */
  readonly box: readonly [number, number] | null
  /** What the images are held against: |Δf| − offset counts. */
  readonly offset: number
  /** The constant that the images are held against. */
  readonly claimed: number
  /** Which of the network's outputs count, one after another. */
  readonly outputs: readonly number[]
}

/** A pair of points, with (|f(x) − f(y)| − offset − rounding) / |x − y|. */
export interface Witness {
  readonly x: Float64Array
  readonly y: Float64Array
  readonly slope: number
}

/** Jacobians of more columns are not formed: subspaces are searched instead. */
const fullJacobian = 384
const subspace = 12

export async function steepestPair(network: Network, search: Search): Promise<Witness> {
  const state = { network, search, random: generator(search.seed), end: network.runs + search.runs }
  let best = await randomPairs(state)
  const starts = [...startingPoints(state)]
  while (network.runs < state.end) {
    const before = network.runs
    const start = starts.shift() ?? around(state, best)
    best = steeper(best, await climb(state, start))
    if (network.runs === before) break
  }
  return best
}

interface State {
  readonly network: Network
  readonly search: Search
  readonly random: () => number
  readonly end: number
}

interface Start {
  readonly x: Float64Array
  /** Size of the steps that make sense here. */
  readonly scale: number
  /** A direction to begin with. */
  readonly direction?: Float64Array
}

const steeper = (a: Witness, b: Witness) => (b.slope > a.slope ? b : a)

const scales = [1, 1e-3, 10, 0.1, 1e3, 1e-2, 100]

async function randomPairs(state: State): Promise<Witness> {
  const { network, random, search } = state
  let best: Witness = { x: new Float64Array(), y: new Float64Array(), slope: 0 }
  const share = network.runs + search.runs / 5
  for (const scale of scales) {
    for (const near of [1, 1e-2]) {
      if (network.runs >= share) return best
      const x = gaussian(network.size, random).map((value) => value * scale)
      best = steeper(best, await secant(state, x, moved(x, gaussian(network.size, random), near * scale)))
    }
  }
  return best
}

/** Zero, equal elements, one large element, samples, and random points of all sizes. */
function* startingPoints({ network: { size }, search, random }: State): Generator<Start> {
  const filled = (value: number) => new Float64Array(size).fill(value)
  const noisy = (value: number, noise: number) => gaussian(size, random).map((g) => value + noise * g)
  for (const x of search.samples) yield { x, scale: Math.max(norm(x) / Math.sqrt(size), 1e-3) }
  yield { x: filled(0), scale: 1e-2 }
  yield { x: filled(1), scale: 1e-3 }
  yield { x: noisy(0, 1), scale: 1 }
  for (let spike = 0; spike < 4; spike++) {
    const at = Math.floor(random() * size)
    yield { x: moved(noisy(0, 0.1), basis(size, at), spike % 2 === 0 ? 10 : -10), scale: 1 }
  }
  yield { x: noisy(-0.5, 1e-3), scale: 1e-3 }
  yield { x: noisy(2, 0.2), scale: 0.1 }
  yield { x: noisy(-2, 0.2), scale: 0.1 }
  for (const scale of scales) yield { x: noisy(0, scale), scale }
}

/** A point near the best pair, with its direction. */
function around({ network, random }: State, { x, y }: Witness): Start {
  if (x.length === 0) return { x: gaussian(network.size, random), scale: 1 }
  const scale = Math.max(distance(x, y), 1e-6)
  const middle = x.map((value, i) => (value + y[i]) / 2)
  const shift = gaussian(network.size, random)
  const jump = scale * 4 ** (3 * random() - 2)
  return {
    x: moved(middle, unit(shift), jump),
    scale,
    direction: unit(x.map((value, i) => value - y[i])),
  }
}

/** From a point along the directions that are stretched most there. */
async function climb(state: State, start: Start): Promise<Witness> {
  const { x, scale } = start
  const directions = start.direction === undefined ? [] : [start.direction]
  const top = await topDirection(state, start)
  if (top !== null) directions.push(top)
  let best: Witness = { x, y: x, slope: 0 }
  for (const direction of directions) {
    for (const step of [2 ** -8, 2 ** -4, 2 ** -1, 4]) {
      const [left, right] = [moved(x, direction, -step * scale), moved(x, direction, step * scale)]
      best = steeper(best, await secant(state, left, right))
    }
  }
  return best
}

/** A unit vector that the Jacobian at x stretches about most; null where the runs are spent. */
async function topDirection(state: State, { x, scale, direction }: Start): Promise<Float64Array | null> {
  const { network, random, end } = state
  const { size } = network
  if (size <= fullJacobian) {
    if (network.runs + 2 * size > end + size) return null
    const columns: Float64Array[] = []
    for (let i = 0; i < size; i++) columns.push(await derivative(state, x, basis(size, i), scale / 64))
    return unit(topCombination(columns, random))
  }
  let best = direction ?? null
  for (let round = 0; round < 6 && network.runs + 2 * subspace <= end; round++) {
    const fresh = Array.from({ length: subspace }, (_, i) => probe(size, i, random))
    const frame = orthonormal(best === null ? fresh : [best, ...fresh.slice(1)])
    const columns: Float64Array[] = []
    for (const vector of frame) columns.push(await derivative(state, x, vector, scale / 16))
    const weights = topCombination(columns, random)
    let combined: Float64Array = new Float64Array(size)
    frame.forEach((vector, i) => {
      combined = moved(combined, vector, weights[i])
    })
    best = unit(combined)
  }
  return best
}

/** Random directions of several kinds: anything, single elements, waves, patches. */
function probe(size: number, kind: number, random: () => number): Float64Array {
  const noise = gaussian(size, random)
  if (kind % 4 === 0) return noise
  if (kind % 4 === 1) return basis(size, Math.floor(random() * size))
  if (kind % 4 === 2) {
    const [frequency, phase] = [Math.PI * random(), 2 * Math.PI * random()]
    return noise.map((_, i) => Math.cos(frequency * i + phase))
  }
  const [start, length] = [Math.floor(random() * size), 1 + Math.floor((random() * size) / 8)]
  return noise.map((value, i) => (i >= start && i < start + length ? value : 0))
}

async function derivative(state: State, x: Float64Array, direction: Float64Array, step: number) {
  const [right, left] = [
    await image(state, moved(x, direction, step)),
    await image(state, moved(x, direction, -step)),
  ]
  return right.map((value, i) => (value - left[i]) / (2 * step))
}

async function image({ network, search }: State, x: Float64Array): Promise<Float64Array> {
  const outputs = await network.run(inBox(search, x))
  const chosen = search.outputs.map((i) => outputs[i])
  const result = new Float64Array(chosen.reduce((size, output) => size + output.length, 0))
  let start = 0
  for (const output of chosen) {
    result.set(output, start)
    start += output.length
  }
  return result
}

function inBox({ box }: Search, x: Float64Array): Float64Array {
  return box === null ? x : x.map((value) => Math.min(Math.max(value, box[0]), box[1]))
}

/**
 * What rounding may add to |f(x) − f(y)|: some units in the last place of the images, with room for sums inside the
 * network, and of numbers of size 1 inside of it (1 in eˣ − 1), which the rest of the network carries on.
 */
function roundingOf({ network, search }: State, fx: Float64Array, fy: Float64Array): number {
  const inner = Math.max(1, search.claimed) * Math.sqrt(fx.length)
  return network.unitRoundoff * (64 * (norm(fx) + norm(fy)) + 8 * inner)
}

async function secant(state: State, from: Float64Array, to: Float64Array): Promise<Witness> {
  const { network, search } = state
  const [x, y] = [network.round(inBox(search, from)), network.round(inBox(search, to))]
  const [fx, fy] = [await image(state, x), await image(state, y)]
  const apart = distance(x, y)
  let images = distance(fx, fy) - roundingOf(state, fx, fy) - search.offset
  // what looks like a violation may be cancellation within the network
  if (images > search.claimed * apart)
    images -= (await roughness(state, x, fx)) + (await roughness(state, y, fy))
  // where a network overflows there is nothing to compare
  const slope = apart > 0 && images > 0 && Number.isFinite(images) ? images / apart : 0
  return { x, y, slope }
}

/** How far images jump where the last place of the input changes: rounding that the network amplifies. */
async function roughness(state: State, x: Float64Array, fx: Float64Array): Promise<number> {
  const { network, random } = state
  let largest = 0
  for (let trial = 0; trial < 4; trial++) {
    const moved = network.round(
      x.map((value) => value * (1 + (random() < 0.5 ? -3 : 3) * network.unitRoundoff)),
    )
    largest = Math.max(largest, distance(await image(state, moved), fx))
  }
  return 4 * largest
}
