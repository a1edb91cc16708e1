import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../../src/core/tensor.ts'
import { runInRuntime } from '../../helpers/onnx-runtime.ts'
import { int, int64Of, ints, type NodeSpec, run, tensorOf, text } from '../../helpers/operator-bench.ts'

/** Random nodes, folded here and computed by onnxruntime. */
interface Sample {
  readonly spec: NodeSpec
  readonly inputs: readonly (Tensor | null)[]
}

const product = (dims: readonly number[]) => dims.reduce((total, dim) => total * dim, 1)
const shapes = (minLength = 1, maxLength = 4) =>
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength, maxLength })
const values = fc.integer({ min: -9, max: 9 })

/** A float tensor of these dims with small integers, which every sum and product below keeps exact. */
const floatsOf = (dims: readonly number[]) =>
  fc.array(values, { minLength: product(dims), maxLength: product(dims) }).map((data) => tensorOf(dims, data))

const integersIn = (dims: readonly number[], min: number, max: number) =>
  fc
    .array(fc.integer({ min, max }), { minLength: product(dims), maxLength: product(dims) })
    .map((data) => tensorOf(dims, data, 'int64'))

const boolsOf = (dims: readonly number[]) =>
  fc
    .array(fc.integer({ min: 0, max: 1 }), { minLength: product(dims), maxLength: product(dims) })
    .map((data) => tensorOf(dims, data, 'bool'))

/** Some axes of a rank, none twice, some counted from the end. */
const axesOf = (rank: number) =>
  fc
    .tuple(
      fc.subarray(
        Array.from({ length: rank }, (_, axis) => axis),
        { minLength: 1 },
      ),
      fc.boolean(),
    )
    .map(([axes, fromEnd]) => axes.map((axis) => (fromEnd ? axis - rank : axis)))

const axisOf = (rank: number) => fc.integer({ min: -rank, max: rank - 1 })
const flag = fc.integer({ min: 0, max: 1 })

const list = (entries: fc.Arbitrary<number>, length: number) =>
  fc.array(entries, { minLength: length, maxLength: length })

/** Dims that broadcast to the given ones: some are 1, leading ones may be missing. */
const broadcasting = (dims: readonly number[]) =>
  fc
    .tuple(list(flag, dims.length), fc.integer({ min: 0, max: dims.length }))
    .map(([keep, from]) => dims.map((dim, axis) => (keep[axis] ? dim : 1)).slice(from))

