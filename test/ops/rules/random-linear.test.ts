import fc from 'fast-check'
import { describe, it } from 'vitest'
import { expectExact, type Linear } from '../../helpers/linear-case.ts'
import { float, int64s, tensor } from '../../helpers/onnx-builder.ts'

const dim = fc.integer({ min: 1, max: 5 })
const dims = fc.array(dim, { minLength: 1, maxLength: 3 })
const upTo = (max: number) => fc.integer({ min: 0, max })

const pad = fc
  .tuple(
    dims,
    fc.constantFrom('constant', 'edge', 'reflect', 'wrap'),
    fc.array(upTo(3), { minLength: 6, maxLength: 6 }),
  )
  .map(([x, mode, amounts]): Linear => {
    const most = (size: number) => (mode === 'reflect' ? size - 1 : mode === 'wrap' ? size : 3)
    const pads = [...x, ...x].map((size, i) => Math.min(amounts[i], most(size)))
    return { op: 'Pad', x, inputs: ['x', 'p'], constants: { p: int64s(pads) }, attributes: { mode } }
  })

const averagePool = fc
  .record({
    x: fc.tuple(fc.integer({ min: 3, max: 7 }), fc.integer({ min: 3, max: 7 })),
    kernel_shape: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    pads: fc.tuple(upTo(1), upTo(1), upTo(1), upTo(1)),
    count_include_pad: upTo(1),
  })
  .map(({ x, pads, kernel_shape, ...attributes }): Linear => {
    const fitting = pads.map((size, i) => Math.min(size, kernel_shape[i % 2] - 1))
    return { op: 'AveragePool', x: [1, 1, ...x], attributes: { ...attributes, kernel_shape, pads: fitting } }
  })

const gather = fc
  .tuple(dims, upTo(2), fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), fc.boolean())
  .map(([x, at, picks, negative]): Linear => {
    const axis = at % x.length
    const positions = picks.map((pick) => (pick % x[axis]) - (negative && pick % 2 === 0 ? x[axis] : 0))
    return { op: 'Gather', x, inputs: ['x', 'i'], constants: { i: int64s(positions) }, attributes: { axis } }
  })

const gatherND = fc
  .record({
    x: fc.tuple(dim, dim, dim),
    depth: fc.integer({ min: 1, max: 2 }),
    batched: fc.boolean(),
    picks: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
  })
  .map(({ x, depth, batched, picks }): Linear => {
    const first = batched ? 1 : 0
    const tuples = batched ? [x[0], 3] : [4]
    const count = tuples.reduce((a, b) => a * b) * depth
    const positions = Array.from({ length: count }, (_, i) => {
      const length = x[first + (i % depth)]
      const position = picks[i % 12] % length
      return picks[(i + 5) % 12] % 3 === 0 ? position - length : position
    })
    return {
      op: 'GatherND',
      x,
      inputs: ['x', 'i'],
      constants: { i: tensor([...tuples, depth], positions, 'int64') },
      attributes: { batch_dims: first },
    }
  })

/** The updates vary, and several may be added to one element. */
const scatterAdd = fc
  .record({
    op: fc.constantFrom('ScatterElements', 'ScatterND'),
    picks: fc.array(upTo(3), { minLength: 6, maxLength: 6 }),
    rows: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ op, picks, rows }): Linear => {
    const x = op === 'ScatterND' ? [2 * rows, 3] : [rows, 2]
    const positions = picks.slice(0, 2 * rows).map((pick, i) => (i % 2 === 0 ? pick : pick - 4))
    return {
      op,
      x,
      inputs: ['d', 'i', 'x'],
      constants: {
        d: tensor([4, 3], new Float32Array(12)),
        i: tensor(op === 'ScatterND' ? [2 * rows, 1] : [rows, 2], positions, 'int64'),
      },
      attributes: { reduction: 'add' },
    }
  })

const tile = fc.tuple(dims, fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 })).map(
  ([x, repeats]): Linear => ({
    op: 'Tile',
    x,
    inputs: ['x', 'r'],
    constants: { r: int64s(repeats.slice(0, x.length)) },
  }),
)

