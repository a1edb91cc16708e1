/** Wire format: what lenient decoders let through, read differently, or fail on. */
import { encode, graph, model, tensor } from '../../helpers/onnx-builder.ts'
import { block, float32, join, number, tag, varint } from '../../helpers/wire.ts'
import { about, type Bytes, type Chapter, limit, malformed, norm1234, plain, raw } from '../row.ts'

const head = join(number(1, 8), block(8, number(2, 13)))
const graphBytes = () => encode('GraphProto', graph(plain))
const withGraph = (...content: readonly Bytes[]) => join(head, block(7, ...content))

/** A graph whose one initializer is made of these fields, and whose node reads it. */
const withTensor = (...fields: readonly Bytes[]) =>
  withGraph(encode('GraphProto', graph({ ...plain, initializers: {} })), block(5, ...fields))
const name = block(8, 'w')
const rawOnes = block(9, new Uint8Array(Float32Array.of(1, 0, 0, 1).buffer))
const dims22 = block(1, [2, 2])

/** A node of these fields behind x, before y. */
const withNode = (...fields: readonly Bytes[]) =>
  withGraph(
    encode('GraphProto', graph({ inputs: plain.inputs, outputs: ['y'] })),
    block(1, block(1, 'x'), block(2, 'y'), ...fields),
  )

/** Message inside message, from the inside out. */
function nested(depth: number, wrap: (inner: Bytes) => Bytes, innermost: Bytes = new Uint8Array(0)): Bytes {
  let bytes = innermost
  for (let i = 0; i < depth; i++) bytes = wrap(bytes)
  return bytes
}

/** The same bytes again and again. */
function repeated(bytes: Bytes, times: number): Bytes {
  return new Uint8Array(Buffer.alloc(bytes.length * times, bytes))
}

/** Blocks inside blocks of the fields in turn, without building each: linear in the depth. */
function nestedBlocks(depth: number, fields: readonly number[]): Bytes {
  const target = new Uint8Array(depth * 8)
  let at = target.length
  for (let i = depth - 1; i >= 0; i--) {
    for (const bytes of [varint(target.length - at), tag(fields[i % fields.length], 2)]) {
      at -= bytes.length
      target.set(bytes, at)
    }
  }
  return target.subarray(at)
}

const attributeGraph = (inner: Bytes) =>
  block(1, block(4, 'If'), block(5, block(1, 'then_branch'), number(20, 5), block(6, inner)))

