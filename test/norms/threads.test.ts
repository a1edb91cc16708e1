import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/core/random.ts'
import { lipschitz } from '../cli/built-program.ts'
import { modelFile, node, tensor } from '../helpers/onnx-builder.ts'

/** A chain of dense layers: large, small, float64, folded (a scaled weight), and the same weight twice. */
function chain(): string {
  const random = createRandom(1)
  const weights = (rows: number, columns: number) =>
    Float32Array.from({ length: rows * columns }, () => random.gaussian() / Math.sqrt(rows))
  const size = 640
  return modelFile({
    inputs: { x: [1, size] },
    outputs: ['y'],
    initializers: {
      first: tensor([size, size], weights(size, size)),
      second: tensor([size, size], weights(size, size)),
      folded: tensor([size, size], weights(size, size)),
      half: tensor([1], [0.5]),
      small: tensor([size, 10], weights(size, 10)),
    },
    nodes: [
      node('MatMul', ['x', 'first'], ['a']),
      node('Relu', ['a'], ['b']),
      node('MatMul', ['b', 'second'], ['c']),
      node('Mul', ['folded', 'half'], ['scaled']),
      node('MatMul', ['c', 'scaled'], ['d']),
      node('Relu', ['d'], ['e']),
      node('MatMul', ['e', 'first'], ['f']),
      node('MatMul', ['f', 'small'], ['y']),
    ],
  })
}

describe('threads', () => {
  it('change no byte of the report', async () => {
    const path = chain()
    const reports = await Promise.all(
      ['1', '2', '5'].map((threads) => lipschitz(['audit', '-f', 'json', '--threads', threads, path])),
    )
    expect(reports.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      reports.map(() => ({ code: 0, stderr: '' })),
    )
    const [{ layers }] = JSON.parse(reports[0].stdout).models
    expect(layers).toHaveLength(5)
    for (const { spectral } of layers) expect(spectral.upper).toBeGreaterThan(0.5)
    expect(reports[1].stdout).toBe(reports[0].stdout)
    expect(reports[2].stdout).toBe(reports[0].stdout)
  })
})
