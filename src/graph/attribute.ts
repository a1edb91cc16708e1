import { LipschitzError } from '../core/errors.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import type { Attribute, Graph, Node } from './graph.ts'

type Kind = Attribute['kind']
type ValueOf<K extends Kind> = Extract<Attribute, { kind: K }>['value']

/** How the specification calls each kind, for messages. */
const words = {
  float: 'a float',
  int: 'an integer',
  string: 'a string',
  tensor: 'a tensor',
  graph: 'a graph',
  floats: 'a list of floats',
  ints: 'a list of integers',
  strings: 'a list of strings',
  tensors: 'a list of tensors',
  graphs: 'a list of graphs',
  other: 'of an unknown type',
} as const satisfies Record<Kind, string>

function read<K extends Kind>(node: Node, name: string, kind: K): ValueOf<K> | null {
  const attribute = node.attributes.get(name)
  if (attribute === undefined) return null
  if (attribute.kind !== kind) {
    throw new LipschitzError(
      'malformed',
      `attribute '${name}' of ${node.op} must be ${words[kind]}, it is ${words[attribute.kind]}`,
      {
        node: node.name,
      },
    )
  }
  return attribute.value as ValueOf<K> | null
}

/** Whether the node carries the attribute, of whatever kind. */
export function hasAttribute(node: Node, name: string): boolean {
  return node.attributes.has(name)
}

/**
 * The readers below return the attribute's value, or `fallback` where the node does not carry it; they throw
 * `malformed` where it is of another kind. Integers beyond 2^53 arrive rounded.
 */
export function intAttribute<F extends number | null>(node: Node, name: string, fallback: F): number | F {
  return read(node, name, 'int') ?? fallback
}

export function floatAttribute<F extends number | null>(node: Node, name: string, fallback: F): number | F {
  return read(node, name, 'float') ?? fallback
}

export function stringAttribute<F extends string | null>(node: Node, name: string, fallback: F): string | F {
  return read(node, name, 'string') ?? fallback
}

export function intsAttribute<F extends readonly number[] | null>(
  node: Node,
  name: string,
  fallback: F,
): readonly number[] | F {
  return read(node, name, 'ints') ?? fallback
}

export function floatsAttribute<F extends readonly number[] | null>(
  node: Node,
  name: string,
  fallback: F,
): readonly number[] | F {
  return read(node, name, 'floats') ?? fallback
}

export function stringsAttribute<F extends readonly string[] | null>(
  node: Node,
  name: string,
  fallback: F,
): readonly string[] | F {
  return read(node, name, 'strings') ?? fallback
}

/** The stored tensor of an attribute; null where the node does not carry it. */
export function tensorAttribute(node: Node, name: string): StoredTensor | null {
  return read(node, name, 'tensor')
}

/** The body graph of an attribute; null where the node does not carry it. */
export function graphAttribute(node: Node, name: string): Graph | null {
  return read(node, name, 'graph')
}
