import { describe, expect, it } from 'vitest'
import * as mag from '../../src/core/magnitude.ts'
import { boundModel } from '../helpers/bounds.ts'
import { float, int64s, type Message, type ModelSpec, model, node, tensor } from '../helpers/onnx-builder.ts'
import { generator, tensorsFrom } from '../helpers/seeded.ts'
import { norm, openNetwork } from '../helpers/slope.ts'

const random = generator(11)
const numbers = tensorsFrom(random)

interface Case {
  readonly name: string
  readonly x: readonly number[]
  readonly nodes: readonly Message[]
  readonly constants?: ModelSpec['initializers']
  readonly range?: readonly [number, number]
  /** Width of what is found over the width of the range at least. */
  readonly tight?: number
}

const one = (op: string, inputs: string[], attributes = {}) => [node(op, inputs, ['y'], attributes)]

const cases: readonly Case[] = [
  {
    name: 'Gemm with its factors and a bias',
    x: [1, 6],
    nodes: one('Gemm', ['x', 'w', 'b'], { transB: 1, alpha: float(-0.5), beta: float(2) }),
    constants: { w: numbers(4, 6), b: numbers(4) },
    tight: 0.7,
  },
  {
    name: 'Gemm with data on the right',
    x: [5, 3],
    nodes: one('Gemm', ['w', 'x', 'b']),
    constants: { w: numbers(3, 5), b: numbers(3) },
    tight: 0.5,
  },
  {
    name: 'Gemm with data on the right, transposed weights',
    x: [5, 4],
    nodes: one('Gemm', ['w', 'x'], { transA: 1 }),
    constants: { w: numbers(5, 4) },
    tight: 0.5,
  },
  {
    name: 'MatMul from the left and from the right',
    x: [2, 5],
    nodes: [node('MatMul', ['x', 'w'], ['h']), node('MatMul', ['v', 'h'], ['y'])],
    constants: { w: numbers(5, 4), v: numbers(3, 2) },
  },
  {
    name: 'Conv with padding, groups and a bias',
    x: [1, 4, 5, 5],
    nodes: one('Conv', ['x', 'w', 'b'], { group: 2, pads: [1, 1, 1, 1], strides: [2, 1] }),
    constants: { w: numbers(6, 2, 3, 3), b: numbers(6) },
  },
  {
    name: 'Conv with padding on data away from 0',
    x: [1, 1, 4],
    nodes: one('Conv', ['x', 'w'], { pads: [2, 2] }),
    constants: { w: tensor([1, 1, 3], [1, -1, 1]) },
    range: [2, 3],
  },
  {
    name: 'ConvTranspose with stride and groups',
    x: [1, 4, 4],
    nodes: one('ConvTranspose', ['x', 'w', 'b'], { group: 2, strides: [2], pads: [1, 1] }),
    constants: { w: numbers(4, 3, 3), b: numbers(6) },
  },
  {
    name: 'BatchNormalization',
    x: [1, 3, 4],
    nodes: one('BatchNormalization', ['x', 'g', 'b', 'm', 'v']),
    constants: { g: numbers(3), b: numbers(3), m: numbers(3), v: [0.5, 2, 1] },
    tight: 0.7,
  },
  {
    name: 'a normalisation and a layer behind it',
    x: [2, 8],
    nodes: [node('LayerNormalization', ['x', 'g', 'b'], ['h']), node('MatMul', ['h', 'w'], ['y'])],
    constants: { g: numbers(8), b: numbers(8), w: numbers(8, 5) },
    range: [-3, 3],
  },
  {
    name: 'functions that are steep near 0, away from it',
    x: [1, 6],
    nodes: one('Sqrt', ['x']),
    range: [4, 9],
    tight: 0.9,
  },
  {
    name: 'attention',
    x: [4, 6],
    nodes: [
      node('MatMul', ['x', 'q'], ['Q']),
      node('MatMul', ['x', 'k'], ['K']),
      node('Transpose', ['K'], ['Kt']),
      node('MatMul', ['Q', 'Kt'], ['S']),
      node('Softmax', ['S'], ['P']),
      node('MatMul', ['P', 'x'], ['y']),
    ],
    constants: { q: numbers(6, 3), k: numbers(6, 3) },
    range: [1, 2],
    tight: 0.3,
  },
  {
    name: 'paths that join',
    x: [1, 6],
    nodes: [
      node('Tanh', ['x'], ['a']),
      node('Reshape', ['x', 's'], ['r']),
      node('Tile', ['a', 'times'], ['t']),
      node('Concat', ['r', 't'], ['c'], { axis: 1 }),
      node('Add', ['c', 'b'], ['d']),
      node('Elu', ['d'], ['y']),
    ],
    constants: { s: int64s([1, 6]), times: int64s([1, 2]), b: numbers(1, 18) },
  },
]

describe('ranges and lengths', () => {
  it.each(cases)(
    'of $name hold every output',
    async ({ x, nodes, constants, range = [-1, 1], tight = 0 }) => {
      const spec: ModelSpec = {
        inputs: { x },
        outputs: { y: { type: 'float32', shape: null } },
        nodes,
        initializers: constants,
      }
      const [lo, hi] = range
      const { best } = await boundModel(spec, { inputRanges: new Map([['x', { lo, hi }]]) })
      const network = await openNetwork(model(spec), { x })
      let [least, most, longest] = [Infinity, -Infinity, 0]
      for (let sample = 0; sample < 400; sample++) {
        const corner = sample % 2 === 0
        const y = await network.run(
          Float32Array.from({ length: network.size }, () =>
            corner ? (random() < 0.5 ? lo : hi) : lo + (hi - lo) * random(),
          ),
        )
        least = Math.min(least, ...y)
        most = Math.max(most, ...y)
        longest = Math.max(longest, norm(y))
      }
      await network.release()
      const found = best.outputs[0]
      const slack = 1e-5 * Math.max(1, longest)
      expect(found.refusal).toBeNull()
      expect(least).toBeGreaterThanOrEqual(found.range.lo - slack)
      expect(most).toBeLessThanOrEqual(found.range.hi + slack)
      expect(longest).toBeLessThanOrEqual(found.norm + slack)
      expect(most - least).toBeGreaterThanOrEqual(tight * (found.range.hi - found.range.lo))
    },
  )
})

describe('exponentials beyond float64', () => {
  it.each([800, 1e6, 3e13])('are bounded by e^%d, but for less than two binary digits', async (reach) => {
    const spec = {
      inputs: { x: [3] },
      nodes: one('Exp', ['x']),
      outputs: { y: { type: 'float32' as const, shape: [3] } },
    }
    const bounds = await boundModel(spec, { inputRanges: new Map([['x', { lo: 0, hi: reach }]]) })
    const { lipschitz } = bounds.best.joint
    const exact = reach * Math.LOG2E
    expect(mag.log10(lipschitz.value) / Math.log10(2)).toBeGreaterThan(exact)
    expect(lipschitz.value.e).toBeLessThan(exact * (1 + 2 ** -48) + 2.01)
  })
})
