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

  it('is not claimed of outputs that are not searched alone', async () => {
    const outputs = ['a', 'b', 'c', 'd', 'e']
    const several = model({
      inputs: { x: [1, 2] },
      outputs,
      initializers: Object.fromEntries(
        outputs.map((name, i) => [`w${name}`, tensor([2, 2], [1, i, -1, 2 * i])]),
      ),
      nodes: outputs.flatMap((name) => [
        node('MatMul', ['x', `w${name}`], [`z${name}`]),
        node('Relu', [`z${name}`], [name]),
      ]),
    })
    const { lipschitz, findings } = await audited(several, { bound: 'exact' })
    const methods = lipschitz.ladder.map(({ method }) => method)
    expect(methods).toContain('branch-and-bound')
    expect(methods).not.toContain('exact')
    expect(findings.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('too many outputs to search each alone'),
    )
  })

  it('has no coefficients that are products of constants', async () => {
    const gemm = model({
      inputs: { x: [1, 2] },
      outputs: ['y'],
      initializers: { a: tensor([1, 3], [0.1, 0.2, -0.3]), b: tensor([3, 2], [1, 2, 3, 4, 5, 6]) },
      nodes: [node('Gemm', ['a', 'b', 'x'], ['z'], {}, { name: 'shift' }), node('Relu', ['z'], ['y'])],
    })
    const { findings } = await audited(gemm, { bound: 'exact' })
    expect(findings).toContainEqual(expect.objectContaining({ rule: 'missing-rung', node: 'shift' }))
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
