import { describe, expect, it } from 'vitest'
import { runningProductNorm } from '../../../src/ops/rules/multiplicative.ts'
import { bestOf, boundModel } from '../../helpers/bounds.ts'
import { int64s, node, tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases } from '../../helpers/rule-cases.ts'

const range = [-1.2, 1.2] as const

describeCases('products of many elements', [
  { name: 'Det of 2×2', op: 'Det', x: [3, 2, 2], range, tight: 0.2 },
  { name: 'Det of 3×3', op: 'Det', x: [3, 3], range, tight: 0.1 },
  {
    name: 'ReduceProd',
    op: 'ReduceProd',
    x: [2, 3],
    constants: { a: int64s([1]) },
    range,
    tight: 0.1,
  },
  {
    name: 'GridSample in its grid',
    op: 'GridSample',
    opset: 16,
    x: [1, 2, 3, 4],
    more: { g: [1, 2, 2, 2] },
    range,
    tight: 0.05,
  },
  {
    name: 'GridSample in its grid alone, with borders and aligned corners',
    op: 'GridSample',
    opset: 16,
    x: [1, 2, 2, 2],
    constants: { data: tensor([1, 1, 2, 2], [0, 1, 0, 1]) },
    inputs: ['data', 'x'],
    attributes: { align_corners: 1, padding_mode: 'border' },
    range: [-1, 1],
    scale: 0.4,
    tight: 0.3,
  },
] satisfies readonly Case[])

/** The largest ‖J‖_F over the corners of the cube, where every |∂y_k/∂x_i| is largest. */
function jacobianAtCorner(size: number, count: number): number {
  let squares = 0
  for (let k = 1; k <= count; k++) squares += k * size ** (2 * (k - 1))
  return Math.sqrt(squares)
}

describe('running products', () => {
  const bound = async (inputRange: readonly [number, number], attributes = {}) => {
    const spec = {
      opset: 26,
      inputs: { x: [2, 4] },
      outputs: ['y'],
      initializers: { axis: tensor([], [1], 'int64') },
      nodes: [node('CumProd', ['x', 'axis'], ['y'], attributes)],
    }
    return bestOf(
      await boundModel(spec, { inputRanges: new Map([['x', { lo: inputRange[0], hi: inputRange[1] }]]) }),
    )
  }

  /** Slopes of the function itself, by differences at random places and directions. */
  function steepest(size: number, count: number): number {
    let most = 0
    const product = (x: readonly number[]) => x.map((_, k) => x.slice(0, k + 1).reduce((a, b) => a * b, 1))
    for (let trial = 0; trial < 400; trial++) {
      const at = Array.from({ length: count }, (_, i) => size * Math.sin(trial * 1.7 + i * 2.3 + trial * i))
      const step = Array.from({ length: count }, (_, i) => 1e-6 * Math.cos(trial + 5 * i))
      const corner = at.map((x) => (trial % 2 === 0 ? Math.sign(x) * (size - 1e-6) : x))
      const moved = corner.map((x, i) => x + step[i])
      const [from, to] = [product(corner), product(moved)]
      most = Math.max(most, Math.hypot(...from.map((y, i) => to[i] - y)) / Math.hypot(...step))
    }
    return most
  }

  it.each([0.5, 1, 1.5, 2])('with |x| ≤ %d change by no more, and nearly by that', async (size) => {
    const found = await bound([-size, size])
    expect(found).toBeGreaterThanOrEqual(steepest(size, 4))
    expect(found).toBeLessThanOrEqual(jacobianAtCorner(size, 4) * (1 + 1e-9))
  })

  it('leave out one element where they are exclusive', async () => {
    expect(await bound([-2, 2], { exclusive: 1 })).toBeLessThan((await bound([-2, 2])) / 1.5)
  })

  it('have no bound on all inputs', async () => {
    expect(await bound([-Infinity, Infinity])).toBe(Infinity)
    expect(runningProductNorm(Infinity, 1)).toBeCloseTo(1, 9)
  })

  it.each(['l2', 'linf', 'l1'] as const)('have none in %s beyond what float64 holds', (norm) => {
    expect(runningProductNorm(1e150, 2, norm)).toBeLessThan(Infinity)
    expect(runningProductNorm(1e160, 3, norm)).toBe(Infinity)
  })
})

describe('determinants', () => {
  it('have the constant that Hadamard matrices attain', async () => {
    const nodes = [node('Det', ['x'], ['y'])]
    const spec = { opset: 11, inputs: { x: [2, 2] }, outputs: ['y'], nodes }
    const inputRanges = new Map([['x', { lo: -1, hi: 1 }]])
    // the gradient at [[1, 1], [1, −1]] has four entries ±1
    expect(bestOf(await boundModel(spec, { inputRanges }))).toBeCloseTo(2, 9)
  })
})

describe('logarithms of sums', () => {
  const boundOn = async (lo: number) => {
    const nodes = [node('ReduceLogSum', ['x', 'a'], ['y'])]
    const spec = { inputs: { x: [2, 4] }, outputs: ['y'], initializers: { a: int64s([1]) }, nodes }
    return bestOf(await boundModel(spec, { inputRanges: new Map([['x', { lo, hi: 3 }]]) }))
  }

  it('are steepest where all elements are least: the gradient there has four entries 1/4l', async () => {
    expect(await boundOn(1)).toBeCloseTo(0.5, 9)
    expect(await boundOn(0.25)).toBeCloseTo(2, 9)
    expect(await boundOn(0)).toBe(Infinity)
  })
})
