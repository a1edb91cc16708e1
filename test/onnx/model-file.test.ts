import { createHash } from 'node:crypto'
import { readFileSync, rmSync, truncateSync } from 'node:fs'
import { memoryUsage } from 'node:process'
import { describe, expect, it } from 'vitest'
import { readModelFile } from '../../src/onnx/model-file.ts'
import { model, node, tensor, writeTemporary } from '../helpers/onnx-builder.ts'
import { type Bytes, join, number, tag, varint } from '../helpers/wire.ts'

/** A field of wire type 2 whose content, `length` bytes, begins with `start`; the rest is not written. */
const opened = (field: number, length: number, start: Bytes) => join(tag(field, 2), varint(length), start)

describe('a model file', () => {
  it('knows its path, its size and its hash', () => {
    const path = writeTemporary(model({ nodes: [node('Relu', ['x'], ['y'])] }))
    const bytes = readFileSync(path)
    const file = readModelFile(path)
    expect([file.path, file.bytes]).toEqual([path, bytes.length])
    expect(file.sha256()).toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  it('reads 1 GiB of weights by position, in memory that does not depend on them', () => {
    const count = 2 ** 28
    const header = join(number(1, count), number(2, 1))
    const content = opened(9, 4 * count, [])
    const tensorLength = header.length + content.length + 4 * count
    const graphContent = opened(5, tensorLength, join(header, content))
    const graphLength = graphContent.length + 4 * count
    const start = join(number(1, 8), opened(7, graphLength, graphContent))
    const path = writeTemporary(start, 'gigabyte.onnx')
    truncateSync(path, start.length + 4 * count)

    const before = memoryUsage().arrayBuffers
    const file = readModelFile(path)
    const weights = file.tensor(file.proto.graph!.initializer[0])
    expect(memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 21)
    expect(weights.range).toMatchObject({ path, offset: start.length, length: 4 * count })
    expect([weights.size, file.bytes]).toEqual([count, start.length + 4 * count])
    rmSync(path)
  })

  it('finds tensors wherever they stand', () => {
    const value = (fill: number) => tensor([2], [fill, fill])
    const path = writeTemporary(
      model({
        initializers: { a: value(1) },
        nodes: [
          node('Constant', [], ['b'], { value: value(2) }),
          { opType: 'Many', attribute: [{ name: 'tensors', type: 9, tensors: [value(3), value(4)] }] },
        ],
        functions: [
          {
            name: 'f',
            domain: 'd',
            inputs: [],
            outputs: ['c'],
            nodes: [node('Constant', [], ['c'], { value: value(5) })],
          },
        ],
      }),
    )
    const file = readModelFile(path)
    const graph = file.proto.graph!
    const tensors = [
      graph.initializer[0],
      graph.node[0].attribute[0].t!,
      ...graph.node[1].attribute[0].tensors,
      file.proto.functions[0].node[0].attribute[0].t!,
    ]
    expect(tensors.map((proto) => file.tensor(proto).load().data[1])).toEqual([1, 2, 3, 4, 5])
  })
})
