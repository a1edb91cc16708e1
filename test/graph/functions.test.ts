import { describe, expect, it } from 'vitest'
import { intAttribute } from '../../src/graph/attribute.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { errorOf } from '../helpers/error.ts'
import {
  type FunctionSpec,
  int,
  type ModelSpec,
  modelFile,
  node,
  reference,
  subgraph,
} from '../helpers/onnx-builder.ts'

const intType = 2
const local = { domain: 'local' }
const call = (name: string, inputs: string[], outputs: string[], attributes = {}, nodeName = '') =>
  node(name, inputs, outputs, attributes, { ...local, name: nodeName })

/** twice(a) = −(−a) */
const twice: FunctionSpec = {
  ...{ name: 'Twice', domain: 'local', inputs: ['a'], outputs: ['r'] },
  nodes: [node('Neg', ['a'], ['t'], {}, { name: 'first' }), node('Neg', ['t'], ['r'])],
}

function spec(
  functions: readonly FunctionSpec[],
  nodes: ModelSpec['nodes'],
  more: Partial<ModelSpec> = {},
): ModelSpec {
  return { inputs: { x: [2] }, outputs: ['y'], functions, nodes, opsets: { local: 1 }, ...more }
}

const graphOf = (model: ModelSpec) => readModel(modelFile(model)).graph
const refusal = (model: ModelSpec) => errorOf(() => readModel(modelFile(model)))

