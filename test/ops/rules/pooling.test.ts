import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../../helpers/bounds.ts'
import { node } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases, image, variants } from '../../helpers/rule-cases.ts'

const cases: readonly Case[] = [
  ...variants([
    { kernel_shape: [3, 3] },
    { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    { kernel_shape: [2, 3], strides: [1, 2], dilations: [2, 1], ceil_mode: 1 },
    { kernel_shape: [3, 2], auto_pad: 'SAME_LOWER' },
  ]).map(
    (attributes): Case => ({
      name: `MaxPool ${JSON.stringify(attributes)}`,
      op: 'MaxPool',
      x: [1, 1, 7, 6],
      attributes,
      tight: 0.2,
    }),
  ),
  ...variants([
    { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
    { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 },
    { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1, pads: [1, 0, 0, 1] },
    { kernel_shape: [2, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' },
    { kernel_shape: [2, 3], dilations: [2, 2], pads: [1, 1, 1, 1] },
  ]).map(
    (attributes): Case => ({
      name: `AveragePool ${JSON.stringify(attributes)}`,
      op: 'AveragePool',
      x: [1, 1, 7, 5],
      attributes,
      opset: 19,
      tight: 0.98,
    }),
  ),
  { name: 'GlobalAveragePool', op: 'GlobalAveragePool', x: image, exact: 1 / 6, tight: 0.999 },
  { name: 'GlobalMaxPool', op: 'GlobalMaxPool', x: image, exact: 1, tight: 0.9 },
  {
    name: 'LpPool 2',
    op: 'LpPool',
    x: [1, 1, 6, 6],
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    exact: 1,
    tight: 0.9,
  },
  {
    name: 'LpPool 1',
    op: 'LpPool',
    x: [1, 1, 6, 6],
    attributes: { kernel_shape: [2, 2], strides: [2, 2], p: 1 },
    exact: 2,
    tight: 0.9,
  },
  { name: 'GlobalLpPool', op: 'GlobalLpPool', x: image, exact: 1, tight: 0.9 },
]

describeCases('pools', cases)

describe('pools over long axes', () => {
  const gainOf = async (op: string, length: number, attributes: Record<string, number[] | string>) => {
    const nodes = [node(op, ['x'], ['y'], attributes)]
    return bestOf(await boundModel({ inputs: { x: [1, 1, length] }, outputs: ['y'], nodes }))
  }

  it('average one window of any length exactly', async () => {
    for (const length of [1000, 100_000]) {
      const gain = await gainOf('AveragePool', length, { kernel_shape: [length] })
      expect(gain * Math.sqrt(length)).toBeCloseTo(1, 9)
    }
  })

  it('are bounded by row and column sums where the matrix is large', async () => {
    const gain = await gainOf('AveragePool', 20_000, { kernel_shape: [400] })
    expect(gain).toBeGreaterThan(0.99)
    expect(gain).toBeLessThanOrEqual(1 + 1e-12)
  })

  it('take kernels far larger than their input', async () => {
    const attributes = { kernel_shape: [2 ** 40], auto_pad: 'SAME_LOWER' }
    expect(await gainOf('AveragePool', 9, attributes)).toBeCloseTo(1, 9)
    expect(await gainOf('MaxPool', 9, attributes)).toBeCloseTo(3, 9)
  })
})
