import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LipschitzError } from '../../src/core/errors.ts'
import { type ModelFile, readModelFile } from '../../src/onnx/model-file.ts'
import type { ReadOptions } from '../../src/onnx/read-options.ts'
import { errorOf } from '../helpers/error.ts'
import { encode, float, model, node, subgraph, tensor, writeTemporary } from '../helpers/onnx-builder.ts'
import { type Bytes, block, float32, join, modelWithTensor, number, tag, varint } from '../helpers/wire.ts'

const read = (bytes: Uint8Array, options?: ReadOptions) =>
  readModelFile(writeTemporary(bytes, 'scanned.onnx'), options)

/** A model around the fields of its graph. */
const modelWithGraph = (...graph: readonly Bytes[]) => join(number(1, 8), block(7, ...graph))

/** `levels` messages inside one another: an If in an If in an If. */
function nestedGraphs(levels: number): Uint8Array {
  let graph = block(2, 'innermost')
  for (let level = 0; level < levels; level++) graph = block(1, block(5, block(1, 'body'), block(6, graph)))
  return modelWithGraph(graph)
}

/** Reads all there is to read of a model. */
function readEverything(file: ModelFile): void {
  const pending = [file.proto.graph!]
  for (let graph = pending.pop(); graph !== undefined; graph = pending.pop()) {
    for (const initializer of graph.initializer) file.tensor(initializer).load()
    for (const initializer of graph.sparseInitializer) file.sparseTensor(initializer).load()
    for (const { attribute } of graph.node) {
      for (const { t, g } of attribute) {
        if (t !== null) file.tensor(t).load()
        if (g !== null) pending.push(g)
      }
    }
  }
}

/**
 * Reads every prefix of a model. Each is refused, except for those that end between two fields of the outermost
 * message: they are models without what follows, as protobuf has no marks for its ends.
 */
function readPrefixes(bytes: Uint8Array): { refused: number; shorter: ModelFile[] } {
  const shorter: ModelFile[] = []
  let refused = 0
  for (let length = 1; length < bytes.length; length++) {
    try {
      const file = read(bytes.subarray(0, length))
      readEverything(file)
      shorter.push(file)
    } catch (error) {
      expect(error).toBeInstanceOf(LipschitzError)
      expect(['malformed', 'not-onnx']).toContain((error as LipschitzError).code)
      refused++
    }
  }
  return { refused, shorter }
}

const small = model({
  inputs: { x: ['n', 4] },
  outputs: ['y'],
  initializers: {
    w: tensor([3, 4], new Array(12).fill(0.5)),
    b: { dims: [3], dataType: 1, floatData: [1, 2, 3] },
  },
  nodes: [
    node('Gemm', ['x', 'w', 'b'], ['h'], { transB: 1, alpha: float(0.5) }, { name: 'dense' }),
    node('Constant', [], ['c'], { value: tensor([2], [1, -1], 'int64') }),
    node('If', ['p'], ['y'], {
      then_branch: subgraph({ nodes: [node('Relu', ['h'], ['y'])], outputs: ['y'] }),
    }),
  ],
})

