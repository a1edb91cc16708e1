import { describe, expect, it } from 'vitest'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import { errorOf } from '../helpers/error.ts'
import { type ModelSpec, modelFile, node, subgraph, tensor } from '../helpers/onnx-builder.ts'

const square = tensor([2, 2], [1, 2, 3, 4])
const matMul = (x: string, w: string, y: string, name = '') => node('MatMul', [x, w], [y], {}, { name })

const layersIn = (spec: ModelSpec) => layersOf(inferModel(readModel(modelFile(spec))))

describe('layers', () => {
  it('come in graph order under keys that are unique', () => {
    const layers = layersIn({
      ...{ inputs: { x: [1, 2] }, outputs: ['y'], initializers: { w: square, v: square } },
      nodes: [
        matMul('x', 'w', 'a', 'fc'),
        matMul('a', 'v', 'b', 'fc'),
        matMul('b', 'w', 'c', 'fc#2'),
        matMul('c', 'w', 'y'),
      ],
    })
    expect(layers.map((layer) => layer.key)).toEqual(['fc', 'fc#2', 'fc#2#2', 'y'])
    expect(layers.map((layer) => layer.spec.weightName)).toEqual(['w', 'v', 'w', 'w'])
  })

  it('are found in branches, loops and functions', () => {
    const branch = (name: string) =>
      subgraph({
        outputs: [`${name}y`],
        initializers: { [`${name}w`]: square },
        nodes: [matMul('x', `${name}w`, `${name}y`)],
      })
    const loop = subgraph({
      inputs: ['i', 'go', 'h'],
      outputs: ['go2', 'h2'],
      nodes: [node('Identity', ['go'], ['go2']), matMul('h', 'w', 'h2')],
    })
    const layers = layersIn({
      ...{
        inputs: { x: [1, 2], c: { type: 'bool', shape: [] } },
        outputs: ['y'],
        initializers: { w: square },
      },
      functions: [
        { name: 'F', domain: 'local', inputs: ['a', 'k'], outputs: ['r'], nodes: [matMul('a', 'k', 'r')] },
      ],
      opsets: { local: 1 },
      nodes: [
        node('If', ['c'], ['p'], { then_branch: branch('t'), else_branch: branch('e') }),
        node('Loop', ['', 'c', 'p'], ['q'], { body: loop }),
        node('F', ['q', 'w'], ['y'], {}, { domain: 'local', name: 'call' }),
      ],
    })
    expect(layers.map((layer) => layer.key)).toEqual(['ty', 'ey', 'h2', 'call/r'])
  })

  it('have a constant weight; data times data is none', () => {
    const spec: ModelSpec = {
      inputs: { x: [2, 2], w: [2, 2] },
      outputs: ['y'],
      nodes: [matMul('x', 'w', 'y')],
    }
    expect(layersIn(spec)).toEqual([])
  })

  it('are the same objects for every question', () => {
    const path = modelFile({
      ...{ inputs: { x: [1, 2] }, outputs: ['y'], initializers: { w: square } },
      nodes: [matMul('x', 'w', 'y')],
    })
    const typed = inferModel(readModel(path))
    expect(typed.layers(typed.graph.nodes[0])).toBe(typed.layers(typed.graph.nodes[0]))
    expect(layersOf(typed)[0].spec).toBe(typed.layers(typed.graph.nodes[0])[0])
  })

  it('name the node where a weight does not fit', () => {
    const spec: ModelSpec = {
      ...{ inputs: { x: [1, 3] }, outputs: ['y'], initializers: { w: square } },
      nodes: [matMul('x', 'w', 'y', 'fc')],
    }
    expect(errorOf(() => layersIn(spec))).toMatchObject({ code: 'shape', node: 'fc' })
  })
})
