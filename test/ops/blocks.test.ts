import fc from 'fast-check'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { linearContext } from '../../src/calculus/node-context.ts'
import { createRandom, gaussianVector, type Random } from '../../src/core/random.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import type { Block } from '../../src/ops/blocks/block.ts'
import { blockOf, blockOperators } from '../../src/ops/blocks/blocks.ts'
import {
  type AttributeValue,
  int64s,
  type ModelSpec,
  model,
  node,
  writeTemporary,
} from '../helpers/onnx-builder.ts'

interface Case {
  readonly dims: readonly number[]
  readonly attributes: Record<string, AttributeValue>
  readonly axes?: readonly number[]
}

const dimsOf = (least: number, most: number) =>
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength: least, maxLength: most })

/** Windows that may overlap, be padded or be dilated. */
const pools: fc.Arbitrary<Case> = fc
  .record({
    dims: fc.tuple(
      fc.constant(1),
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 3, max: 5 }),
      fc.integer({ min: 3, max: 5 }),
    ),
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    pad: fc.integer({ min: 0, max: 1 }),
    ceil: fc.boolean(),
  })
  .map(({ dims, kernel, stride, pad, ceil }) => ({
    dims,
    attributes: {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: Array<number>(4).fill(Math.min(pad, kernel - 1)),
      ceil_mode: ceil ? 1 : 0,
    },
  }))

const reductions: fc.Arbitrary<Case> = dimsOf(1, 4).chain((dims) =>
  fc.subarray([...dims.keys()], { minLength: 1 }).map((axes) => ({ dims, attributes: {}, axes })),
)

const softmaxes: fc.Arbitrary<Case> = dimsOf(1, 4).chain((dims) =>
  fc.integer({ min: -dims.length, max: dims.length - 1 }).map((axis) => ({ dims, attributes: { axis } })),
)

const cases: Readonly<Record<string, fc.Arbitrary<Case>>> = {
  MaxPool: pools,
  GlobalMaxPool: dimsOf(3, 4).map((dims) => ({ dims, attributes: {} })),
  ReduceMax: reductions,
  ReduceMin: reductions,
  ReduceLogSumExp: reductions,
  Softmax: softmaxes,
  LogSoftmax: softmaxes,
}

function specOf(op: string, { dims, attributes, axes }: Case): ModelSpec {
  const inputs = axes === undefined ? ['x'] : ['x', 'axes']
  return {
    opset: 18,
    inputs: { x: dims },
    outputs: ['y'],
    ...(axes && { initializers: { axes: int64s(axes) } }),
    nodes: [node(op, inputs, ['y'], attributes)],
  }
}

function blockIn(path: string): Block {
  const typed = inferModel(readModel(path))
  const [only] = typed.graph.nodes
  const context = linearContext(typed, only, (value) => !typed.operand(value).isConstant)
  return blockOf(context!)!
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0)

/** ‖A‖₂ from below. */
function normOf(
  apply: (x: Float64Array) => Float64Array,
  adjoint: (y: Float64Array) => Float64Array,
  x: Float64Array,
) {
  let [v, norm] = [x, 0]
  for (let step = 0; step < 12; step++) {
    const length = Math.hypot(...v)
    if (!(length > 0)) return norm
    const y = apply(v.map((value) => value / length))
    norm = Math.max(norm, Math.hypot(...y))
    v = adjoint(y)
  }
  return norm
}

/** Both maps as functions of one vector each, (Δz, u) one after the other. */
function mapsOf({ split, measure }: Block, size: number) {
  const parts = (x: Float64Array) => [x.subarray(0, size), x.subarray(size)]
  return {
    split: (x: Float64Array) => split.apply(parts(x))[0]!,
    splitBack: (y: Float64Array) => {
      const [z, u] = split.applyAdjoint([y])
      return Float64Array.from([...z!, ...u!])
    },
    measure: (z: Float64Array) => measure.apply([z])[0]!,
    measureBack: (q: Float64Array) => measure.applyAdjoint([q])[0]!,
  }
}

