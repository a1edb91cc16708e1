import { describe, expect, it } from 'vitest'
import { estimateCost } from '../../src/norms/cost.ts'
import type { OperatorOf } from '../../src/norms/geometry.ts'

function convolution(
  inChannels: number,
  outChannels: number,
  kernel: number[],
  outputSize: number[] | null,
  stride = 1,
  groups = 1,
): OperatorOf<'convolution'> {
  const fill = (value: number) => kernel.map(() => value)
  return {
    form: 'convolution',
    inChannels,
    outChannels,
    groups,
    kernel,
    strides: fill(stride),
    dilations: fill(1),
    padsBegin: fill(1),
    padsEnd: fill(1),
    inputSize: outputSize?.map((size) => size * stride) ?? null,
    outputSize,
    factor: 1,
  }
}

/** Milliseconds on a quiet machine, by which layers are put in order; a third more or less is within the spread of seeds. */
const measured: readonly [OperatorOf<'convolution'>, number][] = [
  [convolution(64, 64, [3, 3], [56, 56]), 120],
  [convolution(128, 128, [3, 3], [28, 28]), 450],
  [convolution(128, 128, [3, 3], [28, 28], 2), 600],
  [convolution(256, 256, [3, 3], [14, 14]), 1800],
  [convolution(512, 512, [3, 3], [7, 7]), 3300],
  [convolution(512, 512, [3, 3], [7, 7], 2), 2400],
  [convolution(32, 32, [3, 3], [8, 8]), 12],
  [convolution(64, 64, [3, 3, 3], [8, 28, 28]), 5500],
  [convolution(64, 64, [3, 3, 3], [4, 14, 14]), 900],
]

describe('estimateCost', () => {
  it('is within a factor of two and a half of what layers were measured to take', () => {
    for (const [geometry, milliseconds] of measured) {
      const ratio = estimateCost(geometry) / (milliseconds * 1e6)
      expect(ratio).toBeGreaterThan(1 / 2.5)
      expect(ratio).toBeLessThan(2.5)
    }
  })

  it('takes patches that do not overlap for what they are: matrices', () => {
    const patches = convolution(3, 192, [16, 16], [14, 14], 16)
    const matrix = {
      form: 'matrix',
      rows: 192,
      columns: 768,
      blocks: 1,
      arrangement: 'diagonal',
      factor: 1,
    } as const
    expect(estimateCost(patches)).toBe(estimateCost(matrix))
    expect(estimateCost(convolution(256, 64, [1, 1], [56, 56]))).toBe(
      estimateCost({ ...matrix, rows: 64, columns: 256 }),
    )
  })

  it('grows with what there is to do', () => {
    const grows = (less: OperatorOf<'convolution'>, more: OperatorOf<'convolution'>) =>
      expect(estimateCost(less)).toBeLessThan(estimateCost(more))
    grows(convolution(8, 8, [3, 3], [8, 8]), convolution(16, 8, [3, 3], [8, 8]))
    grows(convolution(8, 8, [3, 3], [8, 8]), convolution(8, 8, [3, 3], [9, 9]))
    grows(convolution(8, 8, [3, 3], [8, 8], 1, 8), convolution(8, 8, [3, 3], [8, 8]))
    expect(estimateCost(convolution(8, 8, [3, 3], null))).toBeGreaterThan(0)
  })
})
