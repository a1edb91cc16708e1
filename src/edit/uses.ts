import type { Node, Value } from '../graph/graph.ts'
import { graphsOf } from '../graph/walk.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import { placeOf } from './place.ts'

/** A node that computes with data, and the input at which it reads a constant. */
export interface Reader {
  readonly node: Node
  readonly input: number
}

/** Who computes with a stored tensor: through how many other constants ever. */
export interface Uses {
  /** The values that hold the tensor or constants computed from it. */
  valuesFrom(tensor: StoredTensor): ReadonlySet<Value>
  /** The nodes that compute with data and any of these values. */
  readersOf(tensor: StoredTensor): readonly Reader[]
  /** The nodes that read a value, bodies included. */
  consumersOf(value: Value): readonly Reader[]
  /** Whether the value is an output of the model or of a body. */
  isResult(value: Value): boolean
  /** Whether one of these values is an output of the model or of a body. */
  isOutput(tensor: StoredTensor): boolean
}

/** Follows constants forward through all graphs of a model, bodies included. Linear in the model, once. */
export function usesOf(typed: TypedGraph): Uses {
  const consumers = new Map<Value, Reader[]>()
  const holders = new Map<string, Value[]>()
  const outputs = new Set<Value>()
  for (const graph of graphsOf(typed.graph)) {
    for (const output of graph.outputs) outputs.add(output)
    const values = [...graph.initializers, ...graph.nodes.flatMap(({ outputs: own }) => own)]
    for (const value of values) {
      const stored = value === null ? null : typed.operand(value).stored
      const place = stored === null ? null : placeOf(stored)
      if (value !== null && place !== null) holders.set(place, [...(holders.get(place) ?? []), value])
    }
    for (const node of graph.nodes) {
      for (const [input, value] of node.inputs.entries()) {
        if (value !== null) consumers.set(value, [...(consumers.get(value) ?? []), { node, input }])
      }
    }
  }

  function follow(tensor: StoredTensor): { values: Set<Value>; readers: Reader[] } {
    const place = placeOf(tensor)
    const values = new Set(place === null ? [] : (holders.get(place) ?? []))
    const readers: Reader[] = []
    const seen = new Set<Node>()
    for (const value of values) {
      for (const reader of consumers.get(value) ?? []) {
        const { node } = reader
        // shapes do not change with the elements
        if (typed.typed(node).operator?.foldsFrom === 'shapes') continue
        const constants = node.outputs.filter((output) => output !== null && typed.operand(output).isConstant)
        if (constants.length === 0) readers.push(reader)
        else if (!seen.has(node)) {
          seen.add(node)
          // a set that grows while it is walked through is walked through to its end
          for (const output of constants) values.add(output as Value)
        }
      }
    }
    return { values, readers }
  }

  return {
    consumersOf: (value) => consumers.get(value) ?? [],
    isResult: (value) => outputs.has(value),
    valuesFrom: (tensor) => follow(tensor).values,
    readersOf: (tensor) => follow(tensor).readers,
    isOutput: (tensor) => [...follow(tensor).values].some((value) => outputs.has(value)),
  }
}
