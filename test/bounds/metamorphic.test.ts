import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../helpers/bounds.ts'
import {
  float,
  int64s,
  type Message,
  type ModelSpec,
  node,
  subgraph,
  tensor,
} from '../helpers/onnx-builder.ts'
import { generator } from '../helpers/seeded.ts'

/** Ways of writing the same network differently: the bound stays, up to rounding and the measurement's tolerance. */

const random = generator(41)
const numbers = (dims: readonly number[], least = -1) =>
  tensor(
    dims,
    Array.from(
      { length: dims.reduce((product, dim) => product * dim, 1) },
      () => least + (1 - least) * random(),
    ),
  )

type Network = ModelSpec & {
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly outputs: Readonly<Record<string, readonly number[]>>
  readonly nodes: readonly Message[]
  readonly initializers: Readonly<Record<string, Message>>
}

const networks: Readonly<Record<string, Network>> = {
  'a perceptron with a residual': {
    inputs: { x: [1, 6] },
    outputs: { y: [1, 4] },
    initializers: { w1: numbers([6, 6]), b1: numbers([6]), w2: numbers([4, 6]), b2: numbers([4]) },
    nodes: [
      node('Gemm', ['x', 'w1', 'b1'], ['h']),
      node('Relu', ['h'], ['r']),
      node('Add', ['r', 'x'], ['s']),
      node('Gemm', ['s', 'w2', 'b2'], ['y'], { transB: 1, alpha: float(0.5), beta: float(2) }),
    ],
  },
  'a convolution with a gate and a pool': {
    inputs: { x: [1, 2, 6, 6] },
    outputs: { y: [1, 3] },
    initializers: { k: numbers([3, 2, 3, 3]), bias: numbers([3]), w: numbers([3, 3]) },
    nodes: [
      node('Conv', ['x', 'k', 'bias'], ['c'], { pads: [1, 1, 1, 1], strides: [2, 2] }),
      node('Sigmoid', ['c'], ['g']),
      node('Mul', ['c', 'g'], ['m']),
      node('GlobalAveragePool', ['m'], ['p']),
      node('Flatten', ['p'], ['f']),
      node('MatMul', ['f', 'w'], ['y']),
    ],
  },
  'two inputs, normalised and attended': {
    opset: 21,
    inputs: { x: [1, 3, 4], z: [1, 3, 4] },
    outputs: { y: [1, 3, 4] },
    initializers: { gamma: numbers([4], 0.5), q: numbers([4, 4]), v: numbers([4, 4]) },
    nodes: [
      node('Add', ['x', 'z'], ['s']),
      node('LayerNormalization', ['s', 'gamma'], ['n'], { epsilon: float(0.1) }),
      node('MatMul', ['n', 'q'], ['queries']),
      node('MatMul', ['n', 'v'], ['values']),
      node('Transpose', ['n'], ['keys'], { perm: [0, 2, 1] }),
      node('MatMul', ['queries', 'keys'], ['scores']),
      node('Softmax', ['scores'], ['weights']),
      node('MatMul', ['weights', 'values'], ['a']),
      node('Add', ['a', 'x'], ['y']),
    ],
  },
}

type Names = readonly string[]
const inputsOf = (message: Message) => message.input as Names
const outputsOf = (message: Message) => message.output as Names

function renamed(network: Network): Network {
  const rename = (name: string) => (name === '' ? '' : `módulo/${name}:0`)
  const keys = <T>(record: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [rename(name), value]))
  return {
    ...network,
    inputs: keys(network.inputs),
    outputs: keys(network.outputs),
    initializers: keys(network.initializers),
    nodes: network.nodes.map((one, i) => ({
      ...one,
      name: `node ${i}`,
      input: inputsOf(one).map(rename),
      output: outputsOf(one).map(rename),
    })),
  }
}

const reversed = (network: Network): Network => ({ ...network, nodes: network.nodes.toReversed() })

function withIdentities(network: Network): Network {
  const nodes = network.nodes.flatMap((one) => {
    const behind = outputsOf(one).map((name) => `${name} before`)
    return [
      { ...one, output: behind },
      ...outputsOf(one).map((name, i) => node('Identity', [behind[i]], [name])),
    ]
  })
  return { ...network, nodes }
}

/** The first nodes, up to the one whose output alone goes on, as a body with one output. */
function headOf({ nodes, initializers, inputs }: Network) {
  const count = Math.ceil(nodes.length / 2)
  for (let end = count; end < nodes.length; end++) {
    const [head, tail] = [nodes.slice(0, end), nodes.slice(end)]
    const read = new Set(tail.flatMap(inputsOf))
    const open = head.flatMap(outputsOf).filter((name) => read.has(name))
    if (open.length !== 1) continue
    const outside = new Set(head.flatMap(inputsOf))
    const given = [...Object.keys(inputs), ...Object.keys(initializers)].filter((name) => outside.has(name))
    return { head, tail, output: open[0], given }
  }
  const read = new Set(nodes.flatMap(inputsOf))
  const given = [...Object.keys(inputs), ...Object.keys(initializers)].filter((name) => read.has(name))
  return { head: nodes, tail: [], output: outputsOf(nodes[nodes.length - 1])[0], given }
}

