/** Tensors: data fields, sizes, element types, values that are no numbers, sparse tensors. */
import { type Message, type ModelSpec, node, sparse, tensor } from '../../helpers/onnx-builder.ts'
import {
  about,
  type Chapter,
  limit,
  malformed,
  norm1234,
  type Outcome,
  oneNode,
  plain,
  type Row,
  row,
} from '../row.ts'

const ones = new Uint8Array(Float32Array.of(1, 0, 0, 1).buffer)
const bytesOf = (...values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer)
const doubles = (...values: readonly number[]) => new Uint8Array(Float64Array.from(values).buffer)
const big = (exponent: number) => String(2n ** BigInt(exponent))

/** y = x·w for a weight that is written out. */
const weight = (message: Message, more: Partial<ModelSpec> = {}): ModelSpec => ({
  ...plain,
  ...more,
  initializers: { w: message },
})

/** y = x·cast(w), for weights that MatMul does not take as they are. */
const cast = (message: Message): ModelSpec => ({
  ...plain,
  initializers: { w: message },
  opset: 24,
  irVersion: 11,
  nodes: [node('Cast', ['w'], ['c'], { to: 1 }), node('MatMul', ['x', 'c'], ['y'])],
})

/** y = x·dequantised(w), for packed weights of four values. */
const dequantized = (message: Message): ModelSpec => ({
  ...plain,
  initializers: { w: message, scale: tensor([], [1]) },
  opset: 24,
  irVersion: 11,
  nodes: [node('DequantizeLinear', ['w', 'scale'], ['c']), node('MatMul', ['x', 'c'], ['y'])],
})

const square = (message: Message) => ({ dims: [2, 2], ...message })
const vector = (
  values: Message,
  indices: Message,
  dims: readonly (number | string)[],
  more: Partial<ModelSpec> = {},
): ModelSpec => ({
  ...plain,
  initializers: {},
  sparseInitializers: [
    { values: { name: 'w', dataType: 1, ...values }, indices: { dataType: 7, ...indices }, dims },
  ],
  ...more,
})

const data: Chapter = [
  row(
    'raw data and floats',
    weight(square({ dataType: 1, rawData: ones, floatData: [1000, 0, 0, 1000] })),
    malformed(/two places/),
  ),
  row(
    'floats and doubles',
    weight(square({ dataType: 1, floatData: [1, 2, 3, 4], doubleData: [1, 2, 3, 4] })),
    malformed(/two places/),
  ),
  row(
    'floats in the field of integers',
    weight(square({ dataType: 1, int32Data: [1, 2, 3, 4] })),
    malformed(/cannot stand in/),
  ),
  row(
    'raw data of a byte too few',
    weight(square({ dataType: 1, rawData: ones.subarray(1) })),
    malformed(/15 bytes/),
  ),
  row(
    'raw data of a byte too many',
    weight(square({ dataType: 1, rawData: new Uint8Array(17) })),
    malformed(/17 bytes/),
  ),
  row('a float too few', weight(square({ dataType: 1, floatData: [1, 2, 3] })), malformed(/3 values/)),
  row('a float too many', weight(square({ dataType: 1, floatData: [1, 2, 3, 4, 5] })), malformed(/5 values/)),
  row('no data at all', weight(square({ dataType: 1 })), malformed(/0 values/)),
  row('data for no elements', weight({ dims: [2, 0], dataType: 1, rawData: ones }), malformed(/16 bytes/)),
  row('a segment', weight(square({ dataType: 1, rawData: ones, segment: { begin: 0, end: 4 } })), {
    refused: 'unsupported',
    says: /segment/,
  }),
  row('a location that is not known', weight(square({ dataType: 1, rawData: ones, dataLocation: 7 })), {
    refused: 'unsupported',
    says: /data location/,
  }),
  row(
    'a tensor without a name',
    { ...plain, more: { initializer: [square({ dataType: 1, rawData: ones })] } },
    malformed(/no name/),
  ),
]

const sizes: Chapter = [
  row('a dim of -1', weight({ dims: [-1], dataType: 1, rawData: ones }), malformed(/negative dim -1/)),
  row(
    'a dim of -2^63',
    weight({ dims: [`-${big(63)}`], dataType: 1, rawData: ones }),
    malformed(/negative dim/),
  ),
  row(
    'two negative dims of a positive product',
    weight({ dims: [-2, -2], dataType: 1, rawData: ones }),
    malformed(/negative dim/),
  ),
  row(
    'dims whose product passes 2^64',
    weight({ dims: [big(62), 4], dataType: 1, rawData: ones }),
    limit(/dim/),
  ),
  row(
    'dims whose product is 4 modulo 2^64',
    weight({ dims: [big(32), big(32), 4], dataType: 1, rawData: ones }),
    limit(/elements/),
  ),
  row(
    '2^40 elements of no data',
    weight({ dims: [big(40)], dataType: 1 }),
    limit(/elements.*--limit tensorElements/),
  ),
  row('2^31 elements of no data', weight({ dims: [big(31)], dataType: 1 }), malformed(/0 values/)),
  row('a dim of 0 beside one of 2^62', weight({ dims: [0, big(62)], dataType: 1 }), limit(/dim/)),
  row(
    '2,000 dims',
    weight({ dims: Array(2000).fill(1), dataType: 1, rawData: ones }),
    limit(/2000 dims.*--limit rank/),
  ),
  row('65 dims', weight({ dims: Array(65).fill(1), dataType: 1, floatData: [1] }), limit(/65 dims/)),
]

