import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { proveBounds } from '../../../src/audit/proof.ts'
import {
  isObstacle,
  type LowerBound,
  type LowerOptions,
  lowerBound,
} from '../../../src/bounds/lower/lower-bound.ts'
import { select } from '../../../src/bounds/selection.ts'
import * as mag from '../../../src/core/magnitude.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import type { TypedGraph } from '../../../src/infer/typed-graph.ts'
import { collection, collectionIsThere, readTable } from '../../helpers/collection.ts'
import { model, node, tensor, writeTemporary } from '../../helpers/onnx-builder.ts'
import { generator } from '../../helpers/seeded.ts'
import { randomGraph } from '../../helpers/soundness/random-graph.ts'
import { distance, norm } from '../../helpers/soundness/vectors.ts'

const defaults = { effort: 'fast', seed: 0, ranges: new Map() } as const
const everything = { inputs: null, outputs: null }

function open(bytes: Uint8Array): TypedGraph {
  return inferModel(readModel(writeTemporary(bytes)))
}

function below(typed: TypedGraph, options: Partial<LowerOptions> = {}): LowerBound | null {
  const found = lowerBound(typed, select(typed, everything), { ...defaults, ...options })
  return isObstacle(found) ? null : found
}

/** All outputs side by side, as onnxruntime computes them. */
async function evaluate(typed: TypedGraph, bytes: Uint8Array, points: readonly (readonly Float64Array[])[]) {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4, intraOpNumThreads: 1 })
  const results: Float64Array[] = []
  for (const point of points) {
    const feeds = typed.graph.inputs.map((input, i) => {
      const dims = typed.operand(input).shape as number[]
      return [input.name, new RuntimeTensor('float32', Float32Array.from(point[i]), dims)] as const
    })
    const outputs = await session.run(Object.fromEntries(feeds))
    results.push(
      Float64Array.from(session.outputNames.flatMap((name) => [...(outputs[name].data as Float32Array)])),
    )
  }
  await session.release()
  return results
}

const joined = (parts: readonly Float64Array[]) => Float64Array.from(parts.flatMap((part) => [...part]))

/** A network of random weights with the given sizes and activation. */
function chain(seed: number, sizes: readonly number[], activation = 'Relu'): Uint8Array {
  const random = generator(seed)
  const draw = (dims: readonly number[]) => {
    const size = dims.reduce((product, dim) => product * dim, 1)
    return tensor(
      dims,
      Float32Array.from({ length: size }, () => 2 * random() - 1),
    )
  }
  const layers = sizes.slice(1).map((size, i) => ({
    weight: draw([size, sizes[i]]),
    bias: draw([size]),
    nodes: [
      node(
        'Gemm',
        [i === 0 ? 'x' : `a${i}`, `w${i}`, `b${i}`],
        [i === sizes.length - 2 ? 'y' : `z${i + 1}`],
        { transB: 1 },
      ),
      ...(i === sizes.length - 2 ? [] : [node(activation, [`z${i + 1}`], [`a${i + 1}`])]),
    ],
  }))
  return model({
    inputs: { x: [1, sizes[0]] },
    outputs: { y: { type: 'float32', shape: null } },
    initializers: Object.fromEntries(
      layers.flatMap(({ weight, bias }, i) => [
        [`w${i}`, weight],
        [`b${i}`, bias],
      ]),
    ),
    nodes: layers.flatMap(({ nodes }) => nodes),
  })
}