export const wire: Chapter = [
  raw('an unknown field', () => join(model(plain), number(999, 1)), { finding: 'unknown-field' }),
  raw(
    'a length of 2^32 - 1',
    () => join(tag(7, 2), varint(2 ** 32 - 1)),
    malformed(/past the end of the file/),
  ),
  raw('a length of 2^63', () => join(tag(7, 2), varint(2n ** 63n)), malformed(/past the end of the file/)),
  raw(
    'a varint of eleven bytes',
    () => join(tag(1, 0), new Uint8Array(10).fill(0x80), [1]),
    malformed(/varint/),
  ),
  raw('a varint above 2^64', () => join(tag(1, 0), new Uint8Array(9).fill(0xff), [2]), malformed(/varint/)),
  raw('a tag of six bytes', () => join([0x88, 0x80, 0x80, 0x80, 0x80, 0], [1]), malformed(/tag/)),
  raw('a tag above 32 bits', () => join([0x88, 0x80, 0x80, 0x80, 0x7f], [1]), malformed(/tag/)),
  raw('field number 0', () => join(model(plain), [2, 0]), malformed(/field number 0/)),
  raw('wire type 6', () => join(model(plain), [0x7e]), malformed(/wire type/)),
  raw('wire type 7', () => join(model(plain), [0x7f]), malformed(/wire type/)),
  raw('the end of a group that does not begin', () => join(model(plain), tag(99, 4)), malformed(/group/)),
  raw('a group', () => join(model(plain), tag(99, 3), tag(99, 4)), malformed(/group/)),
  raw(
    '200,000 groups inside one another',
    () => join(model(plain), repeated(tag(99, 3), 200_000)),
    malformed(/group/),
  ),
  raw(
    'a message past the end of the one around it',
    () => join(head, tag(7, 2), varint(4), tag(1, 2), varint(40), new Uint8Array(60)),
    malformed(/past the end of its message/),
  ),
  raw(
    'a name past the end of the file',
    () => join(head, tag(2, 2), varint(100), [65, 66]),
    malformed(/past the end of the file/),
  ),
  raw(
    'a float that its message ends in',
    () =>
      join(
        withNode(block(4, 'Elu'), block(5, block(1, 'alpha'), number(20, 1), tag(2, 5), [0, 0])),
        number(4, 1),
      ),
    malformed(/past the end|ends in the middle/),
  ),
  raw(
    '50 graphs inside one another',
    () => withGraph(nested(50, attributeGraph)),
    limit(/inside one another.*messageDepth/),
  ),
  raw(
    '5,000 graphs inside one another',
    () => withGraph(nestedBlocks(15_000, [1, 5, 6])),
    limit(/inside one another/),
  ),
  raw(
    '200,000 graphs inside one another',
    () => withGraph(nestedBlocks(600_000, [1, 5, 6])),
    limit(/inside one another/),
  ),
  raw(
    '200,000 sequence types inside one another',
    () => withGraph(block(11, block(1, 'x'), block(2, nestedBlocks(400_000, [4, 1])))),
    limit(/inside one another/),
  ),
  raw(
    'two graphs',
    () => join(head, block(7, graphBytes()), block(7, graphBytes())),
    malformed(/second graph/),
  ),
  raw('two versions of the format', () => join(number(1, 8), model(plain)), malformed(/second irVersion/)),
  raw(
    'an attribute with two tensors',
    () => {
      const value = (x: number) => block(5, number(2, 1), block(4, float32(x)))
      const attribute = block(5, block(1, 'value'), number(20, 4), value(1), value(1000))
      return withGraph(
        encode(
          'GraphProto',
          graph({
            ...plain,
            inputs: { x: [1] },
            initializers: {},
            nodes: [{ opType: 'Mul', input: ['x', 'w'], output: ['y'] }],
          }),
        ),
        block(1, block(2, 'w'), block(4, 'Constant'), attribute),
      )
    },
    malformed(/second (value|t\b)/),
  ),
  raw(
    'an attribute with an integer twice',
    () =>
      withNode(block(4, 'Softmax'), block(5, block(1, 'axis'), number(20, 2), number(3, 0), number(3, 1))),
    malformed(/second/),
  ),
  raw(
    'an attribute with two types',
    () =>
      withNode(block(4, 'Softmax'), block(5, block(1, 'axis'), number(20, 2), number(20, 2), number(3, 1))),
    malformed(/second type/),
  ),
  raw(
    'an operator with two names',
    () => withNode(block(4, 'Relu'), block(4, 'Exp')),
    malformed(/second opType/),
  ),
  raw(
    'a dimension with a size and a name',
    () => {
      const dim = block(1, number(1, 2), block(2, 'n'))
      const info = block(11, block(1, 'x'), block(2, block(1, number(1, 1), block(2, dim))))
      return withGraph(encode('GraphProto', graph({ ...plain, inputs: {} })), info)
    },
    malformed(/second value/),
  ),
  raw(
    'a tensor with two types',
    () => withTensor(name, dims22, number(2, 1), number(2, 11), rawOnes),
    malformed(/second dataType/),
  ),
  raw(
    'a tensor with raw data twice',
    () => withTensor(name, dims22, number(2, 1), rawOnes, rawOnes),
    malformed(/second rawData/),
  ),
  raw(
    'a tensor with dims as fixed32',
    () => withTensor(name, tag(1, 5), float32(2), number(2, 1), rawOnes),
    malformed(/dims has wire type 5/),
  ),
  raw(
    'dims packed and single, mixed',
    () => withTensor(name, block(1, [2]), number(1, 2), number(2, 1), rawOnes),
    { bound: about(1) },
  ),
  raw(
    'floats packed and single, mixed',
    () =>
      withTensor(
        name,
        dims22,
        number(2, 1),
        block(4, float32(1), float32(0)),
        tag(4, 5),
        float32(0),
        tag(4, 5),
        float32(1),
      ),
    { bound: about(1) },
  ),
  raw(
    'packed floats of 15 bytes',
    () => withTensor(name, dims22, number(2, 1), block(4, new Uint8Array(15))),
    malformed(/multiple of 4/),
  ),
  raw(
    'packed integers that end in the middle',
    () => withTensor(name, block(1, [2, 0x80]), number(2, 1), rawOnes),
    malformed(/middle of a varint/),
  ),
  raw('fields in reverse order', () => withTensor(rawOnes, number(2, 1), dims22, name), { bound: about(1) }),
  raw(
    'a length in more bytes than it needs',
    () =>
      join(
        head,
        tag(7, 2),
        (() => {
          const content = graphBytes()
          return join([(content.length & 127) | 128, (content.length >> 7) | 128, 0x80, 0], content)
        })(),
      ),
    { bound: about(norm1234) },
  ),
  raw(
    'names that differ in invalid UTF-8 alone',
    () => {
      const weight = (byte: number, scale: number) =>
        block(
          5,
          block(8, join([0x77], [byte])),
          dims22,
          number(2, 1),
          block(9, new Uint8Array(Float32Array.of(scale, 0, 0, scale).buffer)),
        )
      const reads = block(1, block(1, 'x'), block(1, join([0x77], [0xff])), block(2, 'y'), block(4, 'MatMul'))
      return withGraph(
        encode('GraphProto', graph({ inputs: plain.inputs, outputs: ['y'] })),
        weight(0xff, 1000),
        weight(0xfe, 1),
        reads,
      )
    },
    malformed(/UTF-8/),
  ),
  ...[
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point above 10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['half of a character', [0xe2, 0x82]],
  ].map(([what, bytes]) =>
    raw(
      `${what} in a name`,
      () => withNode(block(4, 'Relu'), block(3, bytes as number[])),
      malformed(/UTF-8/),
    ),
  ),
  raw(
    'invalid UTF-8 in a domain',
    () => join(model(plain), block(8, block(1, [0xff]), number(2, 1))),
    malformed(/UTF-8/),
  ),
  raw('an operator in invalid UTF-8', () => withNode(block(4, [0xff])), malformed(/UTF-8/)),
  raw(
    'a million empty nodes',
    () => withGraph(new Uint8Array(2_000_000).fill(0).map((_, i) => (i % 2 === 0 ? 0x0a : 0))),
    limit(/250000 nodes.*--limit nodes/),
    { isHeavy: true },
  ),
  raw(
    'a million empty initializers',
    () => withGraph(new Uint8Array(2_000_000).map((_, i) => (i % 2 === 0 ? 0x2a : 0))),
    limit(/500000 tensors/),
    { isHeavy: true },
  ),
  raw(
    'ten million empty names',
    () =>
      withGraph(
        block(
          1,
          new Uint8Array(20_000_000).map((_, i) => (i % 2 === 0 ? 0x0a : 0)),
        ),
      ),
    limit(/8000000 strings/),
    { isHeavy: true },
  ),
  raw(
    '20 million integers in an attribute',
    () =>
      withNode(
        block(4, 'Relu'),
        block(5, block(1, 'a'), number(20, 7), block(8, new Uint8Array(20_000_000))),
      ),
    limit(/16000000 numbers/),
    { isHeavy: true },
  ),
  raw(
    '20 million packed int64 in a tensor of one',
    () => withTensor(name, block(1, [1]), number(2, 7), block(7, new Uint8Array(2 * 10 ** 7))),
    malformed(/20000000 values/),
    { isHeavy: true },
  ),
  raw(
    '20 million dims',
    () => withTensor(name, block(1, new Uint8Array(20_000_000).fill(1)), number(2, 1), rawOnes),
    limit(/16000000 numbers/),
    { isHeavy: true },
  ),
  raw(
    '3 million value infos',
    () => withGraph(new Uint8Array(6_000_000).map((_, i) => (i % 2 === 0 ? 0x6a : 0))),
    limit(/2000000 messages/),
    { isHeavy: true },
  ),
  raw(
    'a million pieces of one tensor',
    () =>
      withTensor(
        name,
        dims22,
        number(2, 1),
        repeated(join(block(4, float32(1)), block(10, new Uint8Array(8))), 1_100_000),
      ),
    limit(/2000000 messages/),
    { isHeavy: true },
  ),
  raw(
    '10,001 functions',
    () =>
      join(
        model(plain),
        ...Array.from({ length: 10_001 }, (_, i) => block(25, block(1, `f${i}`), block(10, 'own'))),
      ),
    limit(/10000 functions/),
  ),
  raw(
    'documentation of 30 MB',
    () => join(model(plain), block(6, new Uint8Array(3 * 10 ** 7).fill(65))),
    { bound: about(norm1234) },
    { isHeavy: true },
  ),
  raw(
    'metadata of 30 MB',
    () => join(model(plain), block(14, block(1, 'k'), block(2, new Uint8Array(3 * 10 ** 7).fill(65)))),
    { bound: about(norm1234) },
    { isHeavy: true },
  ),
  raw(
    'a name of 30 MB beyond a lowered limit',
    () => withNode(block(4, 'Relu'), block(3, new Uint8Array(3 * 10 ** 7).fill(65))),
    limit(/structure without tensor data/),
    { isHeavy: true, args: ['--limit', 'skeletonBytes=1MiB'] },
  ),
  raw(
    'an initializer of a message that is no tensor',
    () =>
      withGraph(
        encode('GraphProto', graph({ ...plain, initializers: {} })),
        block(5, block(1, 'w'), tensorFree()),
      ),
    malformed(/./),
  ),
]

function tensorFree(): Bytes {
  return encode('TensorProto', { ...tensor([2, 2], [1, 2, 3, 4]), name: 'w', dims: [] })
}
