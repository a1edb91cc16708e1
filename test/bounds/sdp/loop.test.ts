import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auditModel } from '../../../src/audit/model.ts'
import { scaledLoop } from '../../../src/bounds/sdp/loop/loop.ts'
import type { LoopBound } from '../../../src/bounds/sdp/loop/loop-bound.ts'
import { boundByLoop } from '../../../src/bounds/sdp/loop/network-loop.ts'
import { scalesOf } from '../../../src/bounds/sdp/loop/search.ts'
import { networkOf } from '../../../src/bounds/sdp/rung.ts'
import { walkGraph } from '../../../src/bounds/walk.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { layersOf } from '../../../src/infer/layers.ts'
import { lanczos } from '../../../src/linalg/lanczos.ts'
import { measureLayers } from '../../../src/norms/measure.ts'
import { type ModelSpec, model, node, tensor, writeTemporary } from '../../helpers/onnx-builder.ts'
import { randomStack } from '../../helpers/random-stack.ts'
import { generator } from '../../helpers/seeded.ts'

/** The loop of a whole network over all inputs, with its bound. */
async function loopOf(path: string, steps: number): Promise<LoopBound | null> {
  const typed = inferModel(readModel(path))
  const measured = await measureLayers([...layersOf(typed)], {
    tolerance: 1e-6,
    certify: 'probabilistic',
    seed: 1,
    threads: 1,
    failureProbability: 1e-10,
  })
  const normOf = (key: string) => measured.get(key)?.spectral?.upper ?? 'has no norm'
  const audited = typed.graph.inputs
  const walk = walkGraph(typed, { normOf, audited, refined: true })
  const network = networkOf(typed, { normOf, audited, walk, boxes: new Map() })
  return boundByLoop(network, {
    targets: typed.graph.outputs,
    walk,
    shapeOf: (value) => typed.operand(value).shape,
    budget: 1e10,
    steps,
    seed: 1,
    failureProbability: 1e-9,
  })
}

/** ‖D H D⁻¹‖₂ with further factors for what comes out and what goes in, by so many Lanczos steps that it has settled. */
function normOf({ loop, scaling }: LoopBound, out?: Float64Array, into?: Float64Array): number {
  const { inputs, apply, applyAdjoint } = scaledLoop(loop, scaling.ties, scalesOf(scaling))
  const times = (x: Float64Array, factors?: Float64Array) =>
    factors === undefined ? x : x.map((value, i) => value * factors[i])
  const process = lanczos(
    new Float64Array(inputs).map((_, i) => 1 + ((i * 7919) % 101) / 101),
    0,
    true,
  )
  while (!process.exhausted && process.steps < 200) {
    const y = times(times(apply(times(process.direction, into)), out), out)
    process.step(times(applyAdjoint(y), into))
  }
  return Math.sqrt(process.ritzValue)
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const stackOf = (seed: number) => writeTemporary(model(randomStack(seed)), 'stack.onnx')

describe('the loop of a network', () => {
  it('bounds more than any lower bound that is found, and hardly more than the blocks do', async () => {
    const ratios: number[] = []
    const property = fc.asyncProperty(seeds, fc.constantFrom(20, 120), async (seed, steps) => {
      const path = stackOf(seed)
      const found = await loopOf(path, steps)
      const { lipschitz } = await auditModel(path, { threads: 1, bound: 'sdp' })
      if (found === null) return
      expect(found.bound).toBeGreaterThanOrEqual(lipschitz.lower?.value ?? 0)
      const blocks = lipschitz.ladder.find(({ method }) => method === 'sdp')?.value
      if (steps > 100 && blocks != null) ratios.push(found.bound / blocks)
    })
    await fc.assert(property, { numRuns: 14, endOnFailure: true })
    expect(ratios.length).toBeGreaterThan(2)
    expect(ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)]).toBeLessThan(1.06)
  })

  it('has the norm that is proven, and none above 1 once each round is damped by it', async () => {
    let damped = 0
    const property = fc.asyncProperty(seeds, async (seed) => {
      const found = await loopOf(stackOf(seed), 20)
      if (found === null) return
      const { loop, scaling } = found
      const norm = normOf(found)
      const heads = loop.heads.map(
        (source, h) => loop.window.sources[source].bound * Math.exp(scaling.heads[h]),
      )
      const plain = Math.hypot(...heads)
      expect(found.bound).toBeGreaterThanOrEqual(plain * (norm > 1 ? norm ** loop.levels : norm) * (1 - 1e-9))
      if (!(norm > 1)) return
      damped++
      const scaled = scaledLoop(loop, scaling.ties, scalesOf(scaling))
      const [out, into] = [new Float64Array(scaled.outputs), new Float64Array(scaled.inputs).fill(1)]
      out.fill(norm ** -loop.levels)
      loop.ties.forEach(({ source, level, size, measured }, tie) => {
        out.fill(norm ** -level, scaled.ends[tie], scaled.ends[tie] + measured)
        into.fill(norm ** level, scaled.starts[source], scaled.starts[source] + size)
      })
      expect(normOf(found, out, into)).toBeLessThanOrEqual(1 + 1e-9)
    })
    await fc.assert(property, { numRuns: 12, endOnFailure: true })
    expect(damped).toBeGreaterThan(3)
  })

  it('goes through pools and softmax, which windows end at', async () => {
    const random = generator(3)
    const weights = (...dims: number[]) =>
      tensor(
        dims,
        Float32Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, () => random() - 0.5),
      )
    const spec: ModelSpec = {
      opset: 18,
      inputs: { x: [1, 1, 8, 8] },
      outputs: ['y'],
      initializers: { a: weights(4, 1, 3, 3), b: weights(10, 64), c: weights(3, 10) },
      nodes: [
        node('Conv', ['x', 'a'], ['h'], { pads: [1, 1, 1, 1] }),
        node('MaxPool', ['h'], ['p'], { kernel_shape: [2, 2], strides: [2, 2] }),
        node('Flatten', ['p'], ['f']),
        node('Gemm', ['f', 'b'], ['g'], { transB: 1 }),
        node('Softmax', ['g'], ['s']),
        node('Gemm', ['s', 'c'], ['y'], { transB: 1 }),
      ],
    }
    const path = writeTemporary(model(spec), 'pools.onnx')
    const { lipschitz } = await auditModel(path, { threads: 1 })
    const values = new Map(lipschitz.ladder.map(({ method, value }) => [method, value ?? Infinity]))
    expect(values.get('sdp')).toBeGreaterThanOrEqual(lipschitz.lower?.value ?? Infinity)
    expect(values.get('sdp')).toBeLessThan(0.8 * (values.get('mean-slope') ?? 0))
    expect(lipschitz.upper.certificate).toBe('probabilistic')
  })
})
