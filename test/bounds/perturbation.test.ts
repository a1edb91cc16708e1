import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import proto from 'onnx-proto'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { diff } from '../../src/audit/diff/diff.ts'
import { gridOf, roundingError } from '../../src/bounds/perturbation/rounding.ts'
import { createRandom } from '../../src/core/random.ts'
import * as term from '../../src/core/term.ts'
import { modelFile, node, subgraph, tensor, writeTemporary } from '../helpers/onnx-builder.ts'
import { singularValues } from '../linalg/known-norms.ts'

const mlp = join(resolve(import.meta.dirname, '../../fixtures'), 'trained/digits-mlp.onnx')
const unit = [{ input: null, lo: 0, hi: 1 }] as const
const random = createRandom(5)

interface Dense {
  readonly name: string
  readonly weights: Float32Array
  readonly bias: Float32Array
  readonly activation: (x: number) => number
  readonly slope: (x: number) => number
}

const { graph } = proto.onnx.ModelProto.decode(readFileSync(mlp))
const elements = (name: string) => {
  const found = graph!.initializer!.find((candidate) => candidate.name === name)!
  return new Float32Array(Uint8Array.from(found.rawData!).buffer)
}
const layerOf = (name: string, activation: Dense['activation'], slope: Dense['slope']): Dense => ({
  name: `${name}.weight`,
  weights: elements(`${name}.weight`),
  bias: elements(`${name}.bias`),
  activation,
  slope,
})
const layers = [
  layerOf(
    '1',
    (x) => Math.max(x, 0),
    (x) => (x > 0 ? 1 : 0),
  ),
  layerOf('4', Math.tanh, (x) => 1 - Math.tanh(x) ** 2),
  layerOf(
    '6',
    (x) => x,
    () => 1,
  ),
]

/** What goes into each layer, and each layer's slopes. */
function forward(x: readonly number[]): { inputs: number[][]; slopes: number[][] } {
  const inputs: number[][] = []
  const slopes: number[][] = []
  let value = [...x]
  for (const { weights, bias, activation, slope } of layers) {
    inputs.push(value)
    const before = Array.from(
      bias,
      (b, i) => b + value.reduce((sum, v, j) => sum + weights[i * value.length + j] * v, 0),
    )
    slopes.push(before.map(slope))
    value = before.map(activation)
  }
  return { inputs, slopes }
}

/** Jᵀg from the outputs back to the outputs of a layer, before its activation. */
function backward(
  slopes: readonly (readonly number[])[],
  layer: number,
  gradient: readonly number[],
): number[] {
  let g = gradient.map((value, i) => value * slopes.at(-1)![i])
  for (let at = layers.length - 1; at > layer; at--) {
    const columns = slopes[at - 1].length
    const { weights } = layers[at]
    g = slopes[at - 1].map(
      (slope, j) => slope * g.reduce((sum, value, i) => sum + weights[i * columns + j] * value, 0),
    )
  }
  return g
}

function jacobianTimes(
  slopes: readonly (readonly number[])[],
  layer: number,
  direction: readonly number[],
): number[] {
  let v = direction.map((value, i) => value * slopes[layer][i])
  for (let at = layer + 1; at < layers.length; at++) {
    const { weights } = layers[at]
    const input = v
    v = slopes[at].map(
      (slope, i) => slope * input.reduce((sum, value, j) => sum + weights[i * input.length + j] * value, 0),
    )
  }
  return v
}

const length = (x: readonly number[]) => Math.hypot(...x)
const unitOf = (x: readonly number[]) => x.map((value) => value / (length(x) || 1))

/** A copy whose layer has size·u·vᵀ added to its weights: u by power iteration on what is behind, v along its input. */
function worst(layer: number, size: number, x: readonly number[]): Float32Array {
  const { inputs, slopes } = forward(x)
  let u = slopes[layer].map(() => random.gaussian())
  for (let step = 0; step < 30; step++) u = unitOf(backward(slopes, layer, jacobianTimes(slopes, layer, u)))
  const v = unitOf(inputs[layer])
  return layers[layer].weights.map((w, k) => w + size * u[Math.floor(k / v.length)] * v[k % v.length])
}

