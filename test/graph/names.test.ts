import { describe, expect, it } from 'vitest'
import { readModel } from '../../src/graph/read-model.ts'
import { errorOf } from '../helpers/error.ts'
import {
  type GraphSpec,
  type Message,
  type ModelSpec,
  modelFile,
  node,
  subgraph,
  tensor,
} from '../helpers/onnx-builder.ts'

const relu = node('Relu', ['x'], ['y'])
const plain = { inputs: { x: [1] }, outputs: ['y'], nodes: [relu] } as const

function refusal(spec: ModelSpec) {
  return errorOf(() => readModel(modelFile(spec)))
}

describe('names in a graph', () => {
  const collisions: Record<string, ModelSpec> = {
    'two initializers': {
      ...plain,
      more: {
        initializer: [
          { ...tensor([1], [1]), name: 'w' },
          { ...tensor([1], [2]), name: 'w' },
        ],
      },
    },
    'an initializer and a sparse one': {
      ...plain,
      initializers: { w: [1] },
      sparseInitializers: [
        { values: { ...tensor([1], [2]), name: 'w' }, indices: tensor([1], [0], 'int64'), dims: [4] },
      ],
    },
    'a node and an initializer': { ...plain, initializers: { y: [1] } },
    'two nodes': { ...plain, nodes: [relu, node('Abs', ['x'], ['y'])] },
    'one node, twice': { ...plain, nodes: [node('Split', ['x'], ['y', 'y'])] },
    'a node and an input': { ...plain, nodes: [relu, node('Abs', ['y'], ['x'])] },
    'two inputs': { ...plain, more: { input: [{ name: 'x' }, { name: 'x' }] } },
    'two outputs': { ...plain, more: { output: [{ name: 'y' }, { name: 'y' }] } },
  }
  for (const [what, spec] of Object.entries(collisions)) {
    it(`may not be written by ${what}`, () => {
      const error = refusal(spec)
      expect(error.code).toBe('malformed')
      expect(error.message).toMatch(/'[wxy]'/)
      expect(error.model).toBeDefined()
    })
  }

  it('must be written before they are read', () => {
    expect(refusal({ ...plain, nodes: [node('Relu', ['nowhere'], ['y'], {}, { name: 'n' })] })).toMatchObject(
      {
        code: 'malformed',
        message: "'nowhere' is read and nothing writes it",
        node: 'n',
      },
    )
    expect(refusal({ ...plain, outputs: ['z'] })).toMatchObject({ code: 'malformed', tensor: 'z' })
  })

  it('may be those of Object.prototype', () => {
    const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString']
    const nodes = names.map((name, index) => node('Relu', [names[index - 1] ?? 'x'], [name]))
    const { graph } = readModel(modelFile({ inputs: { x: [1] }, outputs: ['toString'], nodes }))
    expect(graph.nodes.map((one) => one.name)).toEqual(names)
    expect(graph.outputs[0].producer).toBe(graph.nodes[3])
  })

  it('stand for omitted inputs and outputs where they are empty', () => {
    const nodes = [node('LSTM', ['x', '', 'x'], ['', 'y'])]
    const [only] = readModel(modelFile({ ...plain, nodes })).graph.nodes
    expect(only.inputs.map((value) => value?.name ?? null)).toEqual(['x', null, 'x'])
    expect(only.outputs.map((value) => value?.name ?? null)).toEqual([null, 'y'])
    expect(only.name).toBe('y')
  })

  it('of a node are its own, else those of its first output', () => {
    const nodes = [node('Relu', ['x'], ['h'], {}, { name: 'first' }), node('Relu', ['h'], ['y'])]
    expect(readModel(modelFile({ ...plain, nodes })).graph.nodes.map((one) => one.name)).toEqual([
      'first',
      'y',
    ])
  })
})

