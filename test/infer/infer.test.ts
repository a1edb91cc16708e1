import { describe, expect, it } from 'vitest'
import type { Dim } from '../../src/core/tensor.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import type { TypedGraph } from '../../src/infer/typed-graph.ts'
import { operatorTable } from '../../src/ops/registry.ts'
import { errorOf } from '../helpers/error.ts'
import { int64s, type ModelSpec, modelFile, node, subgraph, tensor } from '../helpers/onnx-builder.ts'

function infer(spec: ModelSpec, given: Record<string, Dim[]> = {}): TypedGraph {
  return inferModel(readModel(modelFile(spec)), { inputShapes: new Map(Object.entries(given)) })
}

const output = (typed: TypedGraph, index = 0) => typed.operand(typed.graph.outputs[index])
const refusal = (spec: ModelSpec) => errorOf(() => infer(spec))

describe('what the file declares of computed values', () => {
  const relu: ModelSpec = {
    inputs: { x: [1, 3] },
    nodes: [node('Relu', ['x'], ['h']), node('Neg', ['h'], ['y'])],
  }

  it('is held against what is computed', () => {
    expect(output(infer({ ...relu, outputs: { y: [1, 3] } })).shape).toEqual([1, 3])
    expect(refusal({ ...relu, outputs: { y: [1, 4] } })).toMatchObject({
      code: 'shape',
      tensor: 'y',
      node: 'y',
    })
    expect(refusal({ ...relu, outputs: { y: [3] } }).code).toBe('shape')
    expect(refusal({ ...relu, outputs: ['y'], valueInfo: { h: [2, 3] } })).toMatchObject({
      code: 'shape',
      tensor: 'h',
    })
    expect(refusal({ ...relu, outputs: { y: { type: 'float64', shape: [1, 3] } } }).code).toBe('malformed')
  })

  it('claims nothing by symbols, and is never believed', () => {
    expect(output(infer({ ...relu, outputs: { y: ['n', 'm'] } })).shape).toEqual([1, 3])
    const unknown: ModelSpec = {
      inputs: { x: [1, 3] },
      outputs: { y: [1, 3] },
      nodes: [node('Mystery', ['x'], ['y'])],
    }
    expect(output(infer(unknown))).toMatchObject({ type: null, shape: null, isConstant: false })
  })

  it('must fit initializers', () => {
    const spec: ModelSpec = {
      inputs: { x: [2], w: [3] },
      outputs: ['y'],
      nodes: [node('Add', ['x', 'w'], ['y'])],
      initializers: { w: [1, 2] },
    }
    expect(refusal(spec)).toMatchObject({ code: 'shape', tensor: 'w' })
  })

  it('contradicts the batch that was chosen with a hint what to do', () => {
    const spec: ModelSpec = { ...relu, inputs: { x: ['n', 3] }, outputs: { y: [32, 3] } }
    expect(refusal(spec).hint).toContain('--input-shape')
    expect(output(infer(spec, { x: [32, 3] })).shape).toEqual([32, 3])
  })
})

describe('operators that are not known', () => {
  it('leave their outputs unknown, with a note, and what follows too', () => {
    const nodes = [
      node('Mystery', ['x'], ['h'], {}, { domain: 'of.mine', name: 'm' }),
      node('Relu', ['h'], ['y']),
    ]
    const typed = infer({ inputs: { x: [2] }, outputs: ['y'], nodes })
    expect(typed.notes).toEqual([
      {
        rule: 'unknown-operator',
        message: expect.stringContaining('Mystery of of.mine version 1'),
        node: 'm',
      },
    ])
    expect(typed.typed(typed.graph.nodes[0]).operator).toBeNull()
    expect(output(typed).shape).toBeNull()
  })

  it('include those that the version does not have', () => {
    const removed = operatorTable().find((operator) => operator.until !== undefined)!
    const nodes = [node(removed.op, ['x'], ['y'])]
    const typed = infer({ inputs: { x: [2] }, outputs: ['y'], nodes, opset: removed.until })
    expect(typed.notes.map((note) => note.rule)).toEqual(['unknown-operator'])
  })

  it('keep their shapes in versions that are too new, but no bound', () => {
    const typed = infer({
      inputs: { x: [2] },
      outputs: ['y'],
      nodes: [node('Relu', ['x'], ['y'])],
      opset: 99,
    })
    expect(typed.typed(typed.graph.nodes[0]).operator).toMatchObject({ op: 'Relu', bound: undefined })
    expect(output(typed).shape).toEqual([2])
  })
})

describe('constantness', () => {
  const sizes = (inputs: ModelSpec['inputs'], before: ModelSpec['nodes'] = []) =>
    infer({
      ...{ inputs, outputs: ['s', 'r'] },
      initializers: { tail: int64s([-1]) },
      nodes: [
        ...before,
        node('Shape', ['x'], ['s'], { start: 0, end: 1 }),
        node('Concat', ['s', 'tail'], ['to'], { axis: 0 }),
        node('Reshape', ['x', 'to'], ['r']),
      ],
    })

  it('holds for shapes of data', () => {
    const typed = sizes({ x: [2, 3, 4] })
    expect(output(typed).isConstant).toBe(true)
    expect([...output(typed).constant()!.data]).toEqual([2])
    expect(output(typed, 1)).toMatchObject({ shape: [2, 12], isConstant: false })
  })

  it('holds for shapes that are not known, whose entries then are NaN', () => {
    const typed = sizes({ x: [1, 3], z: ['n', 'm'] }, [node('Transpose', ['z'], ['t'])])
    expect(output(typed, 1).shape).toEqual([1, 3])
    const open = infer({ inputs: { x: [1, 'm'] }, outputs: ['s'], nodes: [node('Shape', ['x'], ['s'])] })
    expect(output(open).isConstant).toBe(true)
    expect([...output(open).constant()!.data]).toEqual([1, Number.NaN])
  })

  it('does not hold for shapes that are data', () => {
    const typed = infer({
      ...{ inputs: { x: [4] }, outputs: ['s'] },
      nodes: [node('NonZero', ['x'], ['i']), node('Transpose', ['i'], ['t']), node('Shape', ['t'], ['s'])],
    })
    expect(output(typed)).toMatchObject({ type: 'int64', shape: [2], isConstant: false })
    expect(output(typed).constant()).toBeNull()
  })

  it('does not hold for shapes that follow from elements of data', () => {
    const nodes = [node('Expand', ['x', 'to'], ['e']), node('Shape', ['e'], ['s'])]
    const inputs: ModelSpec['inputs'] = { x: [1, 4], to: { type: 'int64', shape: [2] } }
    expect(output(infer({ inputs, outputs: ['s'], nodes })).isConstant).toBe(false)
  })

  it('does not hold for random numbers', () => {
    const typed = infer({ outputs: ['y'], nodes: [node('RandomNormal', [], ['y'], { shape: [2] })] })
    expect(output(typed)).toMatchObject({ shape: [2], isConstant: false })
  })
})