function withWeights(layer: number, weights: Float32Array): string {
  const message = proto.onnx.ModelProto.decode(readFileSync(mlp))
  const found = message.graph!.initializer!.find(({ name }) => name === layers[layer].name)!
  found.rawData = new Uint8Array(weights.buffer)
  return writeTemporary(proto.onnx.ModelProto.encode(message).finish())
}

async function apart(first: string, second: string, inputs: readonly (readonly number[])[]): Promise<number> {
  const sessions = await Promise.all(
    [first, second].map((path) => InferenceSession.create(path, { intraOpNumThreads: 1 })),
  )
  let most = 0
  for (const x of inputs) {
    const feeds = { image: new Tensor('float32', Float32Array.from(x), [1, 1, 8, 8]) }
    const [a, b] = [await sessions[0].run(feeds), await sessions[1].run(feeds)]
    const difference = Array.from(
      a.logits.data as Float32Array,
      (value, i) => value - Number(b.logits.data[i]),
    )
    most = Math.max(most, length(difference))
  }
  return most
}

const corners = () => Array.from({ length: 64 }, () => Math.round(random.uniform()))

describe('changes of one layer by an operator of 1 % of its norm', () => {
  const sensitivities = audit(mlp, { threads: 1, inputRanges: unit, effort: 'fast' }).then(({ models }) =>
    models[0].layers.toSorted((a, b) => a.order - b.order),
  )

  it.each([0, 1, 2])('layer %d: random and worst ones stay within what the audit states', async (layer) => {
    const row = (await sensitivities)[layer]
    const size = 0.01 * row.spectral.lower!
    let most = 0
    for (let trial = 0; trial < 12; trial++) {
      const x = trial === 0 ? Array.from({ length: 64 }, () => 1) : corners()
      const columns = row.shape[1]
      const noise = Float32Array.from({ length: layers[layer].weights.length }, () => random.gaussian())
      const norm = singularValues(row.shape[0], columns, noise)[0]
      const weights =
        trial % 3 === 2
          ? layers[layer].weights.map((w, k) => w + (size * noise[k]) / norm)
          : worst(layer, size, x)
      most = Math.max(most, await apart(mlp, withWeights(layer, weights), [x]))
    }
    expect(most).toBeLessThanOrEqual(row.perturbation! * (1 + 1e-5))
    expect(row.perturbation!).toBeLessThan(15 * most)
  })

  it.each([0, 1, 2])('layer %d: a comparison bounds the worst one no looser', async (layer) => {
    const x = corners()
    const size = 0.2 * (await sensitivities)[layer].spectral.lower!
    const copy = withWeights(layer, worst(layer, size, x))
    const { models } = await diff(mlp, copy, { threads: 1, inputRanges: unit, effort: 'fast' })
    const measured = await apart(mlp, copy, [x, ...Array.from({ length: 20 }, corners)])
    const bound = models[0].outputChange!.upper.value!
    expect(measured).toBeLessThanOrEqual(bound * (1 + 1e-5))
    expect(bound).toBeLessThan(30 * measured)
    expect(models[0].layers.map(({ part }) => part! > 0)).toEqual([0, 1, 2].map((i) => i === layer))
  })

  it('are not stated without a domain, nor for layers whose input has none', async () => {
    const { models } = await audit(mlp, { threads: 1, effort: 'fast' })
    expect(models[0].layers.map(({ perturbation }) => perturbation)).toEqual([null, null, null])
  })

  it('are not stated for layers of bodies', async () => {
    const branch = (name: string) =>
      subgraph({
        outputs: [`${name}_out`],
        nodes: [node('MatMul', ['x', name], [`${name}_out`])],
        initializers: { [name]: tensor([2, 2], [2, 0, 0, 2]) },
      })
    const path = modelFile({
      inputs: { x: [1, 2], choice: { type: 'bool', shape: [] } },
      outputs: { y: [1, 2] },
      initializers: { w: tensor([2, 2], [3, 0, 0, 3]) },
      nodes: [
        node('If', ['choice'], ['h'], { then_branch: branch('a'), else_branch: branch('b') }),
        node('MatMul', ['h', 'w'], ['y'], {}, { name: 'last' }),
      ],
    })
    const ranges = [{ input: 'x', lo: -1, hi: 1 }]
    const { models } = await audit(path, { threads: 1, inputRanges: ranges, effort: 'fast' })
    const stated = models[0].layers
      .filter(({ perturbation }) => perturbation !== null)
      .map(({ node: name }) => name)
    expect(stated.filter((name) => name !== 'last')).toEqual([])
  })

  it('count every layer of a branch for itself', async () => {
    // [2x, 3y]: each layer moves its half of the output by 1 % of its norm times √2 of its input
    const path = modelFile({
      inputs: { x: [1, 2] },
      outputs: ['z'],
      initializers: { a: tensor([2, 2], [2, 0, 0, 2]), b: tensor([2, 2], [3, 0, 0, 3]) },
      nodes: [
        node('MatMul', ['x', 'a'], ['p']),
        node('MatMul', ['x', 'b'], ['q']),
        node('Concat', ['p', 'q'], ['z'], { axis: 1 }),
      ],
    })
    const ranges = [{ input: null, lo: -1, hi: 1 }]
    const { models } = await audit(path, { threads: 1, inputRanges: ranges, effort: 'fast' })
    const rows = models[0].layers.toSorted((s, t) => s.order - t.order)
    for (const [i, norm] of [2, 3].entries()) {
      expect(rows[i].perturbation!).toBeGreaterThanOrEqual(0.01 * norm * Math.SQRT2)
      expect(rows[i].perturbation! / (0.01 * norm * Math.SQRT2)).toBeCloseTo(1, 6)
    }
  })
})

