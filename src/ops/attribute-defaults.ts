import type { Attribute, Node } from '../graph/graph.ts'

type Default = (node: Node) => Attribute['value']

const always =
  (value: Attribute['value']): Default =>
  () =>
    value

/** What attributes mean where they are not given: what some exporters write and others leave out. */
const anywhere: ReadonlyMap<string, Default> = new Map([
  ['group', always(1)],
  ['auto_pad', always('NOTSET')],
  ['ceil_mode', always(0)],
  ['storage_order', always(0)],
  ['count_include_pad', always(0)],
  ['keepdims', always(1)],
  ['noop_with_empty_axes', always(0)],
  ['allowzero', always(0)],
  ['training_mode', always(0)],
  ['channels_last', always(0)],
  ['transA', always(0)],
  ['transB', always(0)],
  ['beta', always(1)],
])

const own: ReadonlyMap<string, Default> = new Map([
  ['Flatten axis', always(1)],
  ['Gemm alpha', always(1)],
  ['LeakyRelu alpha', always(Math.fround(0.01))],
  ['Elu alpha', always(1)],
  ['Celu alpha', always(1)],
  ['Softmax axis', ({ version }) => (version >= 13 ? -1 : 1)],
  ['LogSoftmax axis', ({ version }) => (version >= 13 ? -1 : 1)],
  ['BatchNormalization epsilon', always(Math.fround(1e-5))],
  ['LayerNormalization epsilon', always(Math.fround(1e-5))],
  ['LayerNormalization axis', always(-1)],
  ['InstanceNormalization epsilon', always(Math.fround(1e-5))],
  ['Clip min', always(-3.4028234663852886e38)],
  ['Clip max', always(3.4028234663852886e38)],
  ['DequantizeLinear axis', always(1)],
  ['QuantizeLinear axis', always(1)],
  ['Gelu approximate', always('none')],
])

/** Lists whose entries are all this number where they are not given. */
const uniform: ReadonlyMap<string, number> = new Map([
  ['strides', 1],
  ['dilations', 1],
  ['pads', 0],
])

/** The attribute's value, its default where it is not given; undefined where it has none that is known here. */
export function valueOrDefault(node: Node, name: string): Attribute['value'] | undefined {
  const given = node.attributes.get(name)
  if (given !== undefined) return given.value
  const find = own.get(`${node.op} ${name}`) ?? anywhere.get(name)
  return find?.(node)
}

/** Whether a list says no more than its absence. */
export function isUniformDefault(name: string, value: Attribute['value']): boolean {
  const entry = uniform.get(name)
  return entry !== undefined && Array.isArray(value) && value.every((number) => number === entry)
}
