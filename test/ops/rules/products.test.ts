import { describe, expect, it } from 'vitest'
import { symbolBound } from '../../../src/ops/rules/causal.ts'
import { bestOf, boundModel } from '../../helpers/bounds.ts'
import { float, type ModelSpec, node } from '../../helpers/onnx-builder.ts'
import { generator } from '../../helpers/seeded.ts'

/** Operators that the runtime at hand does not run: held against their definition. */

const random = generator(23)
const draw = (count: number, size: number) => Array.from({ length: count }, () => size * (2 * random() - 1))
const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((x, i) => x - b[i]))

/** Pairs of points of a box, near and far. */
function steepest(count: number, size: number, f: (x: readonly number[]) => readonly number[]): number {
  let most = 0
  for (let trial = 0; trial < 600; trial++) {
    const x = draw(count, size)
    const y = trial % 2 === 0 ? draw(count, size) : x.map((value) => value * (1 - 1e-5) - 1e-6)
    most = Math.max(most, distance(f(x), f(y)) / distance(x, y))
  }
  return most
}

const boundIn = async (spec: ModelSpec, size: number) =>
  bestOf(
    await boundModel(spec, {
      inputRanges: new Map(Object.keys(spec.inputs ?? {}).map((name) => [name, { lo: -size, hi: size }])),
    }),
  )

const swish = (x: number, alpha = 1) => x / (1 + Math.exp(-alpha * x))

describe('SwiGLU', () => {
  const spec = (alpha: number): ModelSpec => ({
    opset: 28,
    inputs: { a: [1, 3], b: [1, 3] },
    outputs: ['y'],
    nodes: [node('SwiGLU', ['a', 'b'], ['y'], { alpha: float(alpha) })],
  })

  it.each([1, -2, 0.5, 0])('with alpha %d changes no more than its bound on a box', async (alpha) => {
    const bound = await boundIn(spec(alpha), 2)
    const measured = steepest(6, 2, (x) => [0, 1, 2].map((i) => swish(x[i], alpha) * x[i + 3]))
    expect(measured).toBeLessThanOrEqual(bound)
    expect(measured).toBeGreaterThan(0.25 * bound)
  })

  it('has none on all inputs', async () => {
    expect(bestOf(await boundModel(spec(0.5)))).toBe(Infinity)
  })
})

describe('LinearAttention', () => {
  const [steps, width] = [3, 2]
  const spec = (update_rule: string): ModelSpec => ({
    opset: 27,
    inputs: { q: [1, steps, width], k: [1, steps, width], v: [1, steps, width] },
    outputs: { y: { type: 'float32', shape: null } },
    nodes: [
      node('LinearAttention', ['q', 'k', 'v'], ['y'], {
        q_num_heads: 1,
        kv_num_heads: 1,
        update_rule,
        scale: 0.5,
      }),
    ],
  })

  /** The recurrence itself. */
  function attend(x: readonly number[]): number[] {
    const at = (tensor: number, t: number, i: number) => x[(tensor * steps + t) * width + i]
    const state = Array.from({ length: width }, () => new Float64Array(width))
    const out: number[] = []
    for (let t = 0; t < steps; t++) {
      for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) state[i][j] += at(1, t, i) * at(2, t, j)
      for (let j = 0; j < width; j++)
        out.push(0.5 * state.reduce((sum, row, i) => sum + at(0, t, i) * row[j], 0))
    }
    return out
  }

  it('by the linear rule changes no more than its bound on a box', async () => {
    const bound = await boundIn(spec('linear'), 1)
    const measured = steepest(3 * steps * width, 1, attend)
    expect(measured).toBeLessThanOrEqual(bound)
    expect(measured).toBeGreaterThan(0.05 * bound)
  })

  it('by other rules is refused', async () => {
    expect(await boundIn(spec('gated_delta'), 1)).toBe(Infinity)
  })
})

