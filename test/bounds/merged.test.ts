import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bestOf, boundFile, boundModel, constantOf, rungOf } from '../helpers/bounds.ts'
import { linearPart, type Matrix } from '../helpers/linear-part.ts'
import { type Message, type ModelSpec, model, node, tensor } from '../helpers/onnx-builder.ts'
import { generator } from '../helpers/seeded.ts'

const random = generator(5)
const numbers = (dims: readonly number[], shift = 0) =>
  tensor(
    dims,
    Float32Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, () => shift + 4 * random() - 2),
  )
const norm = (name: string, x: string, y: string) =>
  node('BatchNormalization', [x, `${name}g`, `${name}b`, `${name}m`, `${name}v`], [y], {}, { name })
const normalizer = (name: string, channels: number) => ({
  [`${name}g`]: numbers([channels]),
  [`${name}b`]: numbers([channels]),
  [`${name}m`]: numbers([channels]),
  [`${name}v`]: numbers([channels], 2.5),
})

interface Case {
  readonly name: string
  readonly x: readonly number[]
  readonly nodes: readonly Message[]
  readonly constants: Record<string, Message>
}

const cases: readonly Case[] = [
  {
    name: 'normalisations around a convolution',
    x: [1, 2, 5, 5],
    nodes: [
      norm('p', 'x', 'h'),
      node('Conv', ['h', 'w', 'c'], ['k'], { pads: [1, 1, 1, 1] }),
      norm('q', 'k', 'out'),
    ],
    constants: { ...normalizer('p', 2), ...normalizer('q', 3), w: numbers([3, 2, 3, 3]), c: numbers([3]) },
  },
  {
    name: 'a grouped convolution',
    x: [1, 4, 5],
    nodes: [
      norm('p', 'x', 'h'),
      node('Conv', ['h', 'w'], ['k'], { group: 2, strides: [2] }),
      norm('q', 'k', 'out'),
    ],
    constants: { ...normalizer('p', 4), ...normalizer('q', 6), w: numbers([6, 2, 2]) },
  },
  {
    name: 'a transposed convolution',
    x: [1, 4, 3, 3],
    nodes: [
      norm('p', 'x', 'h'),
      node('ConvTranspose', ['h', 'w'], ['k'], { strides: [2, 2], group: 2 }),
      norm('q', 'k', 'out'),
    ],
    constants: { ...normalizer('p', 4), ...normalizer('q', 6), w: numbers([4, 3, 2, 2]) },
  },
  {
    name: 'scales, additions and identities around a Gemm',
    x: [1, 4],
    nodes: [
      node('Mul', ['x', 's'], ['a']),
      node('Sub', ['o', 'a'], ['b']),
      node('Gemm', ['b', 'w', 'c'], ['d'], { transB: 1 }),
      node('Identity', ['d'], ['e']),
      node('Div', ['e', 't'], ['f']),
      node('Mul', ['f', 'two'], ['out']),
    ],
    constants: {
      s: numbers([1, 4]),
      o: numbers([4]),
      w: numbers([3, 4]),
      c: numbers([3]),
      t: numbers([3], 3),
      two: tensor([], [2]),
    },
  },
  {
    name: 'weights on the left, scaled along their rows',
    x: [4, 2],
    nodes: [
      node('Mul', ['x', 's'], ['a']),
      node('MatMul', ['w', 'a'], ['b']),
      node('Mul', ['t', 'b'], ['out']),
    ],
    constants: { s: numbers([4, 1]), w: numbers([3, 4]), t: numbers([3, 1]) },
  },
  {
    name: 'a transposed Gemm',
    x: [4, 2],
    nodes: [
      node('Mul', ['x', 's'], ['a']),
      node('Gemm', ['a', 'w'], ['b'], { transA: 1 }),
      node('Mul', ['b', 't'], ['out']),
    ],
    constants: { s: numbers([4, 1]), w: numbers([4, 3]), t: numbers([3]) },
  },
]

function specOf({ x, nodes, constants }: Case): ModelSpec {
  return {
    opset: 15,
    inputs: { x },
    outputs: { out: { type: 'float32', shape: null } },
    initializers: constants,
    nodes,
  }
}

/** ‖A‖₂ by power iteration. */
function spectralNorm({ rows, columns, data }: Matrix): number {
  let x = Float64Array.from({ length: columns }, () => random())
  let squared = 0
  for (let step = 0; step < 3000; step++) {
    const image = Float64Array.from({ length: rows }, (_, i) =>
      x.reduce((sum, value, j) => sum + value * data[i * columns + j], 0),
    )
    const back = Float64Array.from({ length: columns }, (_, j) =>
      image.reduce((sum, value, i) => sum + value * data[i * columns + j], 0),
    )
    squared = Math.hypot(...back)
    x = back.map((value) => value / squared)
  }
  return Math.sqrt(squared)
}

describe('layers merged with the scales next to them', () => {
  it.each(cases)('$name: the bound is the norm of the whole', async (one) => {
    const spec = specOf(one)
    const bounds = await boundModel(spec)
    const whole = spectralNorm(await linearPart(model(spec), one.x))
    expect(bestOf(bounds)).toBeGreaterThanOrEqual(whole * (1 - 1e-5))
    expect(bestOf(bounds)).toBeLessThanOrEqual(whole * (1 + 1e-3))
    expect(constantOf(rungOf(bounds, 'spectral-product'))).toBeGreaterThan(1.01 * whole)
    for (const elasticity of bounds.elasticities?.values() ?? []) expect(elasticity).toBe(1)
  })

  it.each([
    [
      'an activation between them',
      [node('Conv', ['x', 'w'], ['k']), node('Relu', ['k'], ['r']), norm('q', 'r', 'out')],
    ],
    ['a scale along another axis', [node('Conv', ['x', 'w'], ['k']), node('Mul', ['k', 'rows'], ['out'])]],
    ['a scale that repeats its data', [node('Conv', ['x', 'w'], ['k']), node('Mul', ['k', 'more'], ['out'])]],
  ])('are left alone: %s', async (_, nodes) => {
    const bounds = await boundModel({
      opset: 15,
      inputs: { x: [1, 2, 4, 4] },
      outputs: ['out'],
      initializers: {
        ...normalizer('q', 3),
        w: numbers([3, 2, 2, 2]),
        rows: numbers([3, 1]),
        more: numbers([2, 3, 1, 1]),
      },
      nodes,
    })
    expect(bestOf(bounds)).toBe(constantOf(rungOf(bounds, 'spectral-product')))
  })

  it('make a network with batch normalisation as tight as the same one with it folded', async () => {
    const fixture = (name: string) => resolve(import.meta.dirname, `../../fixtures/trained/${name}.onnx`)
    const [unfused, folded] = [
      await boundFile(fixture('digits-resnet')),
      await boundFile(fixture('digits-resnet-folded')),
    ]
    expect(bestOf(unfused) / bestOf(folded)).toBeCloseTo(1, 5)
  })
})
