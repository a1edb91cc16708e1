import { describe, expect, it } from 'vitest'
import { auditEach } from '../../src/audit/audit.ts'
import type { ModelReport } from '../../src/audit/report-schema.ts'
import { createRandom } from '../../src/core/random.ts'
import { createStop, type Stop } from '../../src/core/stop.ts'
import { modelFile, node, tensor } from '../helpers/onnx-builder.ts'

/** Three dense layers and a convolution, none of them trivial. */
function network(): string {
  const random = createRandom(3)
  const weights = (...dims: number[]) =>
    tensor(
      dims,
      Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.gaussian() / 8),
    )
  return modelFile({
    inputs: { x: [1, 4, 8, 8] },
    outputs: ['y'],
    initializers: {
      kernel: weights(6, 4, 3, 3),
      first: weights(384, 200),
      second: weights(200, 150),
      third: weights(150, 10),
    },
    nodes: [
      node('Conv', ['x', 'kernel'], ['a'], { pads: [1, 1, 1, 1] }),
      node('Relu', ['a'], ['b']),
      node('Flatten', ['b'], ['c']),
      node('MatMul', ['c', 'first'], ['d']),
      node('Relu', ['d'], ['e']),
      node('MatMul', ['e', 'second'], ['f']),
      node('MatMul', ['f', 'third'], ['y']),
    ],
  })
}

/** A stop whose time is over once it has been asked so often; it breaks into nothing. */
function countdown(asked: number, reason: 'time-limit' | 'interrupted'): Stop {
  const stop: Stop = {
    reason: () => (asked-- > 0 ? null : reason),
    expired: () => stop.reason() !== null,
    remaining: () => (reason === 'time-limit' ? 1e9 : Infinity),
    interrupt: () => {},
    onInterrupt: () => () => {},
    within: () => stop,
    isBreakable: false,
  }
  return stop
}

async function auditUntil(asked: number, reason: 'time-limit' | 'interrupted', limit = {}) {
  const request = { path, options: { threads: 1, effort: 'fast' as const, ...limit } }
  return auditEach([request], { stop: countdown(asked, reason) })
}

const path = network()
/** Often enough to end in each step of a short audit, in some of the refinements, and not at all. */
const moments = [...Array.from({ length: 14 }, (_, asked) => asked), 20, 40, 100, 1e9]

describe('an audit that ends early', () => {
  it.each(['time-limit', 'interrupted'] as const)(
    'proves all that it shows, wherever it ends: %s',
    async (reason) => {
      const [whole] = (await auditEach([{ path, options: { threads: 1, effort: 'fast' } }])).models
      const exact = new Map(whole.layers.map((layer) => [layer.weight, layer]))
      const seen = new Set<string>()
      for (const asked of moments) {
        const { models, errors } = await auditUntil(asked, reason)
        if (models.length === 0) {
          expect(errors).toHaveLength(1)
          seen.add('nothing')
          continue
        }
        const [model] = models
        checkBounds(model, exact)
        const open = model.findings.filter(({ rule }) => rule === reason).length
        if (open === 0) {
          expect(model).toEqual(whole)
          seen.add('all')
          break
        }
        seen.add(model.lipschitz.upper.unbounded ? 'no bound' : 'a looser bound')
      }
      const expected =
        reason === 'time-limit'
          ? ['a looser bound', 'all', 'no bound', 'nothing']
          : ['all', 'no bound', 'nothing']
      expect([...seen].sort()).toEqual(expect.arrayContaining(expected))
    },
  )

  it('leaves gates open that a whole audit meets', async () => {
    const limit = { maxLayer: 9, maxLipschitz: 1e4 }
    const whole = await auditEach([{ path, options: { threads: 1, effort: 'fast' as const, ...limit } }])
    expect(whole.verdict).toBe('pass')
    const early = await auditUntil(4, 'interrupted', limit)
    expect(early.models[0].gates.map(({ verdict }) => verdict)).toEqual(['inconclusive', 'inconclusive'])
  })

  it('says of models that it did not come to that they are not audited', async () => {
    const requests = ['one', 'two'].map(() => ({ path, options: { threads: 1, effort: 'fast' as const } }))
    const { errors } = await auditEach(requests, { stop: countdown(0, 'time-limit') })
    expect(errors).toEqual([
      { path, code: 'limit', message: 'not audited within the time limit', hint: expect.any(String) },
      { path, code: 'limit', message: 'not audited within the time limit', hint: expect.any(String) },
    ])
  })

  it('gives each model its part of the time, and what others leave', async () => {
    const parts: number[] = []
    const clock = { now: 0 }
    const stop = createStop({ timeLimit: 900, now: () => clock.now })
    const watched = {
      ...stop,
      within(milliseconds: number) {
        parts.push(milliseconds)
        clock.now += 100
        return stop.within(1e9)
      },
    }
    await auditEach(
      [1, 2, 3].map(() => ({ path, options: { threads: 1, effort: 'fast' as const } })),
      { stop: watched },
    )
    expect(parts).toEqual([300, 400, 700])
  })
})

function checkBounds(model: ModelReport, exact: ReadonlyMap<string, ModelReport['layers'][number]>): void {
  expect(model.layers).toHaveLength(exact.size)
  for (const { weight, spectral } of model.layers) {
    const known = exact.get(weight)?.spectral
    if (spectral.upper === null || spectral.lower === null) {
      expect(spectral).toMatchObject({ unbounded: true, reason: expect.stringContaining('not measured') })
      continue
    }
    expect(spectral.upper).toBeGreaterThanOrEqual(known?.lower ?? Number.NaN)
    expect(spectral.lower).toBeLessThanOrEqual(known?.upper ?? Number.NaN)
  }
}