function withFunction(network: Network): Network {
  const { head, tail, output, given } = headOf(network)
  const call = node('Head', given, [output], {}, { domain: 'local' })
  const body = { name: 'Head', domain: 'local', inputs: given, outputs: [output], nodes: head }
  return { ...network, opsets: { local: 1 }, functions: [body], nodes: [call, ...tail] }
}

function withBranch(network: Network): Network {
  const { head, tail, output } = headOf(network)
  const inner = head.map((one) => ({
    ...one,
    output: outputsOf(one).map((name) => (name === output ? 'taken' : name)),
  }))
  const outputs = ['taken']
  const other = node('Floor', [Object.keys(network.inputs)[0]], ['jumps'])
  const choice = node('If', ['always'], [output], {
    then_branch: subgraph({ outputs, nodes: inner }),
    else_branch: subgraph({ outputs: ['jumps'], nodes: [other] }),
  })
  const always = tensor([], [1], 'bool')
  return { ...network, initializers: { ...network.initializers, always }, nodes: [choice, ...tail] }
}

const rewritings = { renamed, reversed, withIdentities, withFunction, withBranch }

describe.each(Object.entries(networks))('the bound of %s', (_, network) => {
  it.each(Object.entries(rewritings))('is the same where the network is %s', async (_, rewrite) => {
    const [before, after] = [await boundModel(network), await boundModel(rewrite(network))]
    expect(bestOf(before)).toBeLessThan(Infinity)
    expect(bestOf(after) / bestOf(before)).toBeCloseTo(1, 5)
  })
})

describe('the bound of a layer', () => {
  const ratio = async (one: ModelSpec, other: ModelSpec) =>
    bestOf(await boundModel(one)) / bestOf(await boundModel(other))

  it('is the same as Gemm and as MatMul with Add', async () => {
    const initializers = { w: numbers([5, 4]), b: numbers([4]) }
    const spec = { inputs: { x: [3, 5] }, outputs: { y: [3, 4] }, initializers }
    const joined = { ...spec, nodes: [node('Gemm', ['x', 'w', 'b'], ['y'])] }
    const parted = {
      ...spec,
      nodes: [node('MatMul', ['x', 'w'], ['p']), node('Add', ['b', 'p'], ['y'])],
    }
    expect(await ratio(joined, parted)).toBeCloseTo(1, 6)
  })

  it('is the same with its batch normalisation folded in', async () => {
    const channels = 4
    const kernel = numbers([channels, 3, 3, 3])
    const parts = { scale: numbers([channels]), shift: numbers([channels]), mean: numbers([channels]) }
    const variance = numbers([channels], 0.2)
    const floats = (message: Message) => new Float32Array((message.rawData as Uint8Array).slice().buffer)
    const epsilon = 0.01
    const factors = Array.from(
      floats(parts.scale),
      (scale, i) => scale / Math.sqrt(floats(variance)[i] + Math.fround(epsilon)),
    )
    const folded = Array.from(floats(kernel), (weight, i) => weight * factors[Math.floor(i / 27)])
    const shape = { inputs: { x: [1, 3, 6, 6] }, outputs: { y: [1, channels, 6, 6] } }
    const attributes = { pads: [1, 1, 1, 1] }
    const written = {
      ...shape,
      initializers: { k: kernel, ...parts, variance },
      nodes: [
        node('Conv', ['x', 'k'], ['c'], attributes),
        node('BatchNormalization', ['c', 'scale', 'shift', 'mean', 'variance'], ['y'], {
          epsilon: float(epsilon),
        }),
      ],
    }
    const merged = {
      ...shape,
      initializers: { k: tensor([channels, 3, 3, 3], folded) },
      nodes: [node('Conv', ['x', 'k'], ['y'], attributes)],
    }
    expect(await ratio(written, merged)).toBeCloseTo(1, 5)
  })

  it('is the same as a matrix and as a convolution of one place', async () => {
    const weights = Array.from({ length: 12 }, () => 2 * random() - 1)
    const dense = {
      inputs: { x: [1, 4] },
      outputs: { y: [1, 3] },
      initializers: { w: tensor([3, 4], weights) },
      nodes: [node('Gemm', ['x', 'w'], ['y'], { transB: 1 })],
    }
    const spatial = {
      inputs: { x: [1, 4, 1] },
      outputs: { y: [1, 3, 1] },
      initializers: { w: tensor([3, 4, 1], weights) },
      nodes: [node('Conv', ['x', 'w'], ['y'])],
    }
    expect(await ratio(dense, spatial)).toBeCloseTo(1, 6)
  })

  it('is the same where axes are turned around it', async () => {
    const plain = {
      inputs: { x: [1, 4] },
      outputs: { y: [1, 3] },
      initializers: { w: numbers([4, 3]) },
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
    }
    const turned = {
      ...plain,
      initializers: { ...plain.initializers, shape: int64s([4, 1]) },
      outputs: { y: [3, 1] },
      nodes: [
        node('Reshape', ['x', 'shape'], ['column']),
        node('Transpose', ['w'], ['wt']),
        node('MatMul', ['wt', 'column'], ['y']),
      ],
    }
    expect(await ratio(plain, turned)).toBeCloseTo(1, 6)
  })
})
