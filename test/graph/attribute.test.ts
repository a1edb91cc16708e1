import { describe, expect, it } from 'vitest'
import {
  floatAttribute,
  floatsAttribute,
  graphAttribute,
  hasAttribute,
  intAttribute,
  intsAttribute,
  stringAttribute,
  stringsAttribute,
  tensorAttribute,
} from '../../src/graph/attribute.ts'
import type { Node } from '../../src/graph/graph.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { errorOf } from '../helpers/error.ts'
import { float, floats, modelFile, node, subgraph, tensor } from '../helpers/onnx-builder.ts'

function onlyNode(attributes: Parameters<typeof node>[3]): Node {
  const path = modelFile({
    inputs: { x: [1] },
    outputs: ['y'],
    nodes: [node('Op', ['x'], ['y'], attributes, { name: 'n' })],
  })
  return readModel(path).graph.nodes[0]
}

describe('attributes', () => {
  const filled = onlyNode({
    axis: -3,
    alpha: float(0.5),
    mode: 'linear',
    pads: [1, 2],
    scales: floats([1, 2.5]),
    names: ['a', 'b'],
    value: tensor([2], [3, 4]),
    body: subgraph({ outputs: ['z'], nodes: [node('Op', ['x'], ['z'])] }),
  })

  it('reads each kind', () => {
    expect(intAttribute(filled, 'axis', 0)).toBe(-3)
    expect(floatAttribute(filled, 'alpha', 1)).toBe(0.5)
    expect(stringAttribute(filled, 'mode', 'nearest')).toBe('linear')
    expect(intsAttribute(filled, 'pads', null)).toEqual([1, 2])
    expect(floatsAttribute(filled, 'scales', null)).toEqual([1, 2.5])
    expect(stringsAttribute(filled, 'names', [])).toEqual(['a', 'b'])
    expect([...tensorAttribute(filled, 'value')!.load().data]).toEqual([3, 4])
    expect(graphAttribute(filled, 'body')!.nodes[0].op).toBe('Op')
    expect(hasAttribute(filled, 'axis')).toBe(true)
  })

  it('falls back where the node does not carry it', () => {
    const empty = onlyNode({})
    expect(intAttribute(empty, 'axis', 7)).toBe(7)
    expect(intsAttribute(empty, 'pads', null)).toBeNull()
    expect(tensorAttribute(empty, 'value')).toBeNull()
    expect(graphAttribute(empty, 'body')).toBeNull()
    expect(hasAttribute(empty, 'axis')).toBe(false)
  })

  it('keeps zeros and empty strings, which writers leave out', () => {
    const zeros = onlyNode({ axis: 0, mode: '', alpha: float(0) })
    expect(intAttribute(zeros, 'axis', 7)).toBe(0)
    expect(stringAttribute(zeros, 'mode', 'other')).toBe('')
    expect(floatAttribute(zeros, 'alpha', 1)).toBe(0)
  })

  it('refuses another kind, naming the node', () => {
    const error = errorOf(() => floatAttribute(filled, 'axis', 0))
    expect(error.code).toBe('malformed')
    expect(error.message).toContain("attribute 'axis' of Op must be a float, it is an integer")
    expect(error.node).toBe('n')
  })
})