describe('lower bounds', () => {
  it('are never above upper ones, and their points give them in onnxruntime', async () => {
    let [bounded, checked] = [0, 0]
    for (let seed = 0; seed < 70; seed++) {
      const graph = randomGraph(9000 + seed)
      if (graph === null) continue
      const bytes = model(graph.spec)
      const typed = open(bytes)
      const lower = below(typed)
      if (lower === null) continue
      const { bounds } = await proveBounds(typed, { threads: 1, effort: 'fast' })
      for (const { joint, method } of bounds.ladder) {
        if (joint.refusal !== null || mag.toNumber(joint.offset.value) > 0) continue
        bounded++
        expect(lower.value, `${method}, seed ${seed}`).toBeLessThanOrEqual(
          mag.toNumber(joint.lipschitz.value),
        )
      }
      // The runtime lacks a few shapes of LRN.
      const values = await evaluate(typed, bytes, [lower.x, lower.y]).catch(() => null)
      if (values === null) continue
      const [fx, fy] = values
      const apart = distance(joined(lower.x), joined(lower.y))
      const rounding = (2e-5 * (norm(fx) + norm(fy))) / apart
      if (rounding > 0.05 * lower.value) continue
      checked++
      expect(distance(fx, fy) / apart, `seed ${seed}\n${graph.description}`).toBeGreaterThan(
        0.99 * lower.value - rounding,
      )
    }
    expect(bounded).toBeGreaterThan(40)
    expect(checked).toBeGreaterThan(25)
  })

  it('are the norm itself of a linear map', () => {
    const lower = below(open(chain(3, [6, 4])))
    const typed = open(chain(3, [6, 4]))
    const weight = typed.operand(typed.graph.nodes[0].inputs[1]!).constant()!.data
    // The largest eigenvalue of WWᵀ by repeated squaring of its trace.
    let gram = Array.from({ length: 4 }, (_, i) =>
      Array.from({ length: 4 }, (_, j) =>
        Array.from({ length: 6 }, (_, k) => weight[6 * i + k] * weight[6 * j + k]).reduce((a, b) => a + b),
      ),
    )
    let log = 0
    for (let i = 0; i < 60; i++) {
      const scale = Math.max(...gram.flat().map(Math.abs))
      gram = gram.map((row) => row.map((x) => x / scale))
      log += Math.log(scale) / 2 ** i
      gram = gram.map((row) => gram[0].map((_, j) => row.reduce((sum, x, k) => sum + x * gram[k][j], 0)))
    }
    expect(lower!.value / Math.exp(log / 2)).toBeCloseTo(1, 7)
    expect(lower!.value).toBeLessThanOrEqual(Math.exp(log / 2))
    expect(lower!.looks).toBe(1)
  })

  it('stay in a box and in a ball', () => {
    const typed = open(chain(5, [5, 16, 16, 3]))
    const box = below(typed, { ranges: new Map([['x', { lo: 0, hi: 0.5 }]]) })!
    for (const x of [...box.x[0], ...box.y[0]]) expect(x >= 0 && x <= 0.5).toBe(true)
    const center = [Float64Array.of(1, -1, 0.5, 0, 2)]
    for (const norm of ['l2', 'linf'] as const) {
      const ball = below(typed, { ball: { center, radius: 0.3, norm } })!
      const away = [ball.x[0], ball.y[0]].map((x) =>
        norm === 'l2'
          ? distance(x, center[0])
          : Math.max(...x.map((value, i) => Math.abs(value - center[0][i]))),
      )
      expect(Math.max(...away)).toBeLessThanOrEqual(0.3 * (1 + 1e-12))
      expect(ball.value).toBeLessThanOrEqual(below(typed, { effort: 'normal' })!.value * (1 + 1e-9))
    }
  })

  it('do not rise from a kink where one-sided slopes do not fit together', () => {
    // y = relu(x) − relu(−x) = x: taking both slopes at 0 as 1 would give 2
    const bytes = model({
      inputs: { x: [1] },
      outputs: { y: { type: 'float32', shape: null } },
      nodes: [
        node('Relu', ['x'], ['p']),
        node('Neg', ['x'], ['m']),
        node('Relu', ['m'], ['q']),
        node('Sub', ['p', 'q'], ['y']),
      ],
    })
    const lower = below(open(bytes), { points: [[Float64Array.of(0)]] })!
    expect(lower.value).toBeLessThanOrEqual(1)
    expect(lower.value).toBeGreaterThan(1 - 1e-6)
  })

  it('name the node that has no derivative', () => {
    const bytes = model({
      inputs: { x: [1, 4] },
      outputs: { y: { type: 'float32', shape: null } },
      nodes: [{ ...node('Floor', ['x'], ['y']), name: 'steps' }],
    })
    const typed = open(bytes)
    const found = lowerBound(typed, select(typed, everything), defaults)
    expect(found).toEqual({ reason: 'Floor has no derivative', node: 'steps' })
  })

  it('are the same for the same seed', () => {
    const typed = open(chain(8, [4, 12, 12, 2], 'Tanh'))
    expect(below(typed, { seed: 7 })).toEqual(below(typed, { seed: 7 }))
  })
})

describe.skipIf(!collectionIsThere)('lower bounds of networks whose constant is known', () => {
  const exact = readTable('exact/EXACT.tsv').map(({ net, exact: value }) => ({
    path: `exact/${net}.onnx`,
    value: Number(value),
  }))
  it.each(exact)('are that of $path, nearly', ({ path, value }) => {
    const typed = inferModel(readModel(`${collection}/${path}`))
    const lower = below(typed, { effort: 'normal' })!
    expect(lower.value).toBeLessThanOrEqual(value * (1 + 1e-9))
    expect(lower.value / value).toBeGreaterThan(path.includes('abalone') ? 0.98 : 0.999)
  })

  const sampled = readTable('glipsdp/PUBLISHED.tsv').filter((row) => row.sampled_lower_bound !== '')
  it.each(sampled)(
    'are above what was sampled of $net, seed $seed',
    ({ net, seed, sampled_lower_bound, LipSDP }) => {
      const lower = below(inferModel(readModel(`${collection}/glipsdp/${net}_seed${seed}.onnx`)), {
        effort: 'normal',
      })!
      expect(lower.value).toBeGreaterThan(Number(sampled_lower_bound))
      expect(lower.value).toBeLessThan(Number(LipSDP) * 1.0001)
    },
  )
})