const samples: Record<string, fc.Arbitrary<Sample>> = {
  Slice: shapes().chain((dims) =>
    axesOf(dims.length).chain((axes) => {
      const bounds = fc.oneof(fc.integer({ min: -6, max: 6 }), fc.constantFrom(2 ** 53, -(2 ** 53)))
      return fc
        .tuple(
          floatsOf(dims),
          list(bounds, axes.length),
          list(bounds, axes.length),
          list(fc.constantFrom(-3, -2, -1, 1, 2, 3), axes.length),
        )
        .map(([data, starts, ends, steps]) => ({
          spec: { op: 'Slice' },
          inputs: [data, int64Of(starts), int64Of(ends), int64Of(axes), int64Of(steps)],
        }))
    }),
  ),
  Transpose: shapes().chain((dims) =>
    fc
      .tuple(floatsOf(dims), fc.shuffledSubarray([...dims.keys()], { minLength: dims.length }))
      .map(([data, perm]) => ({
        spec: { op: 'Transpose', attributes: { perm: ints(perm) } },
        inputs: [data],
      })),
  ),
  Pad: shapes(1, 3).chain((dims) =>
    fc.constantFrom('constant', 'edge', 'reflect', 'wrap').chain((mode) => {
      const least = mode === 'constant' ? -1 : 0
      const pads = dims.map((dim) => fc.integer({ min: least, max: mode === 'reflect' ? dim - 1 : dim }))
      return fc
        .tuple(floatsOf(dims), fc.tuple(...pads), fc.tuple(...pads), values)
        .filter(([, begin, end]) => dims.every((dim, i) => dim + begin[i] + end[i] > 0))
        .map(([data, begin, end, value]) => ({
          spec: { op: 'Pad', attributes: { mode: text(mode) } },
          inputs: [data, int64Of([...begin, ...end]), tensorOf([], [value])],
        }))
    }),
  ),
  Tile: shapes().chain((dims) =>
    fc
      .tuple(floatsOf(dims), list(fc.integer({ min: 0, max: 3 }), dims.length))
      .map(([data, repeats]) => ({ spec: { op: 'Tile' }, inputs: [data, int64Of(repeats)] })),
  ),
  Expand: shapes().chain((dims) =>
    broadcasting(dims).chain((from) =>
      floatsOf(from).map((data) => ({ spec: { op: 'Expand' }, inputs: [data, int64Of(dims)] })),
    ),
  ),
  Concat: shapes().chain((dims) =>
    fc
      .tuple(axisOf(dims.length), list(fc.integer({ min: 0, max: 3 }), 3))
      .chain(([axis, lengths]) =>
        fc
          .tuple(...lengths.map((length) => floatsOf(dims.with(axis, length))))
          .map((inputs) => ({ spec: { op: 'Concat', attributes: { axis: int(axis) } }, inputs })),
      ),
  ),
  Split: shapes().chain((dims) =>
    fc.tuple(axisOf(dims.length), list(fc.integer({ min: 0, max: 3 }), 3)).chain(([axis, lengths]) =>
      floatsOf(
        dims.with(
          axis,
          lengths.reduce((sum, length) => sum + length, 0),
        ),
      ).map((data) => ({
        spec: { op: 'Split', outputs: 3, attributes: { axis: int(axis) } },
        inputs: [data, int64Of(lengths)],
      })),
    ),
  ),
  Gather: shapes().chain((dims) =>
    fc.tuple(axisOf(dims.length), shapes(0, 2)).chain(([axis, indices]) => {
      const dim = dims.at(axis)!
      return fc
        .tuple(floatsOf(dims), integersIn(indices, -dim, dim - 1))
        .map((inputs) => ({ spec: { op: 'Gather', attributes: { axis: int(axis) } }, inputs }))
    }),
  ),
  GatherElements: shapes().chain((dims) =>
    fc.tuple(axisOf(dims.length), fc.integer({ min: 1, max: 5 })).chain(([axis, length]) => {
      const dim = dims.at(axis)!
      return fc
        .tuple(floatsOf(dims), integersIn(dims.with(axis, length), -dim, dim - 1))
        .map((inputs) => ({ spec: { op: 'GatherElements', attributes: { axis: int(axis) } }, inputs }))
    }),
  ),
  GatherND: shapes(2, 4).chain((dims) =>
    fc.tuple(flag, fc.integer({ min: 1, max: 3 })).chain(([batch, count]) => {
      const least = Math.min(...dims)
      return fc
        .tuple(floatsOf(dims), integersIn([...dims.slice(0, batch), count, 1], -least, least - 1))
        .map((inputs) => ({ spec: { op: 'GatherND', attributes: { batch_dims: int(batch) } }, inputs }))
    }),
  ),
  ScatterElements: shapes().chain((dims) =>
    fc
      .tuple(axisOf(dims.length), fc.constantFrom('none', 'add', 'mul', 'max', 'min'))
      .chain(([axis, reduction]) => {
        const dim = dims.at(axis)!
        const along = dims.with(axis, 1)
        return fc.tuple(floatsOf(dims), integersIn(along, -dim, dim - 1), floatsOf(along)).map((inputs) => ({
          spec: { op: 'ScatterElements', attributes: { axis: int(axis), reduction: text(reduction) } },
          inputs,
        }))
      }),
  ),
  ScatterND: shapes(2, 3).chain((dims) =>
    fc.constantFrom('none', 'add', 'max').chain((reduction) =>
      fc
        .tuple(floatsOf(dims), integersIn([1, 1], -dims[0], dims[0] - 1), floatsOf([1, ...dims.slice(1)]))
        .map((inputs) => ({
          spec: { op: 'ScatterND', attributes: { reduction: text(reduction) } },
          inputs,
        })),
    ),
  ),
  Where: shapes().chain((dims) =>
    fc
      .tuple(broadcasting(dims), broadcasting(dims))
      .chain(([a, b]) =>
        fc
          .tuple(boolsOf(dims), floatsOf(a), floatsOf(b))
          .map((inputs) => ({ spec: { op: 'Where' }, inputs })),
      ),
  ),
  Trilu: shapes(2, 3).chain((dims) =>
    fc.tuple(floatsOf(dims), fc.integer({ min: -5, max: 5 }), flag).map(([data, k, upper]) => ({
      spec: { op: 'Trilu', attributes: { upper: int(upper) } },
      inputs: [data, int64Of(k)],
    })),
  ),
  CumSum: shapes().chain((dims) =>
    fc.tuple(floatsOf(dims), axisOf(dims.length), flag, flag).map(([data, axis, exclusive, reverse]) => ({
      spec: { op: 'CumSum', attributes: { exclusive: int(exclusive), reverse: int(reverse) } },
      inputs: [data, int64Of(axis)],
    })),
  ),
  OneHot: shapes(1, 3).chain((dims) =>
    fc
      .tuple(integersIn(dims, -4, 4), axisOf(dims.length + 1), values, values)
      .map(([indices, axis, off, on]) => ({
        spec: { op: 'OneHot', attributes: { axis: int(axis) } },
        inputs: [indices, int64Of(4), tensorOf([2], [off, on])],
      })),
  ),
  NonZero: shapes().chain((dims) =>
    boolsOf(dims).map((data) => ({ spec: { op: 'NonZero' }, inputs: [data] })),
  ),
  Compress: shapes().chain((dims) =>
    axisOf(dims.length).chain((axis) =>
      fc
        .tuple(floatsOf(dims), boolsOf([dims.at(axis)!]))
        .map((inputs) => ({ spec: { op: 'Compress', attributes: { axis: int(axis) } }, inputs })),
    ),
  ),
  DepthToSpace: fc
    .tuple(shapes(2, 2), fc.constantFrom('DCR', 'CRD'), fc.integer({ min: 1, max: 3 }))
    .chain(([[height, width], mode, block]) =>
      floatsOf([1, 2 * block * block, height, width]).map((data) => ({
        spec: { op: 'DepthToSpace', attributes: { blocksize: int(block), mode: text(mode) } },
        inputs: [data],
      })),
    ),
  SpaceToDepth: fc.tuple(shapes(2, 2), fc.integer({ min: 1, max: 3 })).chain(([[height, width], block]) =>
    floatsOf([2, 2, height * block, width * block]).map((data) => ({
      spec: { op: 'SpaceToDepth', attributes: { blocksize: int(block) } },
      inputs: [data],
    })),
  ),
  Range: fc.tuple(values, values, fc.constantFrom(-3, -1, 1, 2)).map((entries) => ({
    spec: { op: 'Range' },
    inputs: entries.map((entry) => int64Of(entry)),
  })),
}

