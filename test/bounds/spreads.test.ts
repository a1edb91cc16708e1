import fc from 'fast-check'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { walkGraph } from '../../src/bounds/walk.ts'
import * as mag from '../../src/core/magnitude.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import type { Spread } from '../../src/ops/spreads/spread.ts'
import {
  float,
  int64s,
  type Message,
  type ModelSpec,
  model,
  node,
  tensor,
  writeTemporary,
} from '../helpers/onnx-builder.ts'
import { generator, tensorsFrom } from '../helpers/seeded.ts'
import { randomGraph } from '../helpers/soundness/random-graph.ts'

/** Bounds for inputs within ±1. Layers' norms count as enormous, so that all that is proven rests on spreads. */
function walkOf(spec: ModelSpec) {
  const typed = inferModel(readModel(writeTemporary(model(spec), 'spreads.onnx')))
  const inputRanges = new Map(typed.graph.inputs.map(({ name }) => [name, { lo: -1, hi: 1 }]))
  const walk = walkGraph(typed, {
    normOf: () => 1e30,
    audited: typed.graph.inputs,
    refined: true,
    inputRanges,
  })
  return { typed, walk }
}

/** The part that the element at a position belongs to. */
function partAt(dims: readonly number[], shape: readonly number[], position: number): number {
  let [rest, at, stride] = [position, 0, 1]
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const index = rest % shape[axis]
    rest = Math.floor(rest / shape[axis])
    if (dims[axis] !== 1) at += index * stride
    stride *= dims[axis]
  }
  return at
}

interface Held {
  readonly name: string
  readonly spread: Spread
  readonly lipschitz: number
  readonly offset: number
}

/** Runs pairs of inputs, far from one another and near, all values as outputs; holds every part against its spread. */
async function holdAgainstRuntime(spec: ModelSpec, seed: number): Promise<string[]> {
  const { typed, walk } = walkOf(spec)
  const held = typed.graph.nodes.flatMap(({ outputs }) =>
    outputs.flatMap((value): Held[] => {
      const spread = value && walk.spreadOf(value)
      if (value === null || spread === null || typed.operand(value).type !== 'float32') return []
      const { lipschitz, offset } = walk.boundOf(value)
      const [constant, rest] = [mag.toNumber(lipschitz.value), mag.toNumber(offset.value)]
      return [{ name: value.name, spread, lipschitz: constant, offset: rest }]
    }),
  )
  if (held.length === 0) return []
  const outputs = Object.fromEntries(
    held.map(({ name }) => [name, { type: 'float32', shape: null } as const]),
  )
  const session = await InferenceSession.create(model({ ...spec, outputs }), {
    logSeverityLevel: 4,
    graphOptimizationLevel: 'disabled',
  })
  const random = generator(seed)
  const draw = () => 2 * random() - 1
  for (let sample = 0; sample < 24; sample++) {
    const reach = [2, 0.5, 0.02][sample % 3]
    let squares = 0
    const feeds: Record<string, Tensor>[] = [{}, {}]
    for (const [name, dims] of Object.entries(spec.inputs as Record<string, readonly number[]>)) {
      const x = Float32Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, draw)
      const y = x.map((value) => Math.min(1, Math.max(-1, value + reach * draw())))
      squares += x.reduce((sum, value, i) => sum + (value - y[i]) ** 2, 0)
      for (const [i, data] of [x, y].entries()) feeds[i][name] = new Tensor('float32', data, dims)
    }
    const distance = Math.sqrt(squares)
    const [first, second] = [await session.run(feeds[0]), await session.run(feeds[1])]
    for (const { name, spread, lipschitz, offset } of held) {
      const { dims } = first[name]
      const [a, b] = [first[name].data as Float32Array, second[name].data as Float32Array]
      const parts = new Float64Array(spread.lipschitz.length)
      let [largest, whole] = [0, 0]
      for (const [i, value] of a.entries()) {
        largest = Math.max(largest, Math.abs(value), Math.abs(b[i]))
        parts[partAt(spread.dims, dims, i)] += (value - b[i]) ** 2
        whole += (value - b[i]) ** 2
      }
      const noise = 2 ** -19 * largest * Math.sqrt(a.length)
      for (const [part, square] of parts.entries()) {
        const most = spread.lipschitz[part] * distance + spread.offset[part]
        if (!(Math.sqrt(square) <= most * (1 + 1e-5) + noise))
          throw new Error(`part ${part} of ${name} varies by ${Math.sqrt(square)}, not ${most} at most`)
      }
      if (!(Math.sqrt(whole) <= (lipschitz * distance + offset) * (1 + 1e-5) + noise))
        throw new Error(`${name} varies by ${Math.sqrt(whole)}, more than its bound`)
    }
  }
  await session.release()
  return held.map(({ name }) => name)
}

const random = generator(11)
const numbers = tensorsFrom(random)

