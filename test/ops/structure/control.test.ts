import { describe, expect, it } from 'vitest'
import type { Shape } from '../../../src/core/tensor.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import {
  int64s,
  ints,
  type ModelSpec,
  modelFile,
  node,
  subgraph,
  tensor,
} from '../../helpers/onnx-builder.ts'

/** Inferred shapes of a model's outputs. */
function shapesOf(spec: ModelSpec): (Shape | null)[] {
  const typed = inferModel(readModel(modelFile(spec)))
  return typed.graph.outputs.map((output) => typed.operand(output).shape)
}

/** A body without inputs that flattens the outer `x` from the given axis on. */
const flattening = (axis: number) =>
  subgraph({ name: `flatten${axis}`, outputs: ['flat'], nodes: [node('Flatten', ['x'], ['flat'], { axis })] })

const flag = (value: number) => tensor([], [value], 'bool')

describe('If', () => {
  const branches = { then_branch: flattening(1), else_branch: flattening(2) }

  it('takes the branch of a constant condition', () => {
    for (const [value, shape] of [
      [1, [2, 12]],
      [0, [6, 4]],
    ] as const) {
      const nodes = [node('If', ['c'], ['y'], branches)]
      expect(
        shapesOf({ inputs: { x: [2, 3, 4] }, outputs: ['y'], nodes, initializers: { c: flag(value) } }),
      ).toEqual([shape])
    }
  })

  it('knows behind an open condition what both branches agree on', () => {
    const inputs = { x: [2, 3, 4], c: { type: 'bool', shape: [] } } as const
    const nodes = [node('If', ['c'], ['y'], branches)]
    expect(shapesOf({ inputs, outputs: ['y'], nodes })).toEqual([[null, null]])
    const same = { then_branch: flattening(1), else_branch: flattening(1) }
    expect(shapesOf({ inputs, outputs: ['y'], nodes: [node('If', ['c'], ['y'], same)] })).toEqual([[2, 12]])
  })
})

describe('Loop', () => {
  const body = (inner: string, attributes: Record<string, number> = {}) =>
    subgraph({
      inputs: ['i', 'goes', 'state'],
      outputs: ['went', 'next', 'scanned'],
      nodes: [
        node('Identity', ['goes'], ['went']),
        inner === 'Concat'
          ? node(inner, ['state', 'x'], ['next'], attributes)
          : node(inner, ['state'], ['next']),
        node('Identity', ['next'], ['scanned']),
      ],
    })
  const loop = (inner: string, attributes?: Record<string, number>) =>
    shapesOf({
      inputs: { x: [2, 3] },
      outputs: ['last', 'all'],
      initializers: { trips: int64s(4), go: flag(1) },
      nodes: [node('Loop', ['trips', 'go', 'x'], ['last', 'all'], { body: body(inner, attributes) })],
    })

  it('keeps the shapes of what every step keeps', () => {
    expect(loop('Relu')).toEqual([
      [2, 3],
      [null, 2, 3],
    ])
  })

  it('forgets the dimensions that grow', () => {
    expect(loop('Concat', { axis: 0 })).toEqual([
      [null, 3],
      [null, null, 3],
    ])
  })

  it('forgets a rank that changes', () => {
    const adding = subgraph({
      inputs: ['i', 'goes', 'state'],
      outputs: ['went', 'next'],
      nodes: [node('Identity', ['goes'], ['went']), node('Unsqueeze', ['state', 'axes'], ['next'])],
    })
    const nodes = [node('Loop', ['trips', 'go', 'x'], ['last'], { body: adding })]
    const initializers = { trips: int64s(4), go: flag(1), axes: int64s([0]) }
    expect(shapesOf({ inputs: { x: [2, 3] }, outputs: ['last'], initializers, nodes })).toEqual([null])
  })
})

describe('Scan', () => {
  const body = subgraph({
    inputs: ['sum', 'row'],
    outputs: ['next', 'scaled'],
    nodes: [node('Add', ['sum', 'row'], ['next']), node('Concat', ['row', 'row'], ['scaled'], { axis: 0 })],
  })

  it('cuts its inputs and stacks its outputs along the axes that it names', () => {
    const attributes = { body, num_scan_inputs: 1, scan_input_axes: ints([1]), scan_output_axes: ints([-1]) }
    const nodes = [node('Scan', ['start', 'x'], ['total', 'all'], attributes)]
    expect(shapesOf({ inputs: { start: [5], x: [5, 7] }, outputs: ['total', 'all'], nodes })).toEqual([
      [5],
      [10, 7],
    ])
  })

  it('runs per batch element in version 8', () => {
    const nodes = [node('Scan', ['', 'start', 'x'], ['total', 'all'], { body, num_scan_inputs: 1 })]
    const spec = {
      inputs: { start: [2, 5], x: [2, 7, 5] },
      outputs: ['total', 'all'],
      nodes,
      opset: 8,
      irVersion: 3,
    }
    expect(shapesOf(spec)).toEqual([
      [2, 5],
      [2, 7, 10],
    ])
  })
})
