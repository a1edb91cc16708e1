import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Dim, Shape } from '../../../src/core/tensor.ts'
import { broadcastShapes, broadcastTo, mergeShapes, unifyShapes } from '../../../src/ops/shape/broadcast.ts'
import { int, Refused, shapeOf, tensorOf, valuesOf } from '../../helpers/operator-bench.ts'

const context = {
  fail(message: string): never {
    throw new Refused(message)
  },
}

/** Shapes that broadcast together: each axis is 1 or that of a common target, leading axes may be missing. */
const compatible = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).chain((target) => {
  const side = fc
    .tuple(
      fc.array(fc.boolean(), { minLength: target.length, maxLength: target.length }),
      fc.nat(target.length),
    )
    .map(([ones, from]) => target.map((dim, axis) => (ones[axis] ? 1 : dim)).slice(from))
  return fc.tuple(side, side, side)
})

const forget = (shape: Shape, holes: readonly boolean[]): Shape =>
  shape.map((dim, axis) => (holes[axis % holes.length] ? null : dim))

describe('broadcasting', () => {
  it('does not care for order or grouping, and knows its neutral and its idempotent elements', () => {
    fc.assert(
      fc.property(compatible, ([a, b, c]) => {
        const all = broadcastShapes(context, [a, b, c])!
        expect(broadcastShapes(context, [c, b, a])).toEqual(all)
        expect(broadcastShapes(context, [broadcastShapes(context, [a, b]), c])).toEqual(all)
        expect(broadcastShapes(context, [a, []])).toEqual(a)
        expect(broadcastShapes(context, [all, a])).toEqual(all)
        expect(broadcastTo(context, a, all)).toEqual(all)
      }),
    )
  })

  it('says of partly known shapes only what holds of every completion', () => {
    const holes = fc.array(fc.boolean(), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(compatible, holes, holes, ([a, b], first, second) => {
        const full = broadcastShapes(context, [a, b])!
        const partial = broadcastShapes(context, [forget(a, first), forget(b, second)])!
        expect(partial.length).toBe(full.length)
        partial.forEach((dim: Dim, axis: number) => {
          if (dim !== null) expect(dim).toBe(full[axis])
        })
      }),
    )
  })

  it('refuses sides that differ and are not 1', () => {
    expect(() => broadcastShapes(context, [[2, 3], [4]])).toThrow(Refused)
    expect(() => broadcastTo(context, [2, 3], [1, 3])).toThrow(Refused)
    expect(() => broadcastTo(context, [1, 2, 3], [2, 3])).toThrow(Refused)
    expect(broadcastShapes(context, [[2, 3], null])).toBeNull()
  })
})

describe('shapes that must agree, and shapes of which either holds', () => {
  it('are joined and weakened', () => {
    expect(unifyShapes(context, [2, null, 4], [null, 3, 4])).toEqual([2, 3, 4])
    expect(unifyShapes(context, null, [1])).toEqual([1])
    expect(() => unifyShapes(context, [2], [3])).toThrow(Refused)
    expect(() => unifyShapes(context, [2], [2, 1])).toThrow(Refused)
    expect(mergeShapes([2, 3, null], [2, 4, 5])).toEqual([2, null, null])
    expect(mergeShapes([2], [2, 3])).toBeNull()
  })
})

describe('broadcasting before opset 7', () => {
  const wide = tensorOf(
    [2, 3, 4],
    Array.from({ length: 24 }, (_, i) => i),
  )

  it('lines the second operand up with the axis that the node names', () => {
    const middle = tensorOf([3], [1, 8, 21])
    const spec = { op: 'Less', version: 1, attributes: { broadcast: int(1), axis: int(1) } }
    expect(shapeOf(spec, [wide, middle])).toEqual([2, 3, 4])
    const expected = Array.from(wide.data, (x, i) => (x < middle.data[Math.floor(i / 4) % 3] ? 1 : 0))
    expect(valuesOf(spec, [wide, middle])).toEqual(expected)
  })

  it('lines it up with the end when no axis is named', () => {
    const last = tensorOf([4], [0, 5, 10, 15])
    const spec = { op: 'Equal', version: 6, attributes: { broadcast: int(1) } }
    expect(valuesOf(spec, [wide, last])).toEqual(
      Array.from(wide.data, (x, i) => (x === last.data[i % 4] ? 1 : 0)),
    )
  })

  it('refuses an axis from which the second operand does not fit', () => {
    const spec = { op: 'Less', version: 1, attributes: { broadcast: int(1), axis: int(2) } }
    expect(() => shapeOf(spec, [wide, tensorOf([3, 4], new Float32Array(12))])).toThrow(Refused)
  })
})
