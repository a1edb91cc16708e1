import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../src/core/random.ts'
import { buildWhereStale, lipschitz } from '../cli/built-program.ts'
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

/** One matrix that all threads multiply by together, behind a small one. */
function giant(): string {
  const random = createRandom(2)
  const [rows, columns] = [2050, 1801]
  return modelFile({
    inputs: { x: [1, 3] },
    outputs: ['y'],
    initializers: {
      small: tensor(
        [3, rows],
        Float32Array.from({ length: 3 * rows }, () => random.gaussian()),
      ),
      large: tensor(
        [rows, columns],
        Float32Array.from({ length: rows * columns }, () => random.uniform()),
      ),
    },
    nodes: [node('MatMul', ['x', 'small'], ['a']), node('MatMul', ['a', 'large'], ['y'])],
  })
}

beforeAll(buildWhereStale)

describe('threads', () => {
  it('multiply by one matrix together and change no byte of the report', async () => {
    const path = giant()
    const audit = (threads: string) => lipschitz(['audit', '-f', 'json', '--threads', threads, path])
    const [alone, two, three] = [await audit('1'), await audit('2'), await audit('3')]
    expect([alone, two, three].map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      [alone, two, three].map(() => ({ code: 0, stderr: '' })),
    )
    expect(two.stdout).toBe(alone.stdout)
    expect(three.stdout).toBe(alone.stdout)
    const [{ layers }] = JSON.parse(alone.stdout).models
    const { spectral } = layers.find((layer: { weight: string }) => layer.weight === 'large')
    // uniform on (0, 1): the mean ½ gives about √(rows·columns) / 2, the variance 1/12 a little more
    expect(spectral.lower).toBeGreaterThan((Math.sqrt(2050 * 1801) / 2) * 0.999)
    expect(spectral.upper).toBeLessThan((Math.sqrt(2050 * 1801) / 2) * 1.001)
  })

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