describe('bodies', () => {
  const condition = tensor([], [1], 'bool')

  it('see the infos of outer values', () => {
    const body = (op: string) => subgraph({ outputs: [`${op}y`], nodes: [node(op, ['x'], [`${op}y`])] })
    const typed = infer({
      ...{ inputs: { x: [2, 3], c: { type: 'bool', shape: [] } }, outputs: ['y'] },
      nodes: [node('If', ['c'], ['y'], { then_branch: body('Relu'), else_branch: body('Neg') })],
    })
    expect(output(typed)).toMatchObject({ type: 'float32', shape: [2, 3], isConstant: false })
  })

  it('that are never run need not fit', () => {
    const taken = subgraph({ outputs: ['a'], nodes: [node('Relu', ['x'], ['a'])] })
    const idle = subgraph({ outputs: ['b'], nodes: [node('Squeeze', ['x', 'axes'], ['b'])] })
    const typed = infer({
      ...{ inputs: { x: [2, 3] }, outputs: ['y'], initializers: { c: condition, axes: int64s([0]) } },
      nodes: [node('If', ['c'], ['y'], { then_branch: taken, else_branch: idle })],
    })
    expect(output(typed).shape).toEqual([2, 3])
  })

  it('that always run hand their constants on, nested and to the nodes behind', () => {
    const inner = subgraph({
      outputs: ['i'],
      initializers: { k: int64s([2, 6]) },
      nodes: [node('Neg', ['k'], ['i'])],
    })
    const idle = subgraph({ outputs: ['z'], nodes: [node('Identity', ['x'], ['z'])] })
    const outer = subgraph({
      outputs: ['o'],
      nodes: [node('If', ['c'], ['n'], { then_branch: inner, else_branch: idle }), node('Abs', ['n'], ['o'])],
    })
    const typed = infer({
      ...{ inputs: { x: [3, 4] }, outputs: ['y', 's'], initializers: { c: condition } },
      nodes: [
        node('If', ['c'], ['s'], {
          then_branch: outer,
          else_branch: subgraph({ outputs: ['w'], nodes: [node('Shape', ['x'], ['w'])] }),
        }),
        node('Reshape', ['x', 's'], ['y']),
      ],
    })
    expect(output(typed).shape).toEqual([2, 6])
    expect([...output(typed, 1).constant()!.data]).toEqual([2, 6])
  })

  it('of loops forget what an earlier pass took for constant', () => {
    // h grows by concatenation, so that its length is not known; a pass that knows it must leave no trace.
    const body = subgraph({
      inputs: ['i', 'c', 'h'],
      outputs: ['c2', 'h2', 'size'],
      nodes: [
        node('Identity', ['c'], ['c2']),
        node('Concat', ['h', 'x'], ['h2'], { axis: 0 }),
        node('Shape', ['h'], ['size']),
        node('ConstantOfShape', ['size'], ['filled']),
      ],
    })
    const typed = infer({
      ...{ inputs: { x: [2] }, outputs: ['y', 'sizes'], initializers: { n: int64s(3), c: condition } },
      nodes: [node('Loop', ['n', 'c', 'x'], ['y', 'sizes'], { body })],
    })
    expect(output(typed).shape).toEqual([null])
    const loop = typed.graph.nodes[0].attributes.get('body')
    if (loop?.kind !== 'graph') throw new Error('no body')
    const filled = loop.value.nodes[3].outputs[0]!
    expect(typed.operand(filled).shape).toEqual([null])
  })
})

describe('scale', () => {
  it('takes a chain of 100,000 nodes, constants included', () => {
    const length = 50_000
    const nodes = [
      ...Array.from({ length }, (_, i) => node('Neg', [`c${i}`], [`c${i + 1}`])),
      ...Array.from({ length }, (_, i) => node('Relu', [`v${i}`], [`v${i + 1}`])),
    ]
    const typed = infer({
      inputs: { v0: [3] },
      outputs: [`v${length}`, `c${length}`],
      initializers: { c0: [1, 2] },
      nodes,
    })
    expect(output(typed).shape).toEqual([3])
    expect([...output(typed, 1).constant()!.data]).toEqual([1, 2])
  })

  it('takes a diamond of 2^40 paths', () => {
    const nodes = Array.from({ length: 40 }, (_, i) => node('Add', [`v${i}`, `v${i}`], [`v${i + 1}`]))
    const typed = infer({ outputs: ['v40'], initializers: { v0: [1] }, nodes })
    expect([...output(typed).constant()!.data]).toEqual([2 ** 40])
  })
})