interface Case {
  readonly name: string
  readonly x: readonly number[]
  readonly nodes: readonly Message[]
  readonly constants?: ModelSpec['initializers']
  readonly opset?: number
}

/** h holds six channels, each of another size. */
const convolved = (...nodes: Message[]) => [
  node('Conv', ['x', 'w0'], ['h'], { pads: [1, 1, 1, 1] }),
  ...nodes,
]
const image = { x: [1, 2, 5, 6] }
const given = (constants: ModelSpec['initializers'] = {}) => ({ w0: numbers(6, 2, 3, 3), ...constants })

const cases: readonly Case[] = [
  {
    name: 'strides and dilations',
    ...image,
    constants: given({ w: numbers(4, 6, 3, 2) }),
    nodes: convolved(
      node('Conv', ['h', 'w'], ['y'], { strides: [2, 3], dilations: [2, 1], pads: [2, 1, 1, 0] }),
    ),
  },
  {
    name: 'a kernel as wide as its stride',
    ...image,
    constants: given({ w: numbers(4, 3, 2, 2) }),
    nodes: convolved(node('Conv', ['h', 'w'], ['y'], { strides: [2, 2], group: 2 })),
  },
  {
    name: 'each channel by itself',
    ...image,
    constants: given({ w: numbers(6, 1, 3, 3) }),
    nodes: convolved(node('Conv', ['h', 'w'], ['y'], { group: 6, pads: [1, 1, 1, 1] })),
  },
  {
    name: 'a transposed convolution with groups',
    ...image,
    constants: given({ w: numbers(6, 2, 3, 3) }),
    nodes: convolved(
      node('ConvTranspose', ['h', 'w'], ['y'], { group: 2, strides: [2, 2], output_padding: [1, 0] }),
    ),
  },
  {
    name: 'batch normalisation',
    ...image,
    constants: given({ g: numbers(6), o: numbers(6), m: numbers(6), v: [0.5, 2, 1, 3, 0.1, 4] }),
    nodes: convolved(node('BatchNormalization', ['h', 'g', 'o', 'm', 'v'], ['y'])),
  },
  {
    name: 'a gate of each channel',
    ...image,
    constants: given({ w1: numbers(3, 6, 1, 1), w2: numbers(6, 3, 1, 1) }),
    nodes: convolved(
      node('GlobalAveragePool', ['h'], ['p']),
      node('Conv', ['p', 'w1'], ['s']),
      node('Relu', ['s'], ['r']),
      node('Conv', ['r', 'w2'], ['e']),
      node('HardSigmoid', ['e'], ['g']),
      node('Mul', ['h', 'g'], ['y']),
    ),
  },
  {
    name: 'HardSwish in parts, and scales of channels',
    ...image,
    constants: given({
      three: [3],
      six: [6],
      c: tensor([6, 1, 1], Float32Array.of(1, 2, 3, 4, 5, 6)),
      lo: tensor([], [0]),
      hi: tensor([], [6]),
    }),
    nodes: convolved(
      node('Add', ['h', 'three'], ['a']),
      node('Clip', ['a', 'lo', 'hi'], ['k']),
      node('Mul', ['h', 'k'], ['m']),
      node('Div', ['m', 'six'], ['d']),
      node('Mul', ['c', 'd'], ['n']),
      node('Div', ['n', 'c'], ['y']),
    ),
  },
  {
    name: 'sums that repeat an operand',
    ...image,
    constants: given({ axes: int64s([2, 3]) }),
    nodes: convolved(
      node('ReduceMean', ['h'], ['m'], { axes: [2, 3] }),
      node('Add', ['h', 'm'], ['a']),
      node('Sub', ['m', 'a'], ['s']),
      node('Mul', ['s', 's'], ['y']),
    ),
    opset: 17,
  },
  {
    name: 'parts side by side',
    ...image,
    constants: given({ s: int64s([4]), e: int64s([0]), a: int64s([1]), t: int64s([-2]) }),
    nodes: convolved(
      node('Split', ['h'], ['p', 'q', 'r'], { axis: 1, num_outputs: 3 }),
      node('Slice', ['h', 's', 'e', 'a', 't'], ['c']),
      node('Concat', ['r', 'x', 'c', 'p'], ['k'], { axis: 1 }),
      node('Transpose', ['k'], ['y'], { perm: [0, 2, 1, 3] }),
    ),
  },
  {
    name: 'other shapes, and a dense layer',
    ...image,
    constants: given({ s: int64s([1, 2, 3, 30]), w: numbers(180, 5), v: numbers(5, 4) }),
    nodes: convolved(
      node('Reshape', ['h', 's'], ['r']),
      node('Transpose', ['r'], ['u'], { perm: [0, 2, 1, 3] }),
      node('Flatten', ['u'], ['f']),
      node('MatMul', ['f', 'w'], ['g']),
      node('Tanh', ['g'], ['t']),
      node('Gemm', ['t', 'v'], ['y'], { alpha: float(-2) }),
    ),
  },
  {
    name: 'pools, pads and resizing',
    ...image,
    constants: given({ p: int64s([0, 0, 1, 2, 0, 0, 0, 1]), f: tensor([4], Float32Array.of(1, 1, 2, 1.5)) }),
    nodes: convolved(
      node('MaxPool', ['h'], ['m'], { kernel_shape: [3, 2] }),
      node('Pad', ['m', 'p'], ['q'], { mode: 'edge' }),
      node('AveragePool', ['q'], ['a'], { kernel_shape: [2, 2], pads: [1, 1, 1, 1] }),
      node('Resize', ['a', '', 'f'], ['y'], { mode: 'linear' }),
    ),
  },
  {
    name: 'codes, and their convolution',
    ...image,
    constants: given({
      s: tensor([], [0.05]),
      z: tensor([], [7], 'int8'),
      w: tensor(
        [4, 3, 2, 2],
        Array.from({ length: 48 }, (_, i) => ((i * 37) % 255) - 127),
        'int8',
      ),
      ws: tensor([4], [0.01, 0.02, 0.005, 0.03]),
      wz: tensor([4], [0, 3, -2, 0], 'int8'),
      t: tensor([], [0.4]),
    }),
    nodes: convolved(
      node('QuantizeLinear', ['h', 's', 'z'], ['q']),
      node('QLinearConv', ['q', 's', 'z', 'w', 'ws', 'wz', 't', 'z'], ['r'], { group: 2, strides: [2, 1] }),
      node('DequantizeLinear', ['r', 't', 'z'], ['y']),
    ),
  },
  {
    name: 'rounding',
    ...image,
    constants: given({
      s: tensor([], [0.25]),
      z: tensor([], [3], 'int8'),
      w: numbers(4, 6, 1, 1),
    }),
    nodes: convolved(
      node('QuantizeLinear', ['h', 's', 'z'], ['q']),
      node('DequantizeLinear', ['q', 's', 'z'], ['d']),
      node('Conv', ['d', 'w'], ['y']),
    ),
  },
]