describe('functions', () => {
  it('are inlined in their place, inner names behind the name of the call', () => {
    const nodes = [
      node('Abs', ['x'], ['p']),
      call('Twice', ['p'], ['q'], {}, 'here'),
      call('Twice', ['q'], ['y'], {}, 'there'),
    ]
    const graph = graphOf(spec([twice], nodes))
    expect(graph.nodes.map((one) => one.op)).toEqual(['Abs', 'Neg', 'Neg', 'Neg', 'Neg'])
    expect(graph.nodes.map((one) => one.name)).toEqual([
      'p',
      'here/first',
      'here/r',
      'there/first',
      'there/r',
    ])
    expect(graph.nodes.map((one) => one.outputs[0]?.name)).toEqual(['p', 'here/t', 'q', 'there/t', 'y'])
    expect(graph.nodes[1].inputs[0]).toBe(graph.nodes[0].outputs[0])
    expect(graph.nodes[3].inputs[0]).toBe(graph.nodes[2].outputs[0])
  })

  it('call one another', () => {
    const four: FunctionSpec = {
      ...{ name: 'Four', domain: 'local', inputs: ['a'], outputs: ['r'] },
      nodes: [call('Twice', ['a'], ['m'], {}, 'c'), call('Twice', ['m'], ['r'], {}, 'd')],
    }
    const graph = graphOf(spec([four, twice], [call('Four', ['x'], ['y'], {}, 'n')]))
    expect(graph.nodes.map((one) => one.name)).toEqual(['n/c/first', 'n/c/r', 'n/d/first', 'n/d/r'])
  })

  it('take attributes from the call, else their defaults', () => {
    const flatten: FunctionSpec = {
      ...{
        name: 'F',
        domain: 'local',
        inputs: ['a'],
        outputs: ['r'],
        attributes: ['axis'],
        defaults: { other: 5 },
      },
      nodes: [
        node('Op', ['a'], ['r'], { axis: reference('axis', intType), other: reference('other', intType) }),
      ],
    }
    const given = graphOf(spec([flatten], [call('F', ['x'], ['y'], { axis: 3 })])).nodes[0]
    expect([intAttribute(given, 'axis', 0), intAttribute(given, 'other', 0)]).toEqual([3, 5])
    const both = graphOf(spec([flatten], [call('F', ['x'], ['y'], { axis: 3, other: 1 })])).nodes[0]
    expect(intAttribute(both, 'other', 0)).toBe(1)
    expect(refusal(spec([flatten], [call('F', ['x'], ['y'])]))).toMatchObject({ code: 'malformed' })
  })

  it('hand attributes on to functions that they call', () => {
    const inner: FunctionSpec = {
      ...{ name: 'Inner', domain: 'local', inputs: ['a'], outputs: ['r'], attributes: ['k'] },
      nodes: [node('Op', ['a'], ['r'], { axis: reference('k', intType) })],
    }
    const outer: FunctionSpec = {
      ...{ name: 'Outer', domain: 'local', inputs: ['a'], outputs: ['r'], attributes: ['j'] },
      nodes: [call('Inner', ['a'], ['r'], { k: reference('j', intType) })],
    }
    const graph = graphOf(spec([inner, outer], [call('Outer', ['x'], ['y'], { j: 9 })]))
    expect(intAttribute(graph.nodes[0], 'axis', 0)).toBe(9)
  })

  it('import their own versions of operators', () => {
    const old: FunctionSpec = { ...twice, opsets: { 'ai.onnx': 11 } }
    const graph = graphOf(
      spec([old], [node('Abs', ['x'], ['p']), call('Twice', ['p'], ['y'])], { opset: 21 }),
    )
    expect(graph.nodes.map((one) => one.version)).toEqual([21, 11, 11])
  })

  it('are told apart by overload', () => {
    const negative = { ...twice, overload: 'b', nodes: [node('Neg', ['a'], ['r'])] }
    const nodes = [node('Twice', ['x'], ['y'], {}, { ...local, overload: 'b' })]
    expect(graphOf(spec([twice, negative], nodes)).nodes).toHaveLength(1)
  })

  it('may leave inputs and outputs open', () => {
    const optional: FunctionSpec = {
      ...{ name: 'O', domain: 'local', inputs: ['a', 'b'], outputs: ['r', 's'] },
      nodes: [node('Clip', ['a', 'b'], ['r']), node('Neg', ['a'], ['s'])],
    }
    const graph = graphOf(spec([optional], [call('O', ['x'], ['', 'y'])]))
    expect(graph.nodes[0].inputs[1]).toBeNull()
    expect(graph.nodes[0].outputs[0]?.name).toMatch(/\/r$/)
    expect(graph.outputs[0].producer).toBe(graph.nodes[1])
  })

  it('may return what they are given', () => {
    const same: FunctionSpec = { name: 'Same', domain: 'local', inputs: ['a'], outputs: ['a'], nodes: [] }
    const graph = graphOf(spec([same], [call('Same', ['x'], ['y'])]))
    expect(graph.nodes.map((one) => [one.op, one.inputs[0]?.name, one.outputs[0]?.name])).toEqual([
      ['Identity', 'x', 'y'],
    ])
  })

  it('hold bodies that read their names', () => {
    const body = subgraph({ outputs: ['b'], nodes: [node('Neg', ['a'], ['b'])] })
    const guarded: FunctionSpec = {
      ...{ name: 'G', domain: 'local', inputs: ['a', 'c'], outputs: ['r'] },
      nodes: [node('If', ['c'], ['r'], { then_branch: body })],
    }
    const graph = graphOf(spec([guarded], [node('Abs', ['x'], ['p']), call('G', ['p', 'x'], ['y'])]))
    expect([...graph.nodes[1].captures]).toEqual([graph.nodes[0].outputs[0]])
  })

  const refused: Record<string, [string, ModelSpec]> = {
    'that call themselves': [
      'malformed',
      spec([{ ...twice, nodes: [call('Twice', ['a'], ['r'])] }], [call('Twice', ['x'], ['y'])]),
    ],
    'that call one another in a circle, called or not': [
      'malformed',
      spec(
        [
          { ...twice, name: 'A', nodes: [call('B', ['a'], ['r'])] },
          { ...twice, name: 'B', nodes: [call('A', ['a'], ['r'])] },
        ],
        [node('Neg', ['x'], ['y'])],
      ),
    ],
    'of one name': ['malformed', spec([twice, twice], [call('Twice', ['x'], ['y'])])],
    'that shadow the standard': [
      'malformed',
      spec([{ ...twice, name: 'Relu', domain: 'ai.onnx' }], [node('Relu', ['x'], ['y'])]),
    ],
    'that shadow a runtime': [
      'malformed',
      spec([{ ...twice, name: 'Gelu', domain: 'com.microsoft' }], [node('Relu', ['x'], ['y'])]),
    ],
    'that do not write their output': [
      'malformed',
      spec([{ ...twice, outputs: ['q'] }], [call('Twice', ['x'], ['y'])]),
    ],
    'that write their input': [
      'malformed',
      spec([{ ...twice, nodes: [node('Neg', ['r'], ['a'])] }], [call('Twice', ['x'], ['y'])]),
    ],
    'called with too many inputs': ['malformed', spec([twice], [call('Twice', ['x', 'x'], ['y'])])],
    'that import a domain twice': [
      'malformed',
      spec([{ ...twice, opsets: { '': 12, 'ai.onnx': 12 } }], [call('Twice', ['x'], ['y'])]),
    ],
    'that read outer names': [
      'malformed',
      spec([{ ...twice, nodes: [node('Neg', ['x'], ['r'])] }], [call('Twice', ['x'], ['y'])]),
    ],
  }
  for (const [what, [code, model]] of Object.entries(refused)) {
    it(`are refused ${what}`, () => expect(refusal(model).code).toBe(code))
  }

  it('may not be referred to outside of functions', () => {
    const nodes = [node('Op', ['x'], ['y'], { axis: reference('axis', intType) })]
    expect(refusal(spec([], nodes)).code).toBe('malformed')
    const both = { ...twice, nodes: [node('Neg', ['a'], ['r'], { axis: { ...int(1), refAttrName: 'k' } })] }
    expect(refusal(spec([both], [call('Twice', ['x'], ['y'])])).code).toBe('malformed')
  })

  it('that would expand beyond the limit are refused before they are expanded', () => {
    const level = (depth: number): FunctionSpec => ({
      ...{ name: `L${depth}`, domain: 'local', inputs: ['v0'], outputs: ['v10'] },
      nodes: Array.from({ length: 10 }, (_, i) => {
        const io: [string[], string[]] = [[`v${i}`], [`v${i + 1}`]]
        return depth === 0 ? node('Neg', ...io) : call(`L${depth - 1}`, ...io)
      }),
    })
    const bomb = Array.from({ length: 30 }, (_, depth) => level(depth))
    expect(refusal(spec(bomb, [call('L29', ['x'], ['y'])])).code).toBe('limit')
    expect(graphOf(spec(bomb.slice(0, 3), [call('L2', ['x'], ['y'])])).nodes).toHaveLength(1000)
  })

  it('are limited in depth', () => {
    const chain = (length: number) =>
      Array.from(
        { length },
        (_, i): FunctionSpec => ({
          ...{ ...twice, name: `C${i}` },
          nodes: [i === 0 ? node('Neg', ['a'], ['r']) : call(`C${i - 1}`, ['a'], ['r'])],
        }),
      )
    expect(graphOf(spec(chain(90), [call('C89', ['x'], ['y'])])).nodes).toHaveLength(1)
    expect(refusal(spec(chain(110), [call('C109', ['x'], ['y'])])).code).toBe('limit')
  })
})