const expand = fc
  .tuple(
    dims,
    fc.array(dim, { minLength: 4, maxLength: 4 }),
    fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  )
  .map(([sizes, target, ones]): Linear => {
    const x = sizes.map((size, i) => (ones[i] ? 1 : size))
    const shape = [target[3], ...x.map((size, i) => (size === 1 ? target[i] : size))]
    return { op: 'Expand', x, inputs: ['x', 's'], constants: { s: int64s(shape) } }
  })

const reduce = fc
  .tuple(
    dims,
    fc.constantFrom('ReduceSum', 'ReduceMean'),
    fc.array(upTo(2), { minLength: 1, maxLength: 3 }),
    upTo(1),
  )
  .map(
    ([x, op, axes, keepdims]): Linear => ({
      op,
      x,
      inputs: ['x', 'a'],
      constants: { a: int64s([...new Set(axes.map((axis) => axis % x.length))]) },
      attributes: { keepdims },
    }),
  )

const resize = fc
  .record({
    x: fc.tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 6 })),
    scales: fc.tuple(fc.constantFrom(0.5, 0.75, 1, 1.5, 2, 3), fc.constantFrom(0.5, 1, 1.25, 2)),
    mode: fc.constantFrom('nearest', 'linear', 'cubic'),
    coordinates: fc.constantFrom(
      'half_pixel',
      'align_corners',
      'asymmetric',
      'pytorch_half_pixel',
      'half_pixel_symmetric',
    ),
  })
  .filter(({ x, scales }) => x.every((size, i) => Math.floor(size * scales[i]) >= 1))
  .map(
    ({ x, scales, mode, coordinates }): Linear => ({
      op: 'Resize',
      x: [1, 1, ...x],
      inputs: ['x', '', 's'],
      constants: { s: tensor([4], [1, 1, ...scales]) },
      attributes: { mode, coordinate_transformation_mode: coordinates },
      // ties may fall on either side; negative weights of cubic kernels count with their size
      slack: mode === 'linear' ? 1 : mode === 'nearest' ? Math.SQRT2 : 1.2,
    }),
  )

const scaled = fc
  .tuple(
    dims,
    fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    fc.constantFrom('Mul', 'Div', 'Add', 'Sub'),
  )
  .map(([sizes, ones, op]): Linear => {
    const x = sizes.map((size, i) => (ones[i] ? 1 : size))
    const elements = sizes.reduce((product, size) => product * size, 1)
    const c = tensor(
      sizes,
      Array.from({ length: elements }, (_, i) => 1 + ((i * 7) % 5) / 3),
    )
    return { op, x, inputs: ['x', 'c'], constants: { c } }
  })

const cumSum = fc.tuple(dims, upTo(2), upTo(1), upTo(1)).map(
  ([x, axis, exclusive, reverse]): Linear => ({
    op: 'CumSum',
    x,
    inputs: ['x', 'a'],
    constants: { a: tensor([], [axis % x.length], 'int64') },
    attributes: { exclusive, reverse },
  }),
)

const gemm = fc
  .record({
    m: dim,
    k: dim,
    n: dim,
    transA: upTo(1),
    transB: upTo(1),
    alpha: fc.constantFrom(-2, 0.5, 1),
    left: fc.boolean(),
  })
  .map(({ m, k, n, transA, transB, alpha, left }): Linear => {
    const [a, b] = [transA ? [k, m] : [m, k], transB ? [n, k] : [k, n]]
    const [x, w] = left ? [b, a] : [a, b]
    const weights = tensor(
      w,
      Array.from({ length: w[0] * w[1] }, (_, i) => Math.sin(3 * i + 1)),
    )
    return {
      op: 'Gemm',
      x,
      inputs: left ? ['w', 'x'] : ['x', 'w'],
      constants: { w: weights },
      attributes: { transA, transB, alpha: float(alpha) },
    }
  })

describe('bounds of linear operators are their norms, whatever shapes and attributes', () => {
  it.each(
    Object.entries({
      pad,
      averagePool,
      gather,
      gatherND,
      scatterAdd,
      tile,
      expand,
      reduce,
      resize,
      scaled,
      cumSum,
      gemm,
    }),
  )('%s', async (_, linear) => {
    await fc.assert(fc.asyncProperty(linear, expectExact), { numRuns: 20 })
  })
})
