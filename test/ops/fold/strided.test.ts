import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stridesOf } from '../../../src/core/tensor.ts'
import { copyStrided, eachRow } from '../../../src/ops/fold/strided.ts'
import { ints, run, tensorOf } from '../../helpers/operator-bench.ts'

const product = (dims: readonly number[]) => dims.reduce((total, dim) => total * dim, 1)

/** Dims up to a few tiles wide, so that tiled and plain copies both occur. */
const dimsWithPermutation = fc
  .array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 30, max: 70 })), {
    minLength: 1,
    maxLength: 4,
  })
  .filter((dims) => product(dims) <= 60_000)
  .chain((dims) =>
    fc.tuple(fc.constant(dims), fc.shuffledSubarray([...dims.keys()], { minLength: dims.length })),
  )

/** The element at an index, one by one: what every copy is held against. */
function elementAt(index: readonly number[], offset: number, strides: readonly number[]): number {
  return offset + index.reduce((sum, i, axis) => sum + i * strides[axis], 0)
}

function* indices(dims: readonly number[]): Generator<number[]> {
  for (let flat = 0; flat < product(dims); flat++) {
    let rest = flat
    const index = dims.map(() => 0)
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = rest % dims[axis]
      rest = Math.floor(rest / dims[axis])
    }
    yield index
  }
}

describe('strided copies', () => {
  it('transpose every element to its place, and back', () => {
    fc.assert(
      fc.property(dimsWithPermutation, ([dims, perm]) => {
        const source = tensorOf(
          dims,
          Array.from({ length: product(dims) }, (_, i) => i),
        )
        const [there] = run({ op: 'Transpose', attributes: { perm: ints(perm) } }, [source])!
        const strides = stridesOf(there.dims)
        let at = 0
        for (const index of indices(dims)) {
          const moved = perm.map((axis) => index[axis])
          if (there.data[elementAt(moved, 0, strides)] !== at++) expect.fail(`wrong at ${index}`)
        }
        const inverse = perm.map((_, axis) => perm.indexOf(axis))
        const [back] = run({ op: 'Transpose', attributes: { perm: ints(inverse) } }, [there])!
        expect(back).toEqual(source)
      }),
      { numRuns: 80, seed: 5 },
    )
  })

  it('read and write where the strides say, whatever they are', () => {
    const layouts = fc.array(
      fc.record({ dim: fc.integer({ min: 0, max: 4 }), from: fc.integer({ min: -6, max: 6 }) }),
      {
        maxLength: 4,
      },
    )
    fc.assert(
      fc.property(layouts, (axes) => {
        const dims = axes.map(({ dim }) => dim)
        const strides = axes.map(({ from }) => from)
        const data = Float64Array.from({ length: 200 }, (_, i) => i)
        const target = new Float64Array(product(dims))
        copyStrided(
          dims,
          { data, offset: 100, strides },
          { data: target, offset: 0, strides: stridesOf(dims) },
        )
        const expected = [...indices(dims)].map((index) => elementAt(index, 100, strides))
        expect(Array.from(target)).toEqual(expected)
      }),
    )
  })
})

describe('rows', () => {
  it('cover every element once, in row-major order', () => {
    const dims = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
    fc.assert(
      fc.property(dims, (shape) => {
        const visited: number[] = []
        eachRow(shape, [{ offset: 0, strides: stridesOf(shape) }], ([start], [step], length) => {
          for (let i = 0; i < length; i++) visited.push(start + i * step)
        })
        expect(visited).toEqual(Array.from({ length: product(shape) }, (_, i) => i))
      }),
    )
  })
})