describe('the wire scan', () => {
  it.each<[string, Bytes]>([
    ['field number 0', [0, 0]],
    ['sixty-four zero bytes', new Uint8Array(64)],
    ['sixty-four bytes of 0xff', new Uint8Array(64).fill(255)],
    ['a tag of six bytes', join([0x88, 0x80, 0x80, 0x80, 0x80, 0x00], [8])],
    ['a tag beyond 32 bits', join([0x88, 0x80, 0x80, 0x80, 0x7f], [8])],
    ['wire type 6', [0x0e, 0]],
    ['wire type 7', [0x0f, 0]],
    ['a stray end of a group', join(number(1, 8), [0x0c])],
    ['a group in an unknown field', join(number(1, 8), tag(99, 3), tag(99, 4))],
    ['a varint of eleven bytes', join([8], new Uint8Array(10).fill(128), [1])],
    ['a varint of 65 bits', join([8], new Uint8Array(9).fill(128), [2])],
    ['a length of 2^32 - 1', join(tag(7, 2), varint(2 ** 32 - 1))],
    ['a length of 2^63', join(tag(7, 2), varint(2n ** 63n), new Uint8Array(20))],
    ['a message that runs past its parent', modelWithGraph(join(tag(1, 2), varint(5), [1]))],
    [
      'a string that runs past its parent',
      join(block(7, join(tag(2, 2), varint(9), [65])), new Uint8Array(20)),
    ],
    ['two graphs', join(modelWithGraph(), block(7))],
    ['two values of one attribute', modelWithGraph(block(1, block(5, block(5), block(5))))],
    ['values of two types in one attribute', modelWithGraph(block(1, block(5, number(3, 1), block(4, 'a'))))],
    ['two raw data', modelWithTensor(block(9, 'abcd'), block(9, 'abcd'))],
    ['two data types', modelWithTensor(number(2, 1), number(2, 1))],
    [
      'a size and a symbol for one dimension',
      modelWithGraph(block(11, block(2, block(1, block(2, block(1, number(1, 2), block(2, 'n'))))))),
    ],
    ['dims of fixed width', modelWithTensor(join(tag(1, 5), [1, 0, 0, 0]))],
    ['a graph that is a number', number(7, 1)],
    ['a version that is a string', block(1, 'eight')],
    ['packed floats of seven bytes', modelWithTensor(block(4, new Uint8Array(7)))],
    ['packed varints that end in the middle', modelWithTensor(block(7, [1, 128]))],
    ['a packed varint of eleven bytes', modelWithTensor(block(7, new Uint8Array(10).fill(255), [1]))],
    ['a packed varint of 65 bits', modelWithTensor(block(7, new Uint8Array(9).fill(255), [2]))],
    ['invalid UTF-8 in a name', modelWithGraph(block(1, block(3, [0x77, 0xff])))],
    ['overlong UTF-8 in a name', modelWithGraph(block(1, block(3, [0xc0, 0xaf])))],
    ['half a surrogate pair in a name', modelWithGraph(block(1, block(3, [0xed, 0xa0, 0x80])))],
    ['no graph', number(1, 8)],
  ])('refuses %s', (_, bytes) => {
    expect(errorOf(() => read(join(bytes))).code).toBe('malformed')
  })

  it('says at which byte and where in the model', () => {
    const error = errorOf(() => read(modelWithGraph(block(1, block(5, block(5), block(5))))))
    expect(error.message).toMatch(/^at byte \d+: a second value, in ModelProto\.graph\.node\.attribute$/)
  })

  it('refuses a model that is cut short, wherever it is cut', () => {
    const { refused, shorter } = readPrefixes(small)
    expect(refused).toBe(small.length - 2)
    expect(shorter.map(({ proto }) => proto.opsetImport.length)).toEqual([0])
    readEverything(read(small))
  })

  it('gives a model or a LipschitzError for any bytes', () => {
    const edit = fc.record({
      at: fc.nat(small.length - 1),
      byte: fc.nat(255),
      kind: fc.constantFrom('set', 'cut', 'insert'),
    })
    const mutated = fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
      const bytes = [...small]
      for (const { at, byte, kind } of edits)
        bytes.splice(at, kind === 'insert' ? 0 : 1, ...(kind === 'cut' ? [] : [byte]))
      return Uint8Array.from(bytes)
    })
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ minLength: 1, maxLength: 200 })), (bytes) => {
        try {
          readEverything(read(bytes))
        } catch (error) {
          expect(error).toBeInstanceOf(LipschitzError)
          expect((error as LipschitzError).code).not.toBe('internal')
          expect((error as LipschitzError).message).not.toContain('\n')
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('stops at the limit of nesting, not at that of the stack', () => {
    expect(read(nestedGraphs(30)).proto.graph!.node.length).toBe(1)
    for (const levels of [50, 400]) expect(errorOf(() => read(nestedGraphs(levels))).code).toBe('limit')
    const types = (levels: number) => {
      let type: Uint8Array = block(1, number(1, 1))
      for (let level = 0; level < levels; level++) type = block(4, block(1, type))
      return modelWithGraph(block(11, block(1, 'x'), block(2, type)))
    }
    expect(read(types(40)).proto.graph!.input.length).toBe(1)
    expect(errorOf(() => read(types(2000))).code).toBe('limit')
  })

  it('counts messages before it decodes any', () => {
    const million = (field: number) =>
      modelWithGraph(
        new Uint8Array(2_000_000).fill(0).map((_, index) => (index % 2 === 0 ? field * 8 + 2 : 0)),
      )
    for (const field of [1, 5]) expect(errorOf(() => read(million(field))).code).toBe('limit')
    const limits = { strings: 100, numbers: 100, skeletonBytes: 20_000 }
    const names = modelWithGraph(block(1, ...new Array<Uint8Array>(101).fill(block(1, 'a'))))
    expect(errorOf(() => read(names, { limits })).message).toContain('more than 100 strings')
    const ints = modelWithGraph(block(1, block(5, block(8, new Uint8Array(101)))))
    expect(errorOf(() => read(ints, { limits })).message).toContain('more than 100 numbers')
    const long = modelWithGraph(block(1, block(3, 'n'.repeat(30_000))))
    expect(errorOf(() => read(long, { limits })).code).toBe('limit')
    expect(errorOf(() => read(small, { limits: { fileBytes: 100 } })).code).toBe('limit')
  })

  it('passes over documentation, whatever it holds', () => {
    const documented = join(
      number(1, 8),
      block(6, [0xff, 0xfe]),
      block(14, 'not even an entry \xff'),
      block(7, block(1, block(3, 'a'), block(6, new Uint8Array(1_000_000)))),
    )
    const { proto } = read(documented, { limits: { skeletonBytes: 20_000 } })
    expect(proto.graph!.node[0].name).toBe('a')
  })

  it('passes over unknown fields and counts them', () => {
    const unknown = [
      number(999, 5),
      block(999, 'x'),
      join(tag(1000, 5), [1, 2, 3, 4]),
      join(tag(1001, 1), new Uint8Array(8)),
    ]
    const file = read(join(modelWithGraph(block(2, 'g'), number(99, 1)), ...unknown))
    expect(file.proto.graph!.name).toBe('g')
    expect([...file.unknownFields].sort()).toEqual([
      ['GraphProto.99', 1],
      ['ModelProto.1000', 1],
      ['ModelProto.1001', 1],
      ['ModelProto.999', 2],
    ])
  })

  it('keeps our own field out of what files say', () => {
    const forged = modelWithTensor(number(1, 1), number(2, 1), number(536870911, 1))
    const file = read(forged)
    expect([...file.unknownFields.keys()]).toEqual(['TensorProto.536870911'])
    expect(errorOf(() => file.tensor(file.proto.graph!.initializer[0])).code).toBe('malformed')
  })

  it('takes packed and single dims together, and numbers to 64 bits', () => {
    const bytes = modelWithTensor(
      block(1, [2, 1]),
      number(1, 2),
      number(2, 1),
      block(9, ...[1, 2, 3, 4].map(float32)),
    )
    expect(read(bytes).proto.graph!.initializer[0].dims).toEqual([2, 1, 2])
    const ints = [
      0n,
      1n,
      -1n,
      2n ** 31n,
      2n ** 32n,
      -(2n ** 32n),
      2n ** 53n - 1n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ]
    const attribute = read(modelWithGraph(block(1, block(5, ...ints.map((value) => number(8, value))))))
    expect(attribute.proto.graph!.node[0].attribute[0].ints).toEqual(ints.map(Number))
  })

  it('reads lengths that are padded, as some writers leave them', () => {
    const graph = block(2, 'g')
    const padded = join(number(1, 8), tag(7, 2), [graph.length | 128, 0x80, 0x80, 0x00], graph)
    expect(read(padded).proto.graph!.name).toBe('g')
  })

  it('reads what it is given, whatever the names', () => {
    const name = fc.string({ unit: 'binary', maxLength: 12 })
    const ints = fc.array(fc.maxSafeInteger(), { maxLength: 6 })
    const floats = fc.array(fc.float(), { maxLength: 6 })
    const spec = fc.record({
      opType: name,
      name,
      domain: name,
      input: fc.array(name),
      output: fc.array(name),
      ints,
      floats,
    })
    fc.assert(
      fc.property(fc.array(spec, { maxLength: 5 }), name, (nodes, graphName) => {
        const written = nodes.map(({ ints, floats, ...rest }) => ({
          ...rest,
          attribute: [
            { name: 'ints', ints },
            { name: 'floats', floats },
          ],
        }))
        const { graph } = read(encode('ModelProto', { graph: { name: graphName, node: written } })).proto
        expect(graph!.name).toBe(graphName)
        const found = graph!.node.map(({ opType, name, domain, input, output, attribute }) => ({
          ...{ opType, name, domain, input, output, ints: attribute[0].ints, floats: attribute[1].floats },
        }))
        expect(found).toEqual(nodes)
      }),
      { numRuns: 200 },
    )
  })
})

const real = resolve(import.meta.dirname, '../../../shared/models/exact/iris.onnx')

describe.skipIf(!existsSync(real))('a real model', () => {
  it('is refused when cut short, wherever it is cut', () => {
    const bytes = readFileSync(real)
    const { refused, shorter } = readPrefixes(bytes)
    expect(refused).toBe(bytes.length - 1 - shorter.length)
    expect(shorter.map(({ proto }) => proto.opsetImport.length)).toEqual([0])
  })
})