for (const op of ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSumExp', 'SumSquare']) {
  samples[`Reduce${op}`] = shapes(1, 3).chain((dims) =>
    fc.tuple(floatsOf(dims), axesOf(dims.length), flag).map(([data, axes, keepdims]) => ({
      spec: { op: `Reduce${op}`, attributes: { keepdims: int(keepdims) } },
      inputs: [data, int64Of(axes)],
    })),
  )
}

for (const op of ['ArgMax', 'ArgMin']) {
  samples[op] = shapes(1, 3).chain((dims) =>
    fc.tuple(floatsOf(dims), axisOf(dims.length), flag, flag).map(([data, axis, keepdims, last]) => ({
      spec: { op, attributes: { axis: int(axis), keepdims: int(keepdims), select_last_index: int(last) } },
      inputs: [data],
    })),
  )
}

for (const op of ['Equal', 'Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual']) {
  samples[op] = shapes().chain((dims) =>
    broadcasting(dims).chain((other) =>
      fc.tuple(floatsOf(dims), floatsOf(other)).map((inputs) => ({ spec: { op }, inputs })),
    ),
  )
}

for (const [to, type] of [
  [3, 'int8'],
  [6, 'int32'],
  [9, 'bool'],
  [11, 'float64'],
] as const) {
  samples[`Cast to ${type}`] = fc
    .array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 8 })
    .map((data) => ({
      spec: { op: 'Cast', attributes: { to: int(to) } },
      inputs: [int64Of(data)],
    }))
}

describe('structural operators against onnxruntime', () => {
  it.each(Object.entries(samples))('%s', async (_, sample) => {
    await fc.assert(
      fc.asyncProperty(sample, async ({ spec, inputs }) => {
        const folded = run(spec, inputs)
        const computed = await runInRuntime(spec, inputs)
        expect(folded).not.toBeNull()
        for (const [i, expected] of computed.entries()) {
          expect(folded![i].type).toBe(expected.type)
          expect(folded![i].dims).toEqual(expected.dims)
          expected.data.forEach((x, n) => {
            expect(Math.abs(folded![i].data[n] - x)).toBeLessThanOrEqual(1e-5 * (0.1 + Math.abs(x)))
          })
        }
      }),
      { numRuns: 60, seed: 3 },
    )
  })
})
