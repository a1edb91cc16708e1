import { describe, expect, it } from 'vitest'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { int64s, type ModelSpec, modelFile, node, tensor } from '../../helpers/onnx-builder.ts'
import { runInRuntime } from '../../helpers/onnx-runtime.ts'
import { int, int64Of, tensorOf } from '../../helpers/operator-bench.ts'

function layersOf(spec: ModelSpec) {
  const typed = inferModel(readModel(modelFile(spec)))
  return typed.graph.nodes.flatMap((one) => typed.layers(one))
}

const table = tensor([3, 2], [1, 2, 3, 4, 5, 6])
const ids = { type: 'int64', shape: [1, 'length'] } as const
const lookup = node('Gather', ['table', 'ids'], ['y'])

describe('embedding layers', () => {
  it('are float tables of rank 2 that are read at integers from outside', () => {
    const [layer, ...more] = layersOf({
      inputs: { ids },
      outputs: ['y'],
      initializers: { table },
      nodes: [lookup],
    })
    expect(more).toEqual([])
    expect(layer).toMatchObject({
      role: '',
      kind: 'embedding',
      weightName: 'table',
      weightShape: [3, 2],
      inputShape: [1, null],
      operator: { form: 'matrix', rows: 3, columns: 2, blocks: 1, factor: 1 },
    })
    expect(layer.stored?.name).toBe('table')
    expect(Array.from(layer.operator.load())).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('may be computed from stored tensors', () => {
    const nodes = [node('Transpose', ['table'], ['turned']), node('Gather', ['turned', 'ids'], ['y'])]
    const [layer] = layersOf({ inputs: { ids }, outputs: ['y'], initializers: { table }, nodes })
    expect(layer.weightShape).toEqual([2, 3])
    expect(layer.stored).toBeNull()
    expect(Array.from(layer.operator.load())).toEqual([1, 3, 5, 2, 4, 6])
  })

  it('are neither constant look-ups, nor tables of integers, nor selections from data', () => {
    const fixed = { table, ids: int64s([0, 2]) }
    expect(layersOf({ outputs: ['y'], initializers: fixed, nodes: [lookup] })).toEqual([])
    const integers = { table: tensor([3, 2], [1, 2, 3, 4, 5, 6], 'int64') }
    expect(layersOf({ inputs: { ids }, outputs: ['y'], initializers: integers, nodes: [lookup] })).toEqual([])
    expect(layersOf({ inputs: { ids, table: [3, 2] }, outputs: ['y'], nodes: [lookup] })).toEqual([])
  })
})

describe('embedding layers of tables that are quantised in blocks', () => {
  const bits = 4
  const blockSize = 16
  const bytes = tensorOf(
    [2, 16],
    Array.from({ length: 32 }, (_, i) => (37 * i) % 256),
    'uint8',
  )
  const scales = tensorOf([2, 2], [1, 0.5, 2, 0.25])

  it('hold the rows that onnxruntime looks up', async () => {
    const attributes = { bits: int(bits), block_size: int(blockSize) }
    const spec = { op: 'GatherBlockQuantized', domain: 'com.microsoft', attributes }
    const [rows] = await runInRuntime(spec, [bytes, int64Of([0, 1]), scales], [0, 2])
    const inputs = { ids: { type: 'int64', shape: [2] } } as const
    const [layer] = layersOf({
      inputs,
      outputs: ['y'],
      opsets: { 'com.microsoft': 1 },
      initializers: { table: tensor([2, 16], bytes.data, 'uint8'), scales: tensor([2, 2], scales.data) },
      nodes: [
        node(
          spec.op,
          ['table', 'ids', 'scales'],
          ['y'],
          { bits, block_size: blockSize },
          { domain: spec.domain },
        ),
      ],
    })
    expect(layer).toMatchObject({ kind: 'embedding', operator: { rows: 2, columns: 32 } })
    expect(Array.from(layer.operator.load())).toEqual(Array.from(rows.data))
  })
})
