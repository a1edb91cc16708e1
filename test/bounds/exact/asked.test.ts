import { describe, expect, it } from 'vitest'
import { auditModel } from '../../../src/audit/model.ts'
import type { AuditOptions } from '../../../src/audit/options.ts'
import { model, node, tensor, writeTemporary } from '../../helpers/onnx-builder.ts'
import { functions, randomChain } from './dense-chain.ts'

const smooth = model({
  inputs: { x: [1, 2] },
  outputs: ['y'],
  initializers: { w: tensor([2, 2], [1, 2, 3, 4]) },
  nodes: [node('MatMul', ['x', 'w'], ['z']), node('Tanh', ['z'], ['y'], {}, { name: 'curve' })],
})
const audited = (bytes: Uint8Array, options: AuditOptions) =>
  auditModel(writeTemporary(bytes, 'net.onnx'), { threads: 1, ...options })

describe('the exact constant, asked for by name', () => {
  it('is reported where it is found', async () => {
    const { spec } = randomChain(3, [2, 6, 4, 2], functions.Relu)
    const { lipschitz, findings } = await audited(model(spec), { bound: 'exact' })
    expect(lipschitz.upper).toMatchObject({ method: 'exact', certificate: 'deterministic' })
    expect(lipschitz.upper.value).toBeLessThanOrEqual((lipschitz.lower?.value ?? 0) * (1 + 1e-6))
    expect(findings.map(({ rule }) => rule)).not.toContain('missing-rung')
  })

  it('names the node that is in the way', async () => {
    const { lipschitz, findings } = await audited(smooth, { bound: 'exact' })
    expect(lipschitz.upper.method).not.toBe('exact')
    expect(findings).toContainEqual(
      expect.objectContaining({
        rule: 'missing-rung',
        node: 'curve',
        message: 'no exact: Tanh is neither affine with the coefficients of the file nor piecewise linear',
      }),
    )
  })

  it('is not claimed where the search ends before', async () => {
    const { spec } = randomChain(5, [6, 24, 24, 3], functions.Abs)
    const { lipschitz, findings } = await audited(model(spec), { bound: 'exact' })
    const methods = lipschitz.ladder.map(({ method }) => method)
    expect(methods).toContain('branch-and-bound')
    expect(methods).not.toContain('exact')
    expect(findings.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('the search did not end'),
    )
    const found = lipschitz.ladder.find(({ method }) => method === 'branch-and-bound')
    expect(found?.value).toBeGreaterThanOrEqual(lipschitz.lower?.value ?? Infinity)
  })
})
