/** How much a model's outputs really change, by onnxruntime: lower bounds of its Lipschitz constant. */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { generator } from './seeded.ts'

/** What a run of the model gives: all float32 outputs (or the named ones), one after another. */
export interface Network {
  /** Elements of all inputs, one input after another. */
  readonly size: number
  run(x: Float32Array): Promise<Float64Array>
  release(): Promise<void>
}

export type InputShapes = Readonly<Record<string, readonly number[]>>

const product = (dims: readonly number[]) => dims.reduce((size, dim) => size * dim, 1)

/** `fixed`: further inputs, which do not vary. */
export async function openNetwork(
  model: Uint8Array | string,
  shapes: InputShapes,
  { outputs, fixed = {} }: { outputs?: readonly string[]; fixed?: Readonly<Record<string, Tensor>> } = {},
): Promise<Network> {
  const options = { logSeverityLevel: 4, intraOpNumThreads: 1, graphOptimizationLevel: 'disabled' } as const
  const session = await (typeof model === 'string'
    ? InferenceSession.create(model, options)
    : InferenceSession.create(model, options))
  const size = Object.values(shapes).reduce((sum, dims) => sum + product(dims), 0)
  return {
    size,
    async run(x) {
      const feeds: Record<string, Tensor> = { ...fixed }
      let start = 0
      for (const [name, dims] of Object.entries(shapes)) {
        feeds[name] = new Tensor('float32', x.slice(start, start + product(dims)), dims)
        start += product(dims)
      }
      const results = await session.run(feeds)
      const names = outputs ?? session.outputNames.filter((name) => results[name].type === 'float32')
      return Float64Array.from(names.flatMap((name) => Array.from(results[name].data as Float32Array)))
    },
    release: () => session.release(),
  }
}

export function norm(x: ArrayLike<number>): number {
  return Math.sqrt(Array.from(x).reduce((sum, value) => sum + value * value, 0))
}

/** A measured quotient |f(x) − f(y)| / |x − y|, less what float32 rounding may have added to it. */
export interface Secant {
  readonly slope: number
  readonly difference: number
  readonly distance: number
}

async function secant(network: Network, x: Float32Array, y: Float32Array): Promise<Secant> {
  const [fx, fy] = [await network.run(x), await network.run(y)]
  const distance = norm(Float64Array.from(x, (value, i) => value - y[i]))
  const noise = 2 ** -20 * Math.max(norm(fx), norm(fy))
  const difference = Math.max(0, norm(fx.map((value, i) => value - fy[i])) - noise)
  return { slope: distance === 0 ? 0 : difference / distance, difference, distance }
}

const shifted = (x: Float32Array, direction: Float64Array, step: number) =>
  Float32Array.from(x, (value, i) => value + step * direction[i])

/** Columns of the Jacobian by central differences. */
async function jacobian(network: Network, x: Float32Array, step: number): Promise<Float64Array[]> {
  const columns: Float64Array[] = []
  for (let i = 0; i < network.size; i++) {
    const basis = new Float64Array(network.size)
    basis[i] = 1
    const [right, left] = [
      await network.run(shifted(x, basis, step)),
      await network.run(shifted(x, basis, -step)),
    ]
    columns.push(right.map((value, row) => (value - left[row]) / (2 * step)))
  }
  return columns
}

/** The direction that the Jacobian stretches most, by power iteration on JᵀJ. */
function topDirection(columns: readonly Float64Array[], random: () => number): Float64Array {
  if (columns.length === 0) return new Float64Array(0)
  let v = new Float64Array(columns.length).map(() => random() - 0.5)
  for (let iteration = 0; iteration < 60; iteration++) {
    const image = new Float64Array(columns[0].length)
    columns.forEach((column, i) => {
      column.forEach((value, row) => {
        image[row] += value * v[i]
      })
    })
    v = new Float64Array(columns.length).map((_, i) =>
      columns[i].reduce((sum, value, row) => sum + value * image[row], 0),
    )
    const length = norm(v)
    if (length === 0) return Float64Array.from(columns, (_, i) => (i === 0 ? 1 : 0))
    v = v.map((value) => value / length)
  }
  return v
}

export interface SearchOptions {
  readonly seed: number
  /** Points to start from. */
  readonly points?: number
  /** Spread of the points. */
  readonly scale?: number
  readonly center?: number
  /** Also tries the Jacobian's top direction: as many runs as the input has elements. */
  readonly jacobian?: boolean
  /** Starts from points of equal elements, too: where normalisations are steepest. */
  readonly flat?: boolean
}

/** The steepest secants found from random pairs at several distances and along Jacobians. */
export async function steepestSecants(network: Network, options: SearchOptions): Promise<Secant[]> {
  const random = generator(options.seed)
  const { points = 3, scale = 1, center = 0 } = options
  const found: Secant[] = []
  for (let point = 0; point < points; point++) {
    const level = random() - 0.5
    const spread = options.flat === true && point % 2 === 0 ? () => level : () => 2 * (random() - 0.5)
    const x = Float32Array.from({ length: network.size }, () => center + scale * spread())
    const directions: Float64Array[] = [Float64Array.from(x, () => random() - 0.5)]
    if (options.jacobian !== false)
      directions.push(topDirection(await jacobian(network, x, scale * 2 ** -6), random))
    for (const direction of directions) {
      const length = norm(direction) || 1
      for (const step of [2 ** -6, 2 ** -3, 1, 8]) {
        const unit = direction.map((value) => value / length)
        found.push(await secant(network, shifted(x, unit, -scale * step), shifted(x, unit, scale * step)))
      }
    }
  }
  return found
}

export const steepest = (secants: readonly Secant[]) =>
  secants.reduce((most, { slope }) => Math.max(most, slope), 0)
