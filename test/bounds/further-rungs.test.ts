import { describe, expect, it } from 'vitest'
import { auditModel } from '../../src/audit/model.ts'
import { modelFile, node, tensor } from '../helpers/onnx-builder.ts'
import { generator } from '../helpers/seeded.ts'

/** Two dense layers, 70 to 70 to 3, with or without a Relu between. */
function twoLayers(bends: boolean): string {
  const random = generator(5)
  const weights = (rows: number, columns: number) =>
    tensor(
      [rows, columns],
      Float32Array.from({ length: rows * columns }, () => random() - 0.5),
    )
  return modelFile({
    inputs: { x: [1, 70] },
    outputs: ['y'],
    initializers: { a: weights(70, 70), b: weights(70, 3) },
    nodes: [
      node('MatMul', ['x', 'a'], ['h']),
      node(bends ? 'Relu' : 'Identity', ['h'], ['r']),
      node('MatMul', ['r', 'b'], ['y']),
    ],
  })
}

const rungsOf = async (path: string, bound: 'best' | 'sdp' = 'best') => {
  const { lipschitz } = await auditModel(path, { threads: 1, bound })
  return new Map(lipschitz.ladder.map(({ method, value }) => [method, value ?? Infinity]))
}

describe('the rungs above the graph bound', () => {
  it('leave the SDP out where nodes are linear, one after the other, unless it is asked for', async () => {
    const path = twoLayers(false)
    const rungs = await rungsOf(path)
    expect(rungs.has('sdp')).toBe(false)
    // the norm of the product of the matrices
    expect(rungs.get('mean-slope')).toBeLessThan(0.9 * rungs.get('spectral-product')!)
    const asked = await rungsOf(path, 'sdp')
    expect(asked.get('sdp')! / rungs.get('mean-slope')!).toBeCloseTo(1, 2)
  })

  it('leave it out behind a single matrix', async () => {
    const path = modelFile({
      inputs: { x: [1, 2] },
      outputs: ['y'],
      initializers: { a: tensor([2, 2], Float32Array.of(1, 2, 0, -1)) },
      nodes: [node('MatMul', ['x', 'a'], ['h']), node('Relu', ['h'], ['y'])],
    })
    const rungs = await rungsOf(path)
    expect(rungs.has('sdp')).toBe(false)
    // attained where both elements are positive
    expect(Math.min(...rungs.values()) / Math.sqrt(3 + Math.sqrt(8))).toBeCloseTo(1, 5)
  })

  it('hold the SDP where a node bends', async () => {
    const rungs = await rungsOf(twoLayers(true))
    expect(rungs.get('sdp')).toBeLessThan(rungs.get('mean-slope')!)
  })
})
