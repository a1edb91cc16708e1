import type { Node, Value } from '../graph/graph.ts'
import type { PlacedLayer } from '../infer/layers.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import { fusedBias, isDequantizer, proportionalInputs, quantizedWeight } from '../ops/proportional.ts'
import { isWritable } from './element-encoding.ts'
import { placeOf } from './place.ts'
import type { Uses } from './uses.ts'

/** The stored tensor that a layer's weight is proportional to, or why there is none that may be scaled. */
export type Scalable =
  | { readonly tensor: StoredTensor; readonly place: string; readonly reason: null }
  | { readonly tensor: null; readonly reason: string }

const refused = (reason: string): Scalable => ({ tensor: null, reason })

/** So many constants are looked at behind one weight. */
const reach = 64

/**
 * Finds what to multiply so that a layer's weight, and nothing else that the network computes, is multiplied. Walks
 * back from the weight over operators whose result is proportional to one of their inputs; of several candidates the
 * smallest counts (the scales of quantised weights, the lengths of normalised ones).
 */
export function scalableTensor(typed: TypedGraph, layer: PlacedLayer, uses: Uses): Scalable {
  const { node, spec } = layer
  const input = node.inputs.findIndex(
    (value) => value?.name === spec.weightName && typed.operand(value).isConstant,
  )
  if (input < 0) return refused('its weights are attributes of the node')
  const quantized = quantizedWeight(node, input)
  if (quantized?.scale === null) return refused('its weights are integers without a scale of their own')
  const source = quantized === null ? node.inputs[input] : node.inputs[quantized.scale]
  if (!source) return refused('its weights are integers without a scale of their own')
  const isTied =
    quantized === null ? hasIntegerBias(typed, node) : hasBias(typed, node.inputs[quantized.bias ?? -1])
  const candidates = candidatesBehind(typed, source)
  let reason = 'its weights are computed in a way that cannot be scaled at one place'
  for (const { tensor, path, isScale } of candidates) {
    const place = placeOf(tensor)
    if (place === null) reason = 'its weights are stored as a sparse tensor'
    else if (!isWritable(tensor.type))
      reason = `its weights are stored as ${tensor.type}, which scaling would round`
    else if ((isScale || quantized !== null) && isTied)
      reason = 'its bias is stored in units of the scale of its weights, and would be scaled with them'
    else if (forks(typed, tensor, path, uses))
      reason = `'${tensor.name}' enters its weights in more than one way`
    else return { tensor, place, reason: null }
  }
  return refused(reason)
}

interface Candidate {
  readonly tensor: StoredTensor
  /** Nodes between the tensor and the weight. */
  readonly path: ReadonlySet<Node>
  /** Whether it is the scale of integers. */
  readonly isScale: boolean
}

function candidatesBehind(typed: TypedGraph, source: Value): Candidate[] {
  const found: Candidate[] = []
  const open: { value: Value; path: readonly Node[]; isScale: boolean }[] = [
    { value: source, path: [], isScale: false },
  ]
  for (let looked = 0; open.length > 0 && looked < reach; looked++) {
    const { value, path, isScale } = open.pop()!
    const { stored } = typed.operand(value)
    if (stored !== null) found.push({ tensor: stored, path: new Set(path), isScale })
    const node = value.producer
    if (stored !== null || node === null || node.outputs[0] !== value) continue
    for (const i of proportionalInputs(node)) {
      const next = node.inputs[i]
      if (next && typed.operand(next).isConstant)
        open.push({ value: next, path: [...path, node], isScale: isScale || isDequantizer(node) })
    }
  }
  return found.sort((a, b) => a.tensor.size - b.tensor.size)
}

/** Whether some node on the way reads the tensor, or what is computed from it, twice. */
function forks(_typed: TypedGraph, tensor: StoredTensor, path: ReadonlySet<Node>, uses: Uses): boolean {
  const reached = uses.valuesFrom(tensor)
  for (const node of path) {
    if (node.inputs.filter((value) => value !== null && reached.has(value)).length !== 1) return true
  }
  return false
}

/** A bias of integers that is dequantised just before the node. */
function hasIntegerBias(typed: TypedGraph, node: Node): boolean {
  const at = fusedBias(node)
  const producer = at === null ? null : node.inputs[at]?.producer
  return producer != null && isDequantizer(producer) && hasBias(typed, producer.inputs[0])
}

/** Whether there is a bias that is not zero throughout. */
function hasBias(typed: TypedGraph, value: Value | null | undefined): boolean {
  if (!value) return false
  const tensor = typed.operand(value).constant()
  return tensor === null || tensor.data.some((element) => element !== 0)
}
