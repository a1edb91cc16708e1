import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { NetworkBounds } from '../../src/bounds/network-bounds.ts'
import * as mag from '../../src/core/magnitude.ts'
import { bestOf, boundFile, boundModel } from '../helpers/bounds.ts'
import { node, tensor } from '../helpers/onnx-builder.ts'

const valueAt = ({ trace }: NetworkBounds, name: string) =>
  mag.toNumber(trace.find((point) => point.node === name)!.lipschitz.value)

describe('the trace', () => {
  it('holds inputs and nodes that vary, their bounds, and what they read', async () => {
    const bounds = await boundModel({
      inputs: { x: [1, 2] },
      outputs: ['y'],
      initializers: { w: tensor([2, 2], [3, 0, 0, 1]), c: tensor([1], [4]) },
      nodes: [
        node('Neg', ['c'], ['d'], {}, { name: 'constant' }),
        node('MatMul', ['x', 'w'], ['a'], {}, { name: 'stretch' }),
        node('Relu', ['a'], ['b'], {}, { name: 'clip' }),
        node('Add', ['a', 'b'], ['s'], {}, { name: 'join' }),
        node('Add', ['s', 'd'], ['y'], {}, { name: 'shift' }),
      ],
    })
    expect(bounds.trace.map(({ node, op, from }) => [node, op, from])).toEqual([
      ['x', '', []],
      ['stretch', 'MatMul', [0]],
      ['clip', 'Relu', [1]],
      ['join', 'Add', [1, 2]],
      ['shift', 'Add', [3]],
    ])
    expect(valueAt(bounds, 'x')).toBe(1)
    expect(valueAt(bounds, 'stretch')).toBeCloseTo(3, 5)
    expect(valueAt(bounds, 'clip')).toBe(valueAt(bounds, 'stretch'))
    expect(valueAt(bounds, 'shift')).toBe(bestOf(bounds))
  })

  it('is unbounded behind a node without a bound', async () => {
    const bounds = await boundModel({
      inputs: { x: [1, 2] },
      outputs: ['y'],
      nodes: [
        node('Exp', ['x'], ['e'], {}, { name: 'grow' }),
        node('Relu', ['e'], ['y'], {}, { name: 'behind' }),
      ],
    })
    expect(bounds.trace.map(({ lipschitz }) => mag.isBounded(lipschitz.value))).toEqual([true, false, false])
  })

  it('ends with the bound of a network of one output', async () => {
    const bounds = await boundFile(resolve(import.meta.dirname, '../../fixtures/trained/digits-resnet.onnx'))
    expect(mag.toNumber(bounds.trace.at(-1)!.lipschitz.value)).toBe(bestOf(bounds))
  })
})
