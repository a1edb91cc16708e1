import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../../helpers/bounds.ts'
import { float, int64s, type ModelSpec, node, tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases } from '../../helpers/rule-cases.ts'

const domain = 'com.microsoft'
const rois = tensor([2, 4], [0.3, 0.2, 4.6, 3.9, 1.2, 0.7, 3.4, 4.8])

describeCases('operators that read regions and windows', [
  {
    name: 'RoiAlign by maxima',
    op: 'RoiAlign',
    opset: 16,
    x: [1, 1, 5, 6],
    constants: { r: rois, i: int64s([0, 0]) },
    attributes: { mode: 'max', output_height: 2, output_width: 2, sampling_ratio: 2 },
    tight: 0.3,
  },
  {
    name: 'MaxRoiPool',
    op: 'MaxRoiPool',
    opset: 16,
    x: [1, 1, 5, 6],
    constants: { r: tensor([2, 5], [0, 0, 0, 4, 3, 0, 1, 1, 3, 4]) },
    attributes: { pooled_shape: [2, 2] },
    tight: 0.2,
  },
  {
    name: 'MaxpoolWithMask',
    op: 'MaxpoolWithMask',
    domain,
    x: [1, 1, 4, 4],
    constants: { m: tensor([1, 1, 4, 4], [1, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 0], 'int32') },
    attributes: { kernel_shape: [2, 2] },
    tight: 0.2,
  },
] satisfies readonly Case[])

const boundOf = async (spec: ModelSpec, ranges: Record<string, readonly [number, number]> = {}) =>
  bestOf(
    await boundModel(spec, {
      inputRanges: new Map(Object.entries(ranges).map(([name, [lo, hi]]) => [name, { lo, hi }])),
    }),
  )
const any = { y: { type: 'float32', shape: null } } as const

describe('regions and windows by closed forms', () => {
  it('cost MaxRoiPool and CropAndResize no more than one output each', async () => {
    const crop: ModelSpec = {
      inputs: { x: [1, 2, 5, 5] },
      outputs: any,
      initializers: {
        r: tensor([2, 4], [0, 0, 1, 1, 0.2, 0.1, 0.7, 0.9]),
        i: tensor([2], [0, 0], 'int32'),
        s: tensor([2], [2, 3], 'int32'),
      },
      nodes: [node('CropAndResize', ['x', 'r', 'i', 's'], ['y'], {}, { domain })],
    }
    // two regions of 2·3 points
    expect(await boundOf(crop)).toBeCloseTo(Math.sqrt(12), 9)
  })

  it('overlap as often as windows do', async () => {
    const unfold = (size: number, step: number): ModelSpec => ({
      inputs: { x: [2, 7] },
      outputs: any,
      nodes: [node('UnfoldTensor', ['x'], ['y'], { dim: 1, size, step }, { domain })],
    })
    expect(await boundOf(unfold(3, 1))).toBeCloseTo(Math.sqrt(3), 9)
    expect(await boundOf(unfold(3, 2))).toBeCloseTo(Math.SQRT2, 9)
    expect(await boundOf(unfold(3, 3))).toBe(1)
    // two windows of six fit
    expect(await boundOf(unfold(6, 1))).toBeCloseTo(Math.SQRT2, 9)
  })

  it('write into caches side by side', async () => {
    const spec = (positions: 'p' | 'q'): ModelSpec => ({
      opset: 24,
      inputs: { x: [1, 4, 2], u: [1, 1, 2], q: { type: 'int64', shape: [1] } },
      outputs: any,
      initializers: { p: int64s([1]) },
      nodes: [node('TensorScatter', ['x', 'u', positions], ['y'])],
    })
    expect(await boundOf(spec('p'))).toBe(1)
    expect(await boundOf(spec('q'))).toBe(1)
  })
})

