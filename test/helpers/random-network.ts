/** Random small networks that mix layers, activations, joins and moves of elements: material for soundness properties. */
import fc from 'fast-check'
import { int64s, type Message, type ModelSpec, node, tensor } from './onnx-builder.ts'
import { generator } from './seeded.ts'

/** Sizes of feature tensors [1, size] alone: every step maps some of them to a new one. */
interface Draft {
  readonly nodes: Message[]
  readonly constants: Record<string, Message>
  readonly tensors: { name: string; size: number }[]
  readonly random: () => number
}

type Step = (draft: Draft, pick: () => { name: string; size: number }, name: string) => number | null

const elements = (draft: Draft, dims: readonly number[], shift = 0) =>
  tensor(
    dims,
    Float32Array.from(
      { length: dims.reduce((size, dim) => size * dim, 1) },
      () => shift + 2 * draft.random() - 1,
    ),
  )

/** A constant of the draft; returns its name. */
function constant(draft: Draft, message: Message): string {
  const name = `c${Object.keys(draft.constants).length}`
  draft.constants[name] = message
  return name
}

function unary(op: string, attributes = {}): Step {
  return (draft, pick, name) => {
    const x = pick()
    draft.nodes.push(node(op, [x.name], [name], attributes))
    return x.size
  }
}

/** Joins two tensors of one size; null where there is no second one. */
function binary(op: string): Step {
  return (draft, pick, name) => {
    const x = pick()
    const others = draft.tensors.filter(({ size }) => size === x.size || size === 1)
    const y = others[Math.floor(draft.random() * others.length)]
    draft.nodes.push(node(op, [x.name, y.name], [name]))
    return x.size
  }
}

const withConstant =
  (op: string, shift = 0): Step =>
  (draft, pick, name) => {
    const x = pick()
    draft.nodes.push(node(op, [x.name, constant(draft, elements(draft, [1, x.size], shift))], [name]))
    return x.size
  }

const steps: readonly Step[] = [
  unary('Relu'),
  unary('Tanh'),
  unary('Sigmoid'),
  unary('LeakyRelu', { alpha: 0.3 }),
  unary('Softplus'),
  unary('Abs'),
  unary('Softmax'),
  unary('LogSoftmax'),
  unary('Identity'),
  binary('Add'),
  binary('Sub'),
  binary('Max'),
  binary('Min'),
  withConstant('Add'),
  withConstant('Mul'),
  withConstant('Div', 3),
  (draft, pick, name) => {
    const x = pick()
    const size = 1 + Math.floor(draft.random() * 5)
    const weights = constant(draft, elements(draft, [size, x.size]))
    const bias = constant(draft, elements(draft, [size]))
    draft.nodes.push(node('Gemm', [x.name, weights, bias], [name], { transB: 1 }))
    return size
  },
  (draft, pick, name) => {
    const [x, y] = [pick(), pick()]
    draft.nodes.push(node('Concat', [x.name, y.name], [name], { axis: 1 }))
    return x.size + y.size
  },
  (draft, pick, name) => {
    const x = pick()
    const positions = Array.from({ length: 1 + Math.floor(draft.random() * 4) }, () =>
      Math.floor(draft.random() * x.size),
    )
    draft.nodes.push(node('Gather', [x.name, constant(draft, int64s(positions))], [name], { axis: 1 }))
    return positions.length
  },
  (draft, pick, name) => {
    const x = pick()
    draft.nodes.push(node('ReduceMean', [x.name, constant(draft, int64s([1]))], [name], { keepdims: 1 }))
    return 1
  },
  /** A gate of values in (0, 1) on one in (−1, 1): a product of two paths with ranges. */
  (draft, pick, name) => {
    const x = pick()
    draft.nodes.push(node('Tanh', [x.name], [`${name}t`]), node('Sigmoid', [x.name], [`${name}s`]))
    draft.nodes.push(node('Mul', [`${name}t`, `${name}s`], [name]))
    return x.size
  },
  /** SiLU. */
  (draft, pick, name) => {
    const x = pick()
    draft.nodes.push(node('Sigmoid', [x.name], [`${name}s`]), node('Mul', [x.name, `${name}s`], [name]))
    return x.size
  },
]

export interface RandomNetwork {
  readonly spec: ModelSpec
  readonly shapes: Readonly<Record<string, readonly number[]>>
}

/** Two inputs, up to `length` steps, and the last tensor and one other as outputs. */
export function randomNetworks(length = 10): fc.Arbitrary<RandomNetwork> {
  return fc
    .tuple(
      fc.nat({ max: 2 ** 31 }),
      fc.array(fc.nat({ max: steps.length - 1 }), { minLength: 1, maxLength: length }),
    )
    .map(([seed, choices]) => build(generator(seed), choices))
}

function build(random: () => number, choices: readonly number[]): RandomNetwork {
  const shapes = { a: [1, 1 + Math.floor(random() * 4)], b: [1, 1 + Math.floor(random() * 4)] }
  const tensors = Object.entries(shapes).map(([name, [, size]]) => ({ name, size }))
  const draft: Draft = { nodes: [], constants: {}, tensors, random }
  // late tensors more often, so that networks grow deep
  const pick = () => tensors[Math.floor(Math.sqrt(random()) * tensors.length)]
  choices.forEach((choice, i) => {
    const size = steps[choice](draft, pick, `t${i}`)
    if (size !== null) tensors.push({ name: `t${i}`, size })
  })
  const computed = tensors.slice(2)
  const last = computed[computed.length - 1]
  const other = computed[Math.floor(random() * computed.length)]
  const names = [...new Set([last.name, other.name])]
  return {
    shapes,
    spec: {
      opset: 18,
      inputs: shapes,
      outputs: Object.fromEntries(names.map((name) => [name, { type: 'float32' as const, shape: null }])),
      initializers: draft.constants,
      nodes: draft.nodes,
    },
  }
}
