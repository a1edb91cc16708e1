/** Random networks of affine nodes and activations, deep enough for bounds over several layers to matter. */
import { type AttributeValue, int64s, type Message, type ModelSpec, node, tensor } from './onnx-builder.ts'
import { generator } from './seeded.ts'

type Activation = readonly [op: string, attributes?: Record<string, AttributeValue>, domain?: string]

export const activations: readonly Activation[] = [
  ['Relu'],
  ['LeakyRelu', { alpha: 0.2 }],
  ['LeakyRelu', { alpha: -0.4 }],
  ['Abs'],
  ['Tanh'],
  ['Sigmoid'],
  ['Softplus'],
  ['Elu', { alpha: 1.5 }],
  ['Selu'],
  ['Gelu'],
  ['Gelu', { approximate: 'tanh' }],
  ['Swish'],
  ['Mish'],
  ['HardSwish'],
  ['HardSigmoid'],
  ['Softsign'],
  ['Sin'],
  ['Atan'],
  ['Erf'],
]

export interface StackOptions {
  /** Names of the activations; null: all. */
  readonly only?: readonly string[]
  readonly depth?: number
  readonly width?: number
  /** Images and convolutions in front. */
  readonly images?: boolean
}

/** One random stack; equal seeds give equal models. */
export function randomStack(seed: number, options: StackOptions = {}): ModelSpec {
  const random = generator(seed)
  const whole = (lo: number, hi: number) => lo + Math.floor(random() * (hi - lo + 1))
  const { only, width = 9, depth = 4, images = random() < 0.4 } = options
  const choices = activations.filter(([op]) => only === undefined || only.includes(op))
  const nodes: Message[] = []
  const initializers: Record<string, Message> = {}
  const constant = (message: Message) => {
    const name = `c${Object.keys(initializers).length}`
    initializers[name] = message
    return name
  }
  const numbers = (dims: readonly number[], scale: number) => {
    const count = dims.reduce((size, dim) => size * dim, 1)
    return constant(
      tensor(
        dims,
        Float32Array.from({ length: count }, () => scale * (2 * random() - 1)),
      ),
    )
  }
  let count = 0
  const add = (op: string, inputs: readonly string[], attributes?: Record<string, AttributeValue>) => {
    const name = `t${count++}`
    nodes.push(node(op, inputs, [name], attributes))
    return name
  }
  const activated = (x: string) => {
    const [op, attributes] = choices[whole(0, choices.length - 1)]
    return add(op, [x], attributes)
  }
  const image = [1, whole(1, 3), whole(3, 6), whole(3, 6)]
  const shape = images ? image : [1, whole(1, width)]
  let x = 'x'
  let size = shape[1]
  if (images) {
    let dims = image.slice(1)
    for (let i = whole(1, 2); i > 0; i--) {
      const channels = whole(1, 4)
      const kernel = whole(1, 3)
      const stride = whole(1, 2)
      const weights = numbers([channels, dims[0], kernel, kernel], 1)
      const y = add('Conv', [x, weights, numbers([channels], 1)], {
        strides: [stride, stride],
        pads: [1, 1, 1, 1],
        kernel_shape: [kernel, kernel],
      })
      const sized = (length: number) => Math.floor((length + 2 - kernel) / stride) + 1
      dims = [channels, sized(dims[1]), sized(dims[2])]
      x = activated(y)
      if (random() < 0.4) {
        const same = numbers([channels, channels, 3, 3], 0.5)
        const branch = add('Conv', [x, same], { pads: [1, 1, 1, 1], kernel_shape: [3, 3] })
        x = activated(add('Add', [random() < 0.5 ? activated(branch) : branch, x]))
      }
      if (random() < 0.3 && Math.min(dims[1], dims[2]) > 1) {
        x = add(random() < 0.5 ? 'AveragePool' : 'MaxPool', [x], { kernel_shape: [2, 2] })
        dims = [dims[0], dims[1] - 1, dims[2] - 1]
      }
    }
    x = add('Flatten', [x])
    size = dims[0] * dims[1] * dims[2]
  }
  for (let layer = whole(1, depth); layer > 0; layer--) {
    const next = whole(1, width)
    const y = add('Gemm', [x, numbers([next, size], 2 / Math.sqrt(size)), numbers([next], 1)], { transB: 1 })
    const z = activated(y)
    const kind = random()
    if (kind < 0.25) {
      const inner = add('MatMul', [z, numbers([next, next], 1.5 / Math.sqrt(next))])
      x = add('Add', [random() < 0.5 ? activated(inner) : inner, random() < 0.5 ? z : y])
      size = next
    } else if (kind < 0.4) {
      x = add('Concat', [z, y], { axis: 1 })
      size = 2 * next
    } else if (kind < 0.5) {
      x = add('Mul', [z, numbers([1, next], 1)])
      size = next
    } else {
      x = z
      size = next
    }
  }
  const last = whole(1, 4)
  const output = add('Gemm', [x, numbers([last, size], 2 / Math.sqrt(size))], { transB: 1 })
  const names = [output]
  if (random() < 0.2) names.push(add('ReduceMean', [x, constant(int64s([1]))], { keepdims: 1 }))
  return {
    opset: 24,
    inputs: { x: shape },
    outputs: Object.fromEntries(names.map((name) => [name, { type: 'float32' as const, shape: null }])),
    initializers,
    nodes,
  }
}