const element = (what: string, message: Message, bound: number): Row =>
  row(`weights of ${what}`, cast(message), { bound: about(bound) })
const types: Chapter = [
  row('element type 0', weight(square({ dataType: 0, rawData: ones })), malformed(/no element type/)),
  row('element type -1', weight(square({ dataType: -1, rawData: ones })), {
    refused: 'unsupported',
    says: /element type -1/,
  }),
  row('element type 999', weight(square({ dataType: 999, rawData: ones })), {
    refused: 'unsupported',
    says: /element type 999/,
  }),
  row(
    'strings as a weight',
    weight(square({ dataType: 8, stringData: ['a', 'b', 'c', 'd'].map((text) => Buffer.from(text)) })),
    { refused: 'shape', says: /string/ },
  ),
  row('complex numbers as a weight', weight(square({ dataType: 14, floatData: [1, 0, 0, 0, 0, 0, 1, 0] })), {
    refused: 'shape',
    says: /complex64/,
  }),
  row('booleans as a weight', weight(square({ dataType: 9, rawData: Uint8Array.of(1, 0, 0, 1) })), {
    refused: 'shape',
    says: /bool/,
  }),
  element('float16 in int32_data', square({ dataType: 10, int32Data: [0x4200, 0, 0, 0x3c00] }), 3),
  element(
    'bfloat16',
    square({ dataType: 16, rawData: Uint8Array.of(0x40, 0x40, 0, 0, 0, 0, 0x80, 0x3f) }),
    3,
  ),
  element('float8e4m3fn', square({ dataType: 17, rawData: Uint8Array.of(0x7e, 0, 0, 0x38) }), 448),
  element('float8e4m3fnuz', square({ dataType: 18, rawData: Uint8Array.of(0x7f, 0, 0, 0x40) }), 240),
  element('float8e5m2', square({ dataType: 19, rawData: Uint8Array.of(0x7b, 0, 0, 0x3c) }), 57344),
  element('float8e5m2fnuz', square({ dataType: 20, rawData: Uint8Array.of(0x7f, 0, 0, 0x40) }), 57344),
  element('float8e8m0', square({ dataType: 24, rawData: Uint8Array.of(127, 0, 0, 127) }), 1),
  element('float4', square({ dataType: 23, rawData: Uint8Array.of(0x07, 0x20) }), 6),
  row(
    'weights of int4, an odd number',
    {
      ...dequantized({ dims: [1, 3], dataType: 22, rawData: Uint8Array.of(0x7f, 0x08) }),
      inputs: { x: [1, 1] },
    },
    { bound: about(Math.hypot(-1, 7, -8)) },
  ),
  row('weights of uint4 in int32_data', dequantized(square({ dataType: 21, int32Data: [0x03, 0x40] })), {
    bound: about(4),
  }),
  row(
    'eight of int4 in one int32',
    { ...dequantized({ dims: [2, 4], dataType: 22, int32Data: [0x11111111] }) },
    malformed(/1 values/),
  ),
  row(
    'a packed byte above 255',
    dequantized(square({ dataType: 21, int32Data: [0x103, 0x40] })),
    malformed(/does not fit/),
  ),
  row(
    'float16 bits above 16',
    cast(square({ dataType: 10, int32Data: [0x14200, 0, 0, 0] })),
    malformed(/does not fit/),
  ),
  row('an int8 of 300', cast(square({ dataType: 3, int32Data: [300, 0, 0, 1] })), malformed(/does not fit/)),
]