describe('FlexAttention', () => {
  it('without bodies is attention', async () => {
    const inputs = { q: [1, 1, 2, 3], k: [1, 1, 4, 3], v: [1, 1, 4, 2] }
    const outputs = { y: { type: 'float32', shape: null } } as const
    const flexible: ModelSpec = {
      opset: 26,
      opsets: { 'ai.onnx.preview': 1 },
      inputs,
      outputs,
      nodes: [node('FlexAttention', ['q', 'k', 'v'], ['y'], {}, { domain: 'ai.onnx.preview' })],
    }
    const plain: ModelSpec = {
      opset: 24,
      inputs,
      outputs,
      nodes: [node('Attention', ['q', 'k', 'v'], ['y'])],
    }
    expect(await boundIn(flexible, 1)).toBe(await boundIn(plain, 1))
  })
})

describe('CausalConvWithState', () => {
  const [channels, length, taps] = [2, 6, 3]
  const weights = [0.5, -1.25, 0.75, 1, 0.25, 1.5]

  function convolve(x: readonly number[]): number[] {
    const out: number[] = []
    for (let c = 0; c < channels; c++) {
      const past = x.slice(channels * length + c * (taps - 1), channels * length + (c + 1) * (taps - 1))
      const line = [...past, ...x.slice(c * length, (c + 1) * length)]
      for (let t = 0; t < length; t++)
        out.push(
          Array.from({ length: taps }, (_, j) => weights[c * taps + j] * line[t + j]).reduce((a, b) => a + b),
        )
    }
    return out
  }

  const spec = (activation: string): ModelSpec => ({
    opset: 27,
    inputs: { x: [1, channels, length], past: [1, channels, taps - 1] },
    outputs: { y: { type: 'float32', shape: null } },
    initializers: { w: { dims: [channels, 1, taps], dataType: 1, floatData: weights } },
    nodes: [node('CausalConvWithState', ['x', 'w', '', 'past'], ['y', 'present'], { activation })],
  })

  it('is a convolution of past and present', async () => {
    const bound = bestOf(await boundModel(spec('none')))
    const measured = steepest(channels * (length + taps - 1), 1, convolve)
    expect(measured).toBeLessThanOrEqual(bound)
    // the second channel's weights are positive: the symbol is largest at ω = 0
    expect(bound).toBeCloseTo(2.75, 2)
    expect(bestOf(await boundModel(spec('silu')))).toBeCloseTo(bound * 1.0998393, 5)
  })

  it('bounds symbols from above, and closely', () => {
    for (let trial = 0; trial < 50; trial++) {
      const taps = 2 + (trial % 9)
      const filter = Float64Array.from(draw(taps, 1))
      let largest = 0
      for (let i = 0; i < 5000; i++) {
        const [re, im] = [Math.cos, Math.sin].map((f) =>
          filter.reduce((sum, weight, j) => sum + weight * f((2 * Math.PI * i * j) / 5000), 0),
        )
        largest = Math.max(largest, Math.hypot(re, im))
      }
      const bound = symbolBound(filter, 0, taps)
      expect(bound).toBeGreaterThanOrEqual(largest * (1 - 1e-12))
      expect(bound).toBeLessThanOrEqual(largest * 1.0025)
    }
  })
})

describe('Pow of two tensors', () => {
  const spec: ModelSpec = {
    inputs: { x: [1, 2], y: [1, 2] },
    outputs: ['z'],
    nodes: [node('Pow', ['x', 'y'], ['z'])],
  }
  const within = (lo: number) =>
    boundModel(spec, {
      inputRanges: new Map([
        ['x', { lo, hi: 2 }],
        ['y', { lo: -1, hi: 3 }],
      ]),
    })

  it('changes no more than its bound where the base stays away from 0', async () => {
    const bound = bestOf(await within(0.5))
    // the unit box, mapped onto the ranges
    const measured = steepest(4, 1, ([a, b, c, d]) => [
      (1.25 + 0.75 * a) ** (1 + 2 * c),
      (1.25 + 0.75 * b) ** (1 + 2 * d),
    ])
    // steps of the unit box are at least 0.75 as long in the ranges
    expect(measured / 2).toBeLessThanOrEqual(bound)
    expect(measured / 0.75).toBeGreaterThan(bound / 4)
  })

  it('has none where the base may come near 0', async () => {
    expect(bestOf(await within(0))).toBe(Infinity)
  })
})
