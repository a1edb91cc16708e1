import { describe, expect, it } from 'vitest'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { bestOf, boundModel } from '../../helpers/bounds.ts'
import { int64s, type ModelSpec, modelFile, node, subgraph } from '../../helpers/onnx-builder.ts'

function inferredOf(spec: ModelSpec) {
  const typed = inferModel(readModel(modelFile(spec)))
  return typed.graph.outputs.map((output) => {
    const { type, shape } = typed.operand(output)
    return [type, shape]
  })
}

const inputs = { x: [6, 4] } as const
const one = { first: int64s(1), two: int64s(2), last: int64s(-1), uneven: int64s([1, 5]) }

describe('sequences', () => {
  it('know of their elements what holds of each', () => {
    const nodes = [
      node('SplitToSequence', ['x', 'two'], ['pairs']),
      node('SequenceAt', ['pairs', 'last'], ['pair']),
      node('SplitToSequence', ['x', 'uneven'], ['parts'], { axis: 0 }),
      node('SequenceAt', ['parts', 'first'], ['part']),
      node('SplitToSequence', ['x'], ['columns'], { axis: 1, keepdims: 0 }),
      node('SequenceAt', ['columns', 'first'], ['column']),
      node('ConcatFromSequence', ['columns'], ['stacked'], { axis: 0, new_axis: 1 }),
      node('SequenceConstruct', ['pair', 'x'], ['both']),
      node('SequenceAt', ['both', 'first'], ['either']),
      node('ConcatFromSequence', ['both'], ['joined'], { axis: 0 }),
      node('SequenceLength', ['both'], ['length']),
    ]
    const outputs = ['pair', 'part', 'column', 'stacked', 'either', 'joined', 'length']
    expect(inferredOf({ inputs, outputs, initializers: one, nodes })).toEqual([
      ['float32', [2, 4]],
      ['float32', [null, 4]],
      ['float32', [6]],
      ['float32', [null, 6]],
      ['float32', [null, 4]],
      ['float32', [null, 4]],
      ['int64', []],
    ])
  })

  it('are mapped by a body over their elements', () => {
    const body = subgraph({
      inputs: ['element'],
      outputs: ['flat'],
      nodes: [node('Flatten', ['element'], ['flat'], { axis: 0 })],
    })
    const nodes = [
      node('SplitToSequence', ['x', 'two'], ['pairs']),
      node('SequenceMap', ['pairs'], ['flats'], { body }),
      node('SequenceAt', ['flats', 'first'], ['y']),
    ]
    expect(inferredOf({ inputs, outputs: ['y'], initializers: one, nodes })).toEqual([['float32', [1, 8]]])
  })

  it('carry the bound of all their elements together', async () => {
    const taken = [
      node('SplitToSequence', ['x', 'two'], ['pairs']),
      node('SequenceErase', ['pairs', 'first'], ['rest']),
      node('ConcatFromSequence', ['rest'], ['y'], { axis: 0 }),
    ]
    expect(bestOf(await boundModel({ inputs, outputs: ['y'], initializers: one, nodes: taken }))).toBe(1)
    const twice = [
      node('SequenceConstruct', ['x', 'x'], ['both']),
      node('SequenceInsert', ['both', 'x'], ['all']),
      node('ConcatFromSequence', ['all'], ['y'], { axis: 0 }),
    ]
    expect(bestOf(await boundModel({ inputs, outputs: ['y'], initializers: one, nodes: twice }))).toBeCloseTo(
      Math.sqrt(3),
      6,
    )
  })

  it('are read at positions that do not depend on data, or not at all', async () => {
    const nodes = [
      node('SplitToSequence', ['x', 'two'], ['pairs']),
      node('ReduceMax', ['x'], ['most'], { keepdims: 0 }),
      node('Cast', ['most'], ['at'], { to: 7 }),
      node('SequenceAt', ['pairs', 'at'], ['y']),
    ]
    expect(bestOf(await boundModel({ inputs, outputs: ['y'], initializers: one, nodes }))).toBe(
      Number.POSITIVE_INFINITY,
    )
  })
})
