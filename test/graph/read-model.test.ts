import { describe, expect, it } from 'vitest'
import { readModel } from '../../src/graph/read-model.ts'
import { errorOf } from '../helpers/error.ts'
import { type ModelSpec, modelFile, node, tensor } from '../helpers/onnx-builder.ts'

const plain: ModelSpec = {
  inputs: { x: [2] },
  outputs: ['y'],
  nodes: [node('Add', ['x', 'w'], ['y'])],
  initializers: { w: [1, 2] },
}

const read = (spec: ModelSpec) => readModel(modelFile(spec))
const refusal = (spec: ModelSpec) => errorOf(() => read(spec))
const rules = (spec: ModelSpec) => read(spec).notes.map((note) => note.rule)

describe('a model', () => {
  it('says what the file is', () => {
    const model = read({ ...plain, opset: 17, irVersion: 8, opsets: { 'com.microsoft': 1 } })
    expect(model).toMatchObject({ irVersion: 8, producer: 'test', parameters: 2, notes: [] })
    expect([...model.opsets]).toEqual([
      ['', 17],
      ['com.microsoft', 1],
    ])
    expect(model.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(model.graph.inputs.map((value) => value.name)).toEqual(['x'])
    expect(model.graph.inputs[0].declared).toEqual({
      kind: 'tensor',
      type: 'float32',
      shape: [2],
      symbols: [null],
    })
  })

  it('counts float and quantised parameters, constants too, shapes not', () => {
    const nodes = [
      node('Constant', [], ['c'], { value: tensor([3], [1, 2, 3]) }),
      node('Constant', [], ['s'], { value: tensor([2], [1, 2], 'int64') }),
      node('Sum', ['x', 'c', 's', 'q'], ['y']),
    ]
    expect(read({ ...plain, nodes, initializers: { q: tensor([4], [1, 2, 3, 4], 'int8') } }).parameters).toBe(
      7,
    )
  })

  it('has the dimensions that the file declares: numbers, symbols, unknown ones', () => {
    const { graph } = read({
      ...plain,
      inputs: { x: [-1, 'N', null, 0, 3], z: { type: 'int64', shape: null } },
    })
    expect(graph.inputs[0].declared).toMatchObject({
      shape: [null, null, null, 0, 3],
      symbols: [null, 'N', null, null, null],
    })
    expect(graph.inputs[1].declared).toMatchObject({ type: 'int64', shape: null })
    expect(refusal({ ...plain, inputs: { x: [-2] } }).code).toBe('malformed')
  })

  it('tells values that are no tensors', () => {
    const proto = { sequenceType: { elemType: { tensorType: { elemType: 1 } } } }
    expect(read({ ...plain, inputs: { x: { proto } } }).graph.inputs[0].declared.kind).toBe('sequence')
  })
})

describe('versions', () => {
  const imports = (...list: [string, number][]) => ({
    ...plain,
    moreModel: { opsetImport: list.map(([domain, version]) => ({ domain, version })) },
  })

  it('of a domain must be given once, by either of its names', () => {
    expect(read(imports(['ai.onnx', 13])).opsets.get('')).toBe(13)
    expect(refusal(imports(['', 11], ['', 13])).code).toBe('malformed')
    expect(refusal(imports(['ai.onnx', 13], ['', 13])).code).toBe('malformed')
  })

  it('must be positive and there', () => {
    for (const version of [0, -1]) expect(refusal(imports(['', version])).code).toBe('malformed')
    expect(refusal(imports()).code).toBe('malformed')
    expect(refusal(imports(['local', 1])).code).toBe('malformed')
    for (const irVersion of [0, -3]) expect(refusal({ ...plain, irVersion }).code).toBe('malformed')
  })

  it('may be newer than what is known, with a note', () => {
    expect(rules({ ...plain, opset: 29 })).toEqual(['newer-opset'])
    expect(rules({ ...plain, opset: 28 })).toEqual([])
    expect(rules({ ...plain, irVersion: 99 })).toEqual(['newer-format'])
  })

  it('before imports existed are version 1', () => {
    const spec = { ...imports(), irVersion: 2, inputs: { x: [2], w: [2] } }
    expect(read(spec).graph.nodes[0].version).toBe(1)
  })
})

describe('initializers that are inputs too', () => {
  const both = { ...plain, inputs: { x: [2], w: [2] } }

  it('are constants up to IR 3', () => {
    const { graph, notes } = read({ ...both, irVersion: 3 })
    expect(graph.inputs.map((value) => value.name)).toEqual(['x'])
    expect([graph.overridable, notes]).toEqual([[], []])
  })

  it('can be overridden from IR 4 on, with a note', () => {
    const { graph, notes } = read({ ...both, irVersion: 4 })
    expect(graph.inputs.map((value) => value.name)).toEqual(['x'])
    expect(graph.overridable).toEqual([graph.initializers[0]])
    expect(notes.map((note) => note.rule)).toEqual(['overridable-initializer'])
  })
})

describe('a graph', () => {
  it('may output an input or an initializer', () => {
    const { graph } = read({ ...plain, outputs: ['x', 'w'] })
    expect(graph.outputs.map((value) => value.origin)).toEqual(['input', 'initializer'])
  })

  it('must have outputs', () => {
    expect(refusal({ ...plain, outputs: [] }).code).toBe('malformed')
  })

  it('has attributes of one value and type each', () => {
    const attribute = (...list: object[]): ModelSpec => ({
      ...plain,
      nodes: [{ ...node('Op', ['x'], ['y']), attribute: list.map((fields) => ({ name: 'a', ...fields })) }],
    })
    expect(refusal(attribute({ type: 2, i: 1 }, { type: 2, i: 1 })).message).toContain('given twice')
    expect(refusal(attribute({ type: 2, f: 1 })).code).toBe('malformed')
    expect(refusal(attribute({ type: 7, floats: [1] })).code).toBe('malformed')
    expect(refusal(attribute({ type: 7, ints: [1], i: 1 })).code).toBe('malformed')
    expect(refusal(attribute({ i: 1 })).code).toBe('malformed')
    expect(refusal(attribute({ type: 99, i: 1 })).code).toBe('malformed')
    expect(refusal(attribute({ type: 4 })).code).toBe('malformed')
    expect(read({ ...attribute({ i: 1 }), irVersion: 1 }).graph.nodes[0].attributes.get('a')?.kind).toBe(
      'int',
    )
  })

  it('leaves out training, with a note', () => {
    expect(rules({ ...plain, moreModel: { trainingInfo: [{}] } })).toEqual(['training-info'])
  })
})