const specOf = ({ x, nodes, constants, opset = 18 }: Case): ModelSpec => ({
  inputs: { x },
  initializers: constants,
  nodes,
  outputs: { y: { type: 'float32', shape: null } },
  opset,
})

describe('how much single parts of tensors vary', () => {
  it.each(cases)('$name: no part varies more than its spread says', async (given) => {
    const names = await holdAgainstRuntime(specOf(given), 3)
    expect(names).toContain('y')
  })

  it('holds for every part of every value of random graphs', async () => {
    let held = 0
    const property = fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 - 1 }), async (seed) => {
      const graph = randomGraph(seed)
      if (graph === null) return
      const names = await holdAgainstRuntime(graph.spec, seed).catch((error) => {
        // graphs that the runtime does not run say nothing
        if (/varies by/.test(String(error))) throw new Error(`${error.message}: ${graph.description}`)
        return []
      })
      held += names.length
    })
    await fc.assert(property, { numRuns: 400, endOnFailure: true })
    expect(held).toBeGreaterThan(30)
  })

  it('are none where a part is cut that is not known, or where scales are of some axes in another order', () => {
    const spreadsOf = (nodes: Message[], constants: ModelSpec['initializers'], shape: readonly number[]) => {
      const spec: ModelSpec = {
        opset: 18,
        inputs: { x: image.x, s: { type: 'int64', shape: [1] }, e: { type: 'int64', shape: [1] } },
        initializers: given(constants),
        nodes: convolved(...nodes),
        outputs: { y: { type: 'float32', shape } },
      }
      const typed = inferModel(readModel(writeTemporary(model(spec), 'cut.onnx')))
      const audited = typed.graph.inputs.filter(({ name }) => name === 'x')
      const walk = walkGraph(typed, { normOf: () => 1e30, audited, refined: true })
      const named = (name: string) =>
        typed.graph.nodes.flatMap(({ outputs }) => outputs).find((value) => value?.name === name)
      const [h, y] = ['h', 'y'].map((name) => named(name)!)
      expect(walk.spreadOf(h)).not.toBe(null)
      const [before, after] = [h, y].map((value) => mag.toNumber(walk.boundOf(value).lipschitz.value))
      return { spread: walk.spreadOf(y), before, after }
    }
    const cut = [node('Slice', ['h', 's', 'e', 'a'], ['y'])]
    const whole = spreadsOf(cut, { a: int64s([1]) }, [1, 4, 5, 6])
    expect(whole.spread).toBe(null)
    expect(whole.after).toBe(whole.before)
    const resized = node('Resize', ['h', '', 'f'], ['y'], { mode: 'linear', axes: [2, 3, 1] })
    const scales = { f: tensor([3], Float32Array.of(1, 1, 1.125)) }
    expect(spreadsOf([resized], scales, [1, 6, 5, 6]).spread).toBe(null)
  })
})
