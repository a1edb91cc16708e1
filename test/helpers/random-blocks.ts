/** Random networks of the larger operators: recurrences, attention within a box, normalisations, quantised weights. */
import { type AttributeValue, type Message, type ModelSpec, node, tensor } from './onnx-builder.ts'
import { generator } from './seeded.ts'

type Kind = 'recurrent' | 'attention' | 'normalised' | 'quantised'

export const blockKinds = [
  'recurrent',
  'attention',
  'normalised',
  'quantised',
] as const satisfies readonly Kind[]

interface Draft {
  whole(lo: number, hi: number): number
  pick<T>(list: readonly T[]): T
  numbers(dims: readonly number[], scale?: number): string
  codes(dims: readonly number[]): string
  scalar(value: number): string
  add(
    op: string,
    inputs: readonly string[],
    attributes?: Record<string, AttributeValue>,
    outputs?: number,
  ): string
}

/** Gives the shape of the input, appends nodes that read x, and returns the last. */
const makers: Readonly<Record<Kind, (draft: Draft) => { shape: readonly number[]; output: string }>> = {
  recurrent({ whole, pick, numbers, add }) {
    const [time, features, hidden] = [whole(1, 4), whole(1, 3), whole(1, 4)]
    const [op, gates] = pick([
      ['LSTM', 4],
      ['GRU', 3],
      ['RNN', 1],
    ] as const)
    const weights = [numbers([1, gates * hidden, features]), numbers([1, gates * hidden, hidden])]
    const inputs = ['x', ...weights, numbers([1, 2 * gates * hidden])]
    const y = add(op, inputs, {
      hidden_size: hidden,
      ...(op === 'GRU' && { linear_before_reset: whole(0, 1) }),
    })
    const flat = add('Flatten', [y], { axis: 0 })
    return { shape: [time, 1, features], output: add('MatMul', [flat, numbers([time * hidden, 2])]) }
  },
  attention({ whole, pick, numbers, scalar, add }) {
    const [length, width] = [whole(1, 4), whole(1, 4)]
    const [q, k, v] = [1, 2, 3].map(() => add('MatMul', ['x', numbers([width, width])]))
    const keys = add('Transpose', [k], { perm: [0, 2, 1] })
    const scores = add('Mul', [add('MatMul', [q, keys]), scalar(1 / Math.sqrt(width))])
    const attended = add('MatMul', [add('Softmax', [scores], { axis: -1 }), v])
    const residual = pick([attended, add('Add', [attended, 'x'])])
    return { shape: [1, length, width], output: residual }
  },
  normalised({ whole, pick, numbers, add }) {
    const width = whole(2, 5)
    const layer = (x: string) => {
      const y = add('MatMul', [x, numbers([width, width])])
      const z = pick([
        () => add('LayerNormalization', [y, numbers([width]), numbers([width])], { axis: -1, epsilon: 0.3 }),
        () => add('RMSNormalization', [y, numbers([width])], { axis: -1, epsilon: 0.2 }),
        () => add('LpNormalization', [y], { axis: -1, p: 2 }),
        () => add('Softmax', [y], { axis: -1 }),
      ])()
      return add(pick(['Relu', 'Tanh', 'Gelu', 'Identity']), [z])
    }
    let x = 'x'
    for (let i = whole(1, 3); i > 0; i--) x = layer(x)
    return { shape: [whole(1, 3), width], output: x }
  },
  quantised({ whole, pick, numbers, codes, scalar, add }) {
    const sizes = [whole(1, 5), whole(1, 6), whole(1, 4)]
    let x = 'x'
    for (let i = 0; i < 2; i++) {
      const weight = add('DequantizeLinear', [codes([sizes[i], sizes[i + 1]]), scalar(0.02)])
      x = add('Add', [add('MatMul', [x, weight]), numbers([sizes[i + 1]])])
      x = add(pick(['Relu', 'Clip', 'HardSwish', 'LeakyRelu']), [x])
    }
    return { shape: [1, sizes[0]], output: x }
  },
}

/** One random network of a kind; equal seeds give equal models. */
export function randomBlock(kind: Kind, seed: number): ModelSpec {
  const random = generator(seed)
  const nodes: Message[] = []
  const initializers: Record<string, Message> = {}
  const keep = (message: Message) => {
    const name = `c${Object.keys(initializers).length}`
    initializers[name] = message
    return name
  }
  const whole = (lo: number, hi: number) => lo + Math.floor(random() * (hi - lo + 1))
  const sizeOf = (dims: readonly number[]) => dims.reduce((size, dim) => size * dim, 1)
  const { shape, output } = makers[kind]({
    whole,
    pick: (list) => list[whole(0, list.length - 1)],
    numbers: (dims, scale = 1.5) =>
      keep(
        tensor(
          dims,
          Float32Array.from({ length: sizeOf(dims) }, () => scale * (2 * random() - 1)),
        ),
      ),
    codes: (dims) =>
      keep(
        tensor(
          dims,
          Array.from({ length: sizeOf(dims) }, () => whole(-128, 127)),
          'int8',
        ),
      ),
    scalar: (value) => keep(tensor([], Float32Array.of(value))),
    add(op, inputs, attributes) {
      const name = `t${nodes.length}`
      nodes.push(node(op, inputs, [name], attributes))
      return name
    },
  })
  return {
    opset: 23,
    inputs: { x: shape },
    outputs: { [output]: { type: 'float32', shape: null } },
    initializers,
    nodes,
  }
}
