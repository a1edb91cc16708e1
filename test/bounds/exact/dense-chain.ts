/** Chains of dense layers with piecewise linear functions between them, evaluated by themselves. */
import { type Message, type ModelSpec, node, tensor } from '../../helpers/onnx-builder.ts'
import { generator } from '../../helpers/seeded.ts'

/** A function of one number with straight pieces. */
export interface PiecewiseFunction {
  readonly node: (x: string, y: string) => Message
  readonly value: (z: number) => number
  readonly slope: (z: number) => number
}

const soft = Math.fround(0.2)
const leak = Math.fround(-0.3)

export const functions: Readonly<Record<string, PiecewiseFunction>> = {
  Relu: {
    node: (x, y) => node('Relu', [x], [y]),
    value: (z) => Math.max(z, 0),
    slope: (z) => (z > 0 ? 1 : 0),
  },
  Abs: { node: (x, y) => node('Abs', [x], [y]), value: Math.abs, slope: Math.sign },
  LeakyRelu: {
    node: (x, y) => node('LeakyRelu', [x], [y], { alpha: leak }),
    value: (z) => (z < 0 ? leak * z : z),
    slope: (z) => (z < 0 ? leak : 1),
  },
  HardSigmoid: {
    node: (x, y) => node('HardSigmoid', [x], [y]),
    value: (z) => Math.min(1, Math.max(0, soft * z + 0.5)),
    slope: (z) => (soft * z + 0.5 > 0 && soft * z + 0.5 < 1 ? soft : 0),
  },
  Shrink: {
    node: (x, y) => node('Shrink', [x], [y], { bias: 0.25, lambd: 0.25 }),
    value: (z) => (z > 0.25 ? z - 0.25 : z < -0.25 ? z + 0.25 : 0),
    slope: (z) => (Math.abs(z) > 0.25 ? 1 : 0),
  },
}

export interface Chain {
  readonly spec: ModelSpec
  /** ‖J(x)‖₂, from the matrix itself. */
  lengthAt(x: ArrayLike<number>): number
  readonly weights: readonly (readonly number[][])[]
  readonly biases: readonly (readonly number[])[]
}

export interface ChainOptions {
  /** The share of weights that are 0, and of biases. */
  readonly zeros?: number
  /** Numbers are multiples of this: equal and opposite ones occur. */
  readonly step?: number
}

/** A chain of the given sizes, the input's first; equal seeds give equal chains. */
export function randomChain(
  seed: number,
  sizes: readonly number[],
  { node: made, value, slope }: PiecewiseFunction,
  { zeros = 0, step = 0 }: ChainOptions = {},
): Chain {
  const random = generator(seed)
  const number = (scale: number) => {
    const drawn = random() < zeros ? 0 : scale * (2 * random() - 1)
    return Math.fround(step > 0 ? step * Math.round(drawn / step) : drawn)
  }
  const layers = sizes.slice(1).map((rows, i) => ({
    weights: Array.from({ length: rows }, () =>
      Array.from({ length: sizes[i] }, () => number(2 / Math.sqrt(sizes[i]))),
    ),
    biases: Array.from({ length: rows }, () => number(1)),
  }))
  const initializers: Record<string, Message> = {}
  const nodes: Message[] = []
  let x = 'x'
  layers.forEach(({ weights, biases }, i) => {
    initializers[`w${i}`] = tensor([sizes[i + 1], sizes[i]], weights.flat())
    initializers[`b${i}`] = tensor([sizes[i + 1]], biases)
    nodes.push(node('Gemm', [x, `w${i}`, `b${i}`], [`z${i}`], { transB: 1 }))
    x = `z${i}`
    if (i === layers.length - 1) return
    nodes.push(made(x, `a${i}`))
    x = `a${i}`
  })
  return {
    spec: { inputs: { x: [1, sizes[0]] }, outputs: [x], initializers, nodes },
    weights: layers.map(({ weights }) => weights),
    biases: layers.map(({ biases }) => biases),
    lengthAt(point) {
      let values = Array.from(point)
      let rows = values.map((_, i) => values.map((_, k): number => (i === k ? 1 : 0)))
      layers.forEach(({ weights, biases }, at) => {
        const z = weights.map((row, i) => row.reduce((sum, w, k) => sum + w * values[k], biases[i]))
        rows = weights.map((row) => rows[0].map((_, c) => row.reduce((sum, w, k) => sum + w * rows[k][c], 0)))
        values = z
        if (at === layers.length - 1) return
        rows = rows.map((row, i) => row.map((entry) => slope(z[i]) * entry))
        values = z.map(value)
      })
      return spectralNorm(rows)
    },
  }
}

/** By the eigenvalues of the Gram matrix on the smaller side, in closed form up to 2, else by the power method. */
export function spectralNorm(rows: readonly (readonly number[])[]): number {
  const columns = rows[0].map((_, c) => rows.map((row) => row[c]))
  const short = rows.length <= columns.length ? rows : columns
  const gram = short.map((a) => short.map((b) => a.reduce((sum, x, k) => sum + x * b[k], 0)))
  if (gram.length === 1) return Math.sqrt(gram[0][0])
  if (gram.length === 2) {
    const [[a, b], [, d]] = gram
    return Math.sqrt((a + d) / 2 + Math.hypot((a - d) / 2, b))
  }
  let v = gram.map((_, k) => 1 + 0.37 * ((k * 5) % 7))
  let top = 0
  for (let step = 0; step < 3000; step++) {
    const image = gram.map((row) => row.reduce((sum, x, k) => sum + x * v[k], 0))
    const size = Math.hypot(...image)
    if (size === 0) return 0
    if (step > 30 && Math.abs(size - top) < 1e-15 * size) break
    top = size
    v = image.map((x) => x / size)
  }
  return Math.sqrt(top)
}