const values: Chapter = [
  ...(
    [
      ['NaN', Number.NaN],
      ['infinity', Infinity],
      ['minus infinity', -Infinity],
    ] as const
  ).map(([what, value]) =>
    row(`a weight of ${what}`, weight(tensor([2, 2], [1, 0, 0, value])), {
      unbounded: /not finite/,
    } as Outcome),
  ),
  row(
    'a bias of NaN',
    {
      ...plain,
      initializers: { w: tensor([2, 2], [1, 2, 3, 4]), b: [Number.NaN, 0] },
      nodes: [node('Gemm', ['x', 'w', 'b'], ['y'])],
    },
    { unbounded: /finite|NaN|not a number/ },
  ),
  row('weights of 1e38', weight(tensor([2, 2], [1e38, 1e38, 1e38, 1e38])), { bound: [1.9999e38, 2.01e38] }),
  row(
    'weights of 1e300 in float64',
    {
      ...weight({ dims: [2, 2], dataType: 11, rawData: doubles(1e300, 1e300, 1e300, 1e300) }),
      inputs: { x: { type: 'float64', shape: [1, 2] } },
    },
    { bound: about(2e300) },
  ),
  row('denormal weights', weight({ dims: [2, 2], dataType: 1, rawData: bytesOf(1e-45, 0, 0, 1e-45) }), {
    bound: [1.4e-45, 1.5e-45],
  }),
  row(
    'denormal weights of float64',
    {
      ...weight({ dims: [2, 2], dataType: 11, rawData: doubles(5e-324, 0, 0, 5e-324) }),
      inputs: { x: { type: 'float64', shape: [1, 2] } },
    },
    { bound: [5e-324, 1e-300] },
  ),
  row('minus zeros', weight(tensor([2, 2], [-0, -0, -0, -0])), { bound: [0, 0] }),
  row('zeros', weight(tensor([2, 2], [0, 0, 0, 0])), { bound: [0, 0] }),
  row(
    'a weight of no rows',
    { ...weight({ dims: [0, 2], dataType: 1 }), inputs: { x: [1, 0] } },
    { bound: [0, 0] },
  ),
  row('a weight of no columns', { ...weight({ dims: [2, 0], dataType: 1 }) }, { bound: [0, 0] }),
  row(
    'a weight of one number',
    { ...weight(tensor([1, 1], [-3])), inputs: { x: [1, 1] } },
    { bound: about(3) },
  ),
  row('a weight of rank one', weight(tensor([2, 2], [1, 2, 2, 4])), { bound: about(5) }),
  row('two largest singular values', weight(tensor([2, 2], [0, 7, -7, 0])), { bound: about(7) }),
]

const sparses: Chapter = [
  row('a sparse weight', vector({ dims: [2], floatData: [2, 3] }, { dims: [2], int64Data: [0, 3] }, [2, 2]), {
    bound: about(3),
  }),
  row(
    'sparse indices out of order',
    vector({ dims: [2], floatData: [2, 3] }, { dims: [2], int64Data: [3, 0] }, [2, 2]),
    malformed(/ascending/),
  ),
  row(
    'sparse indices twice',
    vector({ dims: [2], floatData: [2, 3] }, { dims: [2], int64Data: [1, 1] }, [2, 2]),
    malformed(/ascending/),
  ),
  row(
    'a sparse index beyond the end',
    vector({ dims: [2], floatData: [2, 3] }, { dims: [2], int64Data: [0, 4] }, [2, 2]),
    malformed(/outside/),
  ),
  row(
    'a negative sparse index',
    vector({ dims: [2], floatData: [2, 3] }, { dims: [2], int64Data: [-1, 3] }, [2, 2]),
    malformed(/outside/),
  ),
  row(
    'fewer sparse indices than values',
    vector({ dims: [2], floatData: [2, 3] }, { dims: [1], int64Data: [0] }, [2, 2]),
    malformed(/do not fit/),
  ),
  row(
    'sparse indices of int32',
    vector({ dims: [2], floatData: [2, 3] }, { dataType: 6, dims: [2], int32Data: [0, 3] }, [2, 2]),
    malformed(/do not fit/),
  ),
  row(
    'sparse indices of three axes for two',
    vector({ dims: [1], floatData: [2] }, { dims: [1, 3], int64Data: [0, 0, 0] }, [2, 2]),
    malformed(/do not fit/),
  ),
  row(
    'a sparse weight without values',
    {
      ...plain,
      initializers: {},
      sparseInitializers: [{ indices: { dataType: 7, dims: [0] }, dims: [2, 2] }],
    },
    malformed(/values|name/),
  ),
  row(
    'a sparse weight of 2^62 elements',
    vector({ dims: [1], floatData: [2] }, { dims: [1], int64Data: [0] }, [big(31), big(31)]),
    limit(/elements/),
  ),
  row(
    'a sparse weight of 2^30 elements',
    vector({ dims: [1], floatData: [2] }, { dims: [1], int64Data: [0] }, [big(15), big(15)]),
    limit(/sparseElements/),
  ),
  row(
    'a sparse weight and another of its name',
    vector({ dims: [1], floatData: [2] }, { dims: [1], int64Data: [0] }, [2, 2], {
      initializers: plain.initializers,
    }),
    malformed(/elsewhere too/),
  ),
  row(
    'a sparse weight beside dims that are negative',
    vector({ dims: [1], floatData: [2] }, { dims: [1], int64Data: [0] }, [-2, -2]),
    malformed(/negative/),
  ),
  row(
    'a constant of 2^30 sparse elements',
    {
      ...oneNode('Identity'),
      nodes: [
        node('Constant', [], ['w'], {
          sparse_value: sparse({
            values: { dims: [1], dataType: 1, floatData: [2] },
            indices: { dims: [1], dataType: 7, int64Data: [0] },
            dims: [big(15), big(15)],
          }),
        }),
        node('MatMul', ['x', 'w'], ['y']),
      ],
    },
    limit(/sparseElements/),
  ),
]

export const tensors: Chapter = [
  ...data,
  ...sizes,
  ...types,
  ...values,
  ...sparses,
  row('the model that rows change', plain, { bound: about(norm1234) }),
]