/** The least u with B u = rest, by conjugate gradients on the normal equations. */
function leftOver({ split, size }: Block, rest: Float64Array): Float64Array {
  const forward = (u: Float64Array) => split.apply([null, u])[0]!
  const back = (a: Float64Array) => split.applyAdjoint([a])[1]!
  const u = new Float64Array(size)
  const remainder = back(rest)
  let direction = remainder.slice()
  let square = dot(remainder, remainder)
  const first = square
  for (let step = 0; step < 60 && square > 1e-26 * first; step++) {
    const image = back(forward(direction))
    const length = square / dot(direction, image)
    for (let i = 0; i < size; i++) {
      u[i] += length * direction[i]
      remainder[i] -= length * image[i]
    }
    const next = dot(remainder, remainder)
    direction = direction.map((value, i) => remainder[i] + (next / square) * value)
    square = next
  }
  return u
}

describe('what operators do with groups of elements', () => {
  it('is said of all of these', () => {
    expect(Object.keys(cases).sort()).toEqual([...blockOperators].sort())
  })

  it.each(blockOperators)('%s: the maps, their adjoints and their norms fit', (op) => {
    fc.assert(
      fc.property(cases[op], fc.nat(), (given, seed) => {
        const block = blockIn(writeTemporary(model(specOf(op, given)), 'node.onnx'))
        const size = given.dims.reduce((product, dim) => product * dim, 1)
        const random: Random = createRandom(seed)
        const maps = mapsOf(block, size)
        const [x, z, q] = [size + block.size, size, block.measured].map((n) => gaussianVector(n, random))
        const y = gaussianVector(maps.split(x).length, random)
        expect(dot(maps.split(x), y)).toBeCloseTo(dot(x, maps.splitBack(y)), 9)
        expect(dot(maps.measure(z), q)).toBeCloseTo(dot(z, maps.measureBack(q)), 9)
        expect(normOf(maps.split, maps.splitBack, x)).toBeLessThanOrEqual(block.gain * (1 + 1e-12))
        expect(normOf(maps.measure, maps.measureBack, z)).toBeLessThanOrEqual(block.measureGain * (1 + 1e-12))
        expect(Math.max(-1, ...block.groupsOf, ...block.groupsMeasured)).toBeLessThan(block.groups)
      }),
      { numRuns: 25 },
    )
  })

  it.each(blockOperators)('%s: what is left over is no more than what the groups allow', async (op) => {
    let largest = 0
    await fc.assert(
      fc.asyncProperty(cases[op], fc.nat(), fc.constantFrom(0.01, 1, 20), async (given, seed, scale) => {
        const path = writeTemporary(model(specOf(op, given)), 'node.onnx')
        const block = blockIn(path)
        const size = given.dims.reduce((product, dim) => product * dim, 1)
        const random = createRandom(seed)
        const [a, b] = [0, 1].map(() =>
          Float64Array.from(Float32Array.from(gaussianVector(size, random), (value) => scale * value)),
        )
        const session = await InferenceSession.create(path, { logSeverityLevel: 4, intraOpNumThreads: 1 })
        const valueAt = async (point: Float64Array) => {
          const { y } = await session.run({ x: new Tensor('float32', Float32Array.from(point), given.dims) })
          return Float64Array.from(y.data as Float32Array)
        }
        const [fa, fb] = [await valueAt(a), await valueAt(b)]
        const change = a.map((value, i) => value - b[i])
        const split = block.split.apply([change, null])[0]!
        const u = leftOver(
          block,
          fa.map((value, i) => value - fb[i] - split[i]),
        )
        const again = block.split.apply([null, u])[0]!
        const size2 = Math.hypot(...change)
        again.forEach((value, i) => {
          expect(Math.abs(split[i] + value - (fa[i] - fb[i]))).toBeLessThan(1e-5 * (size2 + scale))
        })
        const q = block.measure.apply([change])[0]!
        const [ours, theirs] = [new Float64Array(block.groups), new Float64Array(block.groups)]
        u.forEach((value, i) => {
          ours[block.groupsOf[i]] += value ** 2
        })
        q.forEach((value, i) => {
          theirs[block.groupsMeasured[i]] += value ** 2
        })
        ours.forEach((value, g) => {
          expect(Math.sqrt(value)).toBeLessThanOrEqual(Math.sqrt(theirs[g]) + 2e-5 * (size2 + scale))
          if (theirs[g] > 0) largest = Math.max(largest, Math.sqrt(value / theirs[g]))
        })
      }),
      { numRuns: 40 },
    )
    // and not much less where it comes near
    expect(largest).toBeGreaterThan(0.5)
  })
})
