import type { AttributeProto, GraphProto } from '../onnx/generated/onnx.d.ts'
import type { ModelFile } from '../onnx/model-file.ts'
import type { Attribute, Graph } from './graph.ts'
import { malformed } from './malformed.ts'

/** What decoding an attribute needs from the place where it stands. */
export interface AttributePlace {
  readonly file: ModelFile
  readonly node: string
  /** Opens a body graph that is built later. */
  body(proto: GraphProto): Graph
}

type Field = Exclude<keyof AttributeProto, 'name' | 'type' | 'value' | 'refAttrName'>

interface AttributeKind {
  readonly field: Field
  decode(proto: AttributeProto, place: AttributePlace): Attribute
}

const utf8 = new TextDecoder()

/** Writers leave out zeros and empty strings: a scalar that is not set has its zero value. */
const kinds = new Map<number, AttributeKind>([
  [1, { field: 'f', decode: (proto) => ({ kind: 'float', value: proto.f ?? 0 }) }],
  [2, { field: 'i', decode: (proto) => ({ kind: 'int', value: proto.i ?? 0 }) }],
  [
    3,
    {
      field: 's',
      decode: (proto) => ({ kind: 'string', value: proto.s === null ? '' : utf8.decode(proto.s) }),
    },
  ],
  [
    4,
    {
      field: 't',
      decode: (proto, { file, node }) => ({
        kind: 'tensor',
        value: file.tensor(present(proto.t, proto, node)),
      }),
    },
  ],
  [
    5,
    {
      field: 'g',
      decode: (proto, place) => ({ kind: 'graph', value: place.body(present(proto.g, proto, place.node)) }),
    },
  ],
  [6, { field: 'floats', decode: (proto) => ({ kind: 'floats', value: proto.floats }) }],
  [7, { field: 'ints', decode: (proto) => ({ kind: 'ints', value: proto.ints }) }],
  [
    8,
    {
      field: 'strings',
      decode: (proto) => ({ kind: 'strings', value: proto.strings.map((text) => utf8.decode(text)) }),
    },
  ],
  [
    9,
    {
      field: 'tensors',
      decode: (proto, { file }) => ({ kind: 'tensors', value: proto.tensors.map(file.tensor) }),
    },
  ],
  [
    10,
    { field: 'graphs', decode: (proto, place) => ({ kind: 'graphs', value: proto.graphs.map(place.body) }) },
  ],
  [
    11,
    {
      field: 'sparseTensor',
      decode: (proto, { file, node }) => ({
        kind: 'tensor',
        value: file.sparseTensor(present(proto.sparseTensor, proto, node)),
      }),
    },
  ],
  [
    12,
    {
      field: 'sparseTensors',
      decode: (proto, { file }) => ({ kind: 'tensors', value: proto.sparseTensors.map(file.sparseTensor) }),
    },
  ],
  [13, { field: 'tp', decode: () => ({ kind: 'other', value: null }) }],
  [14, { field: 'typeProtos', decode: () => ({ kind: 'other', value: null }) }],
])

/** The fields that hold values, with the type that each belongs to. */
const listFields = [...kinds.values()].map((kind) => kind.field)

/**
 * Decodes an attribute. Its type must be stated and be that of the one field that is set: runtimes disagree on
 * what else to make of it. Throws `malformed`. Before IR version 2 (`typed` false) the set field tells the type.
 */
export function decodeAttribute(proto: AttributeProto, place: AttributePlace, typed: boolean): Attribute {
  const set = listFields.filter((field) => isSet(proto, field))
  const type = proto.type === 0 && !typed ? typeOfField(set[0]) : proto.type
  const kind = kinds.get(type)
  if (kind === undefined) {
    const reason = type === 0 ? 'does not say its type' : `has type ${type}, which the format does not have`
    throw malformed(`attribute '${proto.name}' ${reason}`, { node: place.node })
  }
  const other = set.find((field) => field !== kind.field)
  if (other !== undefined) {
    throw malformed(`attribute '${proto.name}' holds '${other}', its type says '${kind.field}'`, {
      node: place.node,
    })
  }
  return kind.decode(proto, place)
}

/** Types that attributes of each kind are decoded from. */
const typesOf: Record<Attribute['kind'], readonly number[]> = {
  ...{ float: [1], int: [2], string: [3], tensor: [4, 11], graph: [5] },
  ...{ floats: [6], ints: [7], strings: [8], tensors: [9, 12], graphs: [10], other: [13, 14] },
}

/** Whether an attribute is what a type of the format says. */
export function isOfType({ kind }: Attribute, type: number): boolean {
  return typesOf[kind].includes(type)
}

/** Whether the attribute carries a value of its own: one that refers to a function's attribute must not. */
export function hasValue(proto: AttributeProto): boolean {
  return listFields.some((field) => isSet(proto, field))
}

function isSet(proto: AttributeProto, field: Field): boolean {
  const value = proto[field]
  return Array.isArray(value) ? value.length > 0 : proto.value === field
}

function typeOfField(field: Field | undefined): number {
  for (const [type, kind] of kinds) if (kind.field === field) return type
  return 0
}

function present<T>(value: T | null, proto: AttributeProto, node: string): T {
  if (value === null) throw malformed(`attribute '${proto.name}' holds no value`, { node })
  return value
}