describe('parts alone', () => {
  it('do not hide one another in a root of a sum of squares', () => {
    const [a, b] = [term.leaf('a', 3), term.leaf('b', 4)]
    const parts = term.partsAlone(term.rootSumSquare(term.scale(a, 2), b), () => true)
    expect(parts.get('a')!).toBeGreaterThanOrEqual(6)
    expect(parts.get('a')!).toBeCloseTo(6, 9)
    expect(parts.get('b')!).toBeCloseTo(4, 9)
    expect(term.partsAlone(term.sum(a, b, a), (leaf) => leaf === 'a').get('a')!).toBeCloseTo(6, 9)
  })
})

describe('rounding', () => {
  const codes = { type: 'uint8' as const, scale: Float32Array.of(0.1), zero: Float32Array.of(100) }
  const grid = gridOf(codes)!

  it('to codes moves no vector further than stated', () => {
    for (let trial = 0; trial < 300; trial++) {
      const size = 1 + Math.floor(random.uniform() * 20)
      const reach = 5 + 40 * random.uniform()
      const x = Array.from({ length: size }, () => reach * (2 * random.uniform() - 1))
      const rounded = x.map((value) => {
        const code = Math.min(255, Math.max(0, Math.round(value / codes.scale[0]) + 100))
        return codes.scale[0] * (code - 100)
      })
      const moved = length(x.map((value, i) => value - rounded[i]))
      const range = { lo: -reach, hi: reach }
      for (const box of [null, { dims: [size], lo: Float64Array.from(x), hi: Float64Array.from(x) }]) {
        const bound = roundingError(grid, { shape: [size], size, range, box, norm: length(x) })
        expect(moved).toBeLessThanOrEqual(bound)
      }
    }
  })

  it('to float16 moves no vector further than stated', () => {
    const x = Array.from({ length: 50 }, () => 10 ** (6 * random.uniform() - 4))
    const half = (value: number) => {
      const unitInLastPlace = 2 ** (Math.max(Math.floor(Math.log2(value)), -14) - 10)
      return Math.round(value / unitInLastPlace) * unitInLastPlace
    }
    const storage = { kind: 'float' as const, unit: 2 ** -11, least: 2 ** -25 }
    const bound = roundingError(storage, {
      ...{ shape: [50], size: 50, range: { lo: 0, hi: 100 }, box: null },
      norm: length(x),
    })
    expect(length(x.map((value) => value - half(value)))).toBeLessThanOrEqual(bound)
  })
})
