import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { modelFile, node, tensor } from '../helpers/onnx-builder.ts'

/** |W₂|·|W₁| on a path without activations in between that matter: both norms in closed form. */
const network = modelFile({
  inputs: { x: [1, 2] },
  outputs: { y: [1, 2] },
  initializers: { v: tensor([2, 3], [1, -2, 0, 3, 0, 1]), w: tensor([3, 2], [1, 1, -1, 0, 0, 2]) },
  nodes: [
    node('MatMul', ['x', 'v'], ['h'], {}, { name: 'first' }),
    node('Relu', ['h'], ['r']),
    node('MatMul', ['r', 'w'], ['y'], {}, { name: 'second' }),
  ],
})

describe('an audit in another norm', () => {
  it('bounds, ranks and judges by that norm', async () => {
    const options = { norm: 'linf', maxLipschitz: 12, threads: 1 } as const
    const [report] = (await audit(network, options)).models
    const upper = report.lipschitz.upper.value ?? Number.NaN
    // rows of vᵀ sum to 4, 2 and 1, those of wᵀ to 2 and 3
    expect(upper).toBeGreaterThanOrEqual(12)
    expect(upper).toBeLessThan(12 * (1 + 1e-9))
    expect(report).toMatchObject({ norm: 'linf', verdict: 'inconclusive' })
    expect(report.lipschitz.upper).toMatchObject({ certificate: 'deterministic', failureProbability: 0 })
    expect(report.lipschitz.ladder.map(({ method }) => method)).toEqual(['induced-product', 'graph'])
    expect(report.lipschitz.lower?.value).toBeGreaterThan(5)
    expect(report.lipschitz.lower?.value).toBeLessThanOrEqual(12)
    const layers = report.layers.map(({ node, induced, gain }) => [
      node,
      Math.round(induced ?? 0),
      Math.round(gain ?? 0),
    ])
    expect(layers).toEqual([
      ['first', 4, 4],
      ['second', 3, 3],
    ])
    expect(report.layers[0].spectral.upper).not.toBeCloseTo(4, 1)
  })

  it('takes columns in ℓ1', async () => {
    const [{ layers, lipschitz }] = (await audit(network, { norm: 'l1', threads: 1 })).models
    expect(layers.map(({ induced }) => Math.round(induced ?? 0))).toEqual([4, 2])
    expect(lipschitz.upper.value).toBeCloseTo(8, 6)
  })

  it('says nothing of other norms in ℓ2', async () => {
    const [{ layers, norm }] = (await audit(network, { threads: 1 })).models
    expect(norm).toBe('l2')
    expect(layers.every((layer) => !('induced' in layer))).toBe(true)
  })

  it('names the node that has a constant in ℓ2 alone', async () => {
    const path = modelFile({
      inputs: { x: [1, 4, 1] },
      outputs: { y: [1, 4, 2] },
      nodes: [node('DFT', ['x'], ['y'], {}, { name: 'wave' })],
    })
    const [{ lipschitz, findings }] = (await audit(path, { norm: 'linf', threads: 1 })).models
    expect(lipschitz.upper).toMatchObject({ value: null, unbounded: true, node: 'wave' })
    expect(findings.find(({ rule }) => rule === 'unbounded-op')?.message).toContain('ℓ2 alone')
  })

  it('has no bounds by methods that know ℓ2 alone', async () => {
    const report = await audit(network, { norm: 'l1', bound: 'sdp', threads: 1 })
    expect(report.errors[0]).toMatchObject({
      code: 'usage',
      message: 'the bound sdp is one in l2, not in l1',
    })
  })

  it('bounds a network with convolutions, pools and a residual', async () => {
    const path = join(resolve(import.meta.dirname, '../..'), 'fixtures/trained/digits-resnet.onnx')
    for (const norm of ['linf', 'l1'] as const) {
      const [{ lipschitz }] = (await audit(path, { norm, threads: 1 })).models
      expect(lipschitz.upper.unbounded).toBeUndefined()
      expect(lipschitz.upper.log10).toBeLessThan(7)
    }
  })
})