describe('bodies', () => {
  const branch = (spec: GraphSpec) => subgraph({ outputs: ['b'], ...spec })
  const withBranch = (spec: GraphSpec): ModelSpec => ({
    inputs: { c: { type: 'bool', shape: [] }, x: [1] },
    outputs: ['y'],
    nodes: [
      node('Relu', ['x'], ['h']),
      node('If', ['c'], ['y'], { then_branch: branch(spec) }, { name: 'if' }),
    ],
  })

  it('read outer values as the same objects and say so', () => {
    const { graph } = readModel(modelFile(withBranch({ nodes: [node('Neg', ['h'], ['b'])] })))
    const [first, second] = graph.nodes
    const body = second.attributes.get('then_branch')
    if (body?.kind !== 'graph') throw new Error('no body')
    expect(body.value.nodes[0].inputs[0]).toBe(first.outputs[0])
    expect([...second.captures]).toEqual([first.outputs[0]])
    expect(first.captures.size).toBe(0)
  })

  it('tell every node around them what they read', () => {
    const inner = node('If', ['c'], ['b'], {
      then_branch: branch({ outputs: ['d'], nodes: [node('Neg', ['h'], ['d'])] }),
    })
    const { graph } = readModel(modelFile(withBranch({ nodes: [inner] })))
    expect([...graph.nodes[1].captures].map((value) => value.name).sort()).toEqual(['c', 'h'])
  })

  it('may hide outer names by their inputs alone', () => {
    const body = subgraph({
      inputs: ['i', 'c', 'x'],
      outputs: ['c', 'b'],
      nodes: [node('Neg', ['x'], ['b'])],
    })
    const nodes = [node('Loop', ['', 'c', 'x'], ['y'], { body })]
    const { graph } = readModel(modelFile({ ...withBranch({}), nodes }))
    const attribute = graph.nodes[0].attributes.get('body')
    if (attribute?.kind !== 'graph') throw new Error('no body')
    expect(attribute.value.nodes[0].inputs[0]).toBe(attribute.value.inputs[2])
    expect(graph.nodes[0].captures.size).toBe(0)

    expect(refusal(withBranch({ nodes: [node('Neg', ['x'], ['h']), node('Neg', ['h'], ['b'])] })).code).toBe(
      'malformed',
    )
    expect(refusal(withBranch({ initializers: { x: [1] }, nodes: [node('Neg', ['x'], ['b'])] })).code).toBe(
      'malformed',
    )
  })

  it('may not store what they are fed', () => {
    const body = subgraph({
      ...{ inputs: ['i', 'go', 'h'], outputs: ['go', 'b'], initializers: { go: tensor([], [1], 'bool') } },
      nodes: [node('Neg', ['h'], ['b'])],
    })
    const nodes = [node('Loop', ['', 'c', 'x'], ['y'], { body }, { name: 'loop' })]
    expect(refusal({ ...withBranch({}), nodes })).toMatchObject({ code: 'malformed', node: 'loop' })
  })

  it('may not be read from outside', () => {
    const spec = withBranch({ nodes: [node('Neg', ['x'], ['b'])] })
    expect(refusal({ ...spec, nodes: [...(spec.nodes ?? []), node('Neg', ['b'], ['z'])] })).toMatchObject({
      code: 'malformed',
      tensor: 'b',
    })
  })

  it('are limited in depth, also through functions', () => {
    /** An If that holds an If that holds … `innermost`, which writes b0. */
    const nested = (depth: number, innermost: Message): GraphSpec => {
      let spec: GraphSpec = { outputs: ['b0'], nodes: [innermost] }
      for (let level = 1; level <= depth; level++) {
        spec = {
          outputs: [`b${level}`],
          nodes: [node('If', ['c'], [`b${level}`], { then_branch: subgraph(spec) })],
        }
      }
      return spec
    }
    const call = (name: string) => node(name, ['x', 'c'], ['b0'], {}, { domain: 'local' })
    const functionWith = (name: string, innermost: Message) => ({
      ...{ name, domain: 'local', inputs: ['x', 'c'], outputs: ['b20'] },
      nodes: nested(20, innermost).nodes ?? [],
    })
    const functions = [functionWith('F', call('G')), functionWith('G', node('Neg', ['x'], ['b0']))]
    const spec = (depth: number) => ({
      ...{ ...withBranch({}), ...nested(depth, call('F')), functions, opsets: { local: 1 } },
    })
    expect(readModel(modelFile(spec(20))).graph.nodes).toHaveLength(1)
    expect(refusal(spec(25)).code).toBe('limit')
  })
})
