import { describe, expect, it } from 'vitest'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { modelFile, node } from '../../helpers/onnx-builder.ts'
import { int, int64Of, run, tensorOf, text, valuesOf } from '../../helpers/operator-bench.ts'

const cast = (to: number, version = 19) => ({ op: 'Cast', version, attributes: { to: int(to) } })

describe('Cast', () => {
  it('drops the fraction, and gives up on floats that no integer of the type stands for', () => {
    expect(valuesOf(cast(3), [tensorOf([5], [-1.9, 1.9, 127.9, 128, -129])])).toEqual([
      -1,
      1,
      127,
      Number.NaN,
      Number.NaN,
    ])
    expect(valuesOf(cast(2), [tensorOf([3], [-0.5, 255.5, Number.POSITIVE_INFINITY])])).toEqual([
      0,
      255,
      Number.NaN,
    ])
  })

  it('wraps integers as machine arithmetic does', () => {
    expect(valuesOf(cast(3), [int64Of([300, -129, 128])])).toEqual([44, 127, -128])
  })

  it('keeps unknown entries unknown, whatever they become', () => {
    for (const to of [1, 6, 7, 9, 10, 11, 16])
      expect(valuesOf(cast(to), [int64Of([Number.NaN])])).toEqual([Number.NaN])
  })

  it('widens floats exactly and shares what stays as it is', () => {
    const half = tensorOf([2], [0.5, 65504], 'float16')
    expect(valuesOf(cast(1), [half])).toEqual([0.5, 65504])
    expect(run(cast(10), [half])![0].data).toBe(half.data)
  })

  it('leaves open what depends on rounding modes that are not modelled', () => {
    const x = tensorOf([1], [1000])
    expect(run({ ...cast(17), attributes: { to: int(17), saturate: int(0) } }, [x])).toBeNull()
    expect(valuesOf(cast(17), [x])).toEqual([448])
    expect(run(cast(24, 24), [x])).toBeNull()
  })

  it('reads the names of types that its first version used', () => {
    const spec = { op: 'Cast', version: 1, attributes: { to: text('INT32') } }
    expect(run(spec, [tensorOf([1], [2.5])])).toEqual([tensorOf([1], [2], 'int32')])
  })
})

describe('CastLike', () => {
  it('of a constant is constant, though it is like data', () => {
    const typed = inferModel(
      readModel(
        modelFile({
          inputs: { x: { type: 'float16', shape: [1, 2] } },
          outputs: ['y'],
          initializers: { w: [1, 2] },
          nodes: [node('CastLike', ['w', 'x'], ['like']), node('Mul', ['x', 'like'], ['y'])],
        }),
      ),
    )
    const like = typed.operand(typed.graph.nodes[0].outputs[0]!)
    expect(like.isConstant).toBe(true)
    expect(like.constant()).toEqual(tensorOf([2], [1, 2], 'float16'))
    expect(typed.operand(typed.graph.outputs[0]).isConstant).toBe(false)
  })
})