describe('fused operators by the norms of their layers', () => {
  const weights = tensor([3, 3], [3, 0, 0, 0, 2, 0, 0, 0, 1])
  const product = (op: string, attributes = {}): ModelSpec => ({
    inputs: { x: [2, 3] },
    outputs: any,
    initializers: { w: weights },
    nodes: [node(op, ['x', 'w'], ['y'], attributes, { domain })],
  })

  it('multiply by the slope of their activation', async () => {
    expect(await boundOf(product('GemmFastGelu'))).toBeCloseTo(3 * 1.1289928, 6)
    expect(
      await boundOf(product('FusedMatMulActivation', { activation: 'Sigmoid', alpha: float(2) })),
    ).toBeCloseTo(1.5, 6)
    expect(await boundOf(product('FusedMatMulActivation', { activation: 'Unheard' }))).toBe(Infinity)
  })

  it('hold for either order of weights with channels last', async () => {
    const spec: ModelSpec = {
      inputs: { x: [1, 4, 4, 2], z: [1, 4, 4, 3] },
      outputs: any,
      initializers: { w: tensor([3, 2, 2, 2], new Float32Array(24).fill(0.5)) },
      nodes: [
        node(
          'NhwcFusedConv',
          ['x', 'w', '', 'z'],
          ['y'],
          { activation: 'Relu', kernel_shape: [2, 2], strides: [2, 2] },
          { domain },
        ),
      ],
    }
    // ‖W‖_F = √24/2, no window shares an element; beside it the residual, of another input
    expect(await boundOf(spec)).toBeCloseTo(Math.sqrt(6 + 1), 6)
  })

  it('transform real signals over several axes', async () => {
    const spec: ModelSpec = {
      inputs: { x: [2, 4, 8] },
      outputs: any,
      nodes: [node('Rfft', ['x'], ['y'], { signal_ndim: 2, normalized: 0, onesided: 1 }, { domain })],
    }
    expect(await boundOf(spec)).toBeCloseTo(Math.sqrt(32), 9)
  })

  it('transform half of the frequencies back, exactly for signals of one axis', async () => {
    const [frequencies, length] = [4, 7]
    const spec: ModelSpec = {
      inputs: { x: [frequencies, 2] },
      outputs: any,
      nodes: [node('Irfft', ['x'], ['y'], { signal_ndim: 1, normalized: 0, onesided: 1 }, { domain })],
    }
    // y_t = (X₀ + 2·Σ Re X_k·e^{2πikt/n})/n: columns are orthogonal, and those of inner frequencies the longest
    const column = Array.from({ length }, (_, t) => (2 * Math.cos((2 * Math.PI * t) / length)) / length)
    expect(await boundOf(spec)).toBeCloseTo(Math.hypot(...column), 9)
  })

  it('pool channels that stand last', async () => {
    const spec: ModelSpec = {
      inputs: { x: [1, 6, 6, 2] },
      outputs: any,
      nodes: [node('NhwcMaxPool', ['x'], ['y'], { kernel_shape: [3, 3], strides: [2, 1] }, { domain })],
    }
    expect(await boundOf(spec)).toBeCloseTo(Math.sqrt(2 * 3), 9)
  })
})

describe('DeformConv', () => {
  const spec = (fixed: boolean): ModelSpec => ({
    opset: 19,
    inputs: fixed ? { x: [1, 1, 3, 3] } : { x: [1, 1, 3, 3], o: [1, 8, 2, 2] },
    outputs: any,
    initializers: {
      w: tensor([1, 1, 2, 2], [1, -1, 0.5, 0.25]),
      ...(fixed
        ? {
            o: tensor(
              [1, 8, 2, 2],
              new Float32Array(32).map((_, i) => Math.sin(i) / 2),
            ),
          }
        : {}),
    },
    nodes: [node('DeformConv', ['x', 'w', 'o'], ['y'], { kernel_shape: [2, 2] })],
  })

  /** The operator itself: samples between four elements, 0 outside. */
  function convolve(x: readonly number[], offsets: readonly number[]): number[] {
    const at = (row: number, column: number) =>
      row < 0 || column < 0 || row > 2 || column > 2 ? 0 : x[3 * row + column]
    const sample = (row: number, column: number) => {
      const [r, c] = [Math.floor(row), Math.floor(column)]
      const [s, t] = [row - r, column - c]
      return (
        (1 - s) * ((1 - t) * at(r, c) + t * at(r, c + 1)) +
        s * ((1 - t) * at(r + 1, c) + t * at(r + 1, c + 1))
      )
    }
    const weights = [1, -1, 0.5, 0.25]
    return [0, 1, 2, 3].map((place) => {
      const [i, j] = [place >> 1, place & 1]
      return weights.reduce((sum, weight, k) => {
        const [row, column] = [0, 1].map((axis) => offsets[(2 * k + axis) * 4 + place])
        return sum + weight * sample(i + (k >> 1) + row, j + (k & 1) + column)
      }, 0)
    })
  }

  function steepest(changes: (t: number, i: number) => number, withOffsets: boolean): number {
    const fixed = Array.from({ length: 32 }, (_, i) => Math.sin(i) / 2)
    let most = 0
    for (let trial = 0; trial < 200; trial++) {
      const x = Array.from({ length: 9 }, (_, i) => Math.sin(trial * 7.1 + 3 * i))
      const o = withOffsets ? Array.from({ length: 32 }, (_, i) => Math.cos(trial * 1.3 + 5 * i)) : fixed
      const step = Array.from({ length: withOffsets ? 41 : 9 }, (_, i) => 1e-4 * changes(trial, i))
      const [from, to] = [
        convolve(x, o),
        convolve(
          x.map((value, i) => value + step[i]),
          withOffsets ? o.map((value, i) => value + step[9 + i]) : o,
        ),
      ]
      most = Math.max(most, Math.hypot(...from.map((value, i) => value - to[i])) / Math.hypot(...step))
    }
    return most
  }

  it('is linear where its offsets are constant', async () => {
    const bound = await boundOf(spec(true))
    const measured = steepest((t, i) => Math.cos(t + 2 * i * t), false)
    expect(measured).toBeLessThanOrEqual(bound)
    expect(measured).toBeGreaterThan(bound / 12)
  })

  it('needs bounded data where they vary', async () => {
    expect(await boundOf(spec(false))).toBe(Infinity)
    const bound = await boundOf(spec(false), { x: [-1, 1] })
    const measured = steepest((t, i) => Math.cos(t + 2 * i * t), true)
    expect(measured).toBeLessThanOrEqual(bound)
    expect(bound).toBeLessThan(Infinity)
  })
})
