import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../src/core/tensor.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { createRecentTensors } from '../../src/infer/recent-tensors.ts'
import { errorOf } from '../helpers/error.ts'
import { int64s, type ModelSpec, modelFile, node, tensor } from '../helpers/onnx-builder.ts'

function infer(spec: ModelSpec) {
  const typed = inferModel(readModel(modelFile(spec)))
  return { typed, output: (index = 0) => typed.operand(typed.graph.outputs[index]) }
}

const weights = tensor(
  [100, 100],
  Array.from({ length: 10_000 }, (_, i) => i % 7),
)

describe('folding', () => {
  it('reads no weights before it is asked to, and no more than it needs', () => {
    const model = readModel(
      modelFile({
        ...{ inputs: { x: [1, 100] }, outputs: ['y', 't'], initializers: { w: weights, v: weights } },
        nodes: [
          node('Transpose', ['w'], ['t']),
          node('MatMul', ['x', 't'], ['h']),
          node('MatMul', ['h', 'v'], ['y']),
        ],
      }),
    )
    const loads: string[] = []
    for (const { stored } of model.graph.initializers) {
      const load = stored!.load
      Object.assign(stored!, {
        load: () => {
          loads.push(stored!.name)
          return load()
        },
      })
    }
    const typed = inferModel(model)
    expect(loads).toEqual([])
    expect(typed.operand(model.graph.outputs[1]).smallConstant()).toBeNull()
    expect(loads).toEqual([])
    const transposed = typed.operand(model.graph.outputs[1]).constant()!
    expect(loads).toEqual(['w'])
    expect(transposed.data[1]).toBe(100 % 7)
    expect([...transposed.data.subarray(100, 103)]).toEqual([1, 101 % 7, 201 % 7])
  })

  it('gives each output of a node its own elements', () => {
    const { output } = infer({
      ...{ outputs: ['b', 'd'], initializers: { w: [1, 2, 3, 4], sizes: int64s([1, 3]) } },
      nodes: [node('Split', ['w', 'sizes'], ['a', 'b']), node('Concat', ['b', 'a', 'b'], ['d'], { axis: 0 })],
    })
    expect([...output(1).constant()!.data]).toEqual([2, 3, 4, 1, 2, 3, 4])
    expect([...output(0).constant()!.data]).toEqual([2, 3, 4])
  })

  it('computes the sums that a random graph of constants stands for', () => {
    const size = 5000
    const graph = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(graph, fc.nat(), (reads, asked) => {
        const nodes = reads.map(([a, b], i) =>
          node('Sub', [`v${a % (i + 1)}`, `v${b % (i + 1)}`], [`v${i + 1}`]),
        )
        const values = [1]
        for (const [i, [a, b]] of reads.entries()) values.push(values[a % (i + 1)] - values[b % (i + 1)])
        const start = tensor([size], new Float32Array(size).fill(1))
        const outputs = values.map((_, i) => `v${i}`)
        const { output } = infer({ outputs, initializers: { v0: start }, nodes })
        const first = asked % outputs.length
        for (const index of [first, outputs.length - 1, first, 0]) {
          const { data } = output(index).constant()!
          expect([data[0], data[size - 1], data.length]).toEqual([values[index], values[index], size])
        }
      }),
      { numRuns: 40 },
    )
  })

  it('refuses tensors beyond the limit, when they are asked for', () => {
    const big = tensor([2], [2 ** 20, 2 ** 20], 'int64')
    const spec: ModelSpec = {
      outputs: ['y'],
      initializers: { s: big },
      nodes: [node('ConstantOfShape', ['s'], ['y'])],
    }
    const { output } = infer(spec)
    expect(output()).toMatchObject({ shape: [2 ** 20, 2 ** 20], isConstant: true })
    expect(output().smallConstant()).toBeNull()
    expect(errorOf(() => output().constant())).toMatchObject({ code: 'limit', node: 'y' })
  })

  it('says which stored tensor a value is, unchanged', () => {
    const nodes = [
      node('Constant', [], ['c'], { value: weights }),
      node('Identity', ['c'], ['i']),
      node('Transpose', ['i'], ['t']),
    ]
    const { typed, output } = infer({ outputs: ['c', 'i', 't', 'w'], initializers: { w: weights }, nodes })
    expect(output(0).stored?.dims).toEqual([100, 100])
    expect(output(1).stored).toBe(output(0).stored)
    expect(output(2).stored).toBeNull()
    expect(output(3).stored).toBe(typed.graph.initializers[0].stored)
  })

  it('leaves strings and complex numbers alone', () => {
    const { output } = infer({
      outputs: ['c'],
      initializers: { c: tensor([1], new Uint8Array(8), 'complex64') },
    })
    expect(output()).toMatchObject({ type: 'complex64', isConstant: false })
    expect(output().constant()).toBeNull()
  })
})

describe('recent tensors', () => {
  const tensorOf = (length: number): Tensor => ({
    type: 'float32',
    dims: [length],
    data: new Float32Array(length),
  })

  it('are those used last, within the budget', () => {
    const recent = createRecentTensors<string>(64)
    for (const key of ['a', 'b', 'c', 'd']) recent.add(key, tensorOf(4))
    expect(recent.get('a')).toBeDefined()
    recent.add('e', tensorOf(4))
    expect(['a', 'b', 'c', 'd', 'e'].filter((key) => recent.get(key) !== undefined)).toEqual([
      'a',
      'c',
      'd',
      'e',
    ])
    recent.add('huge', tensorOf(5))
    expect(recent.get('huge')).toBeUndefined()
    recent.remove('c')
    recent.add('f', tensorOf(4))
    expect(['a', 'd', 'e', 'f'].every((key) => recent.get(key) !== undefined)).toBe(true)
  })
})
