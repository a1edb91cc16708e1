import type { Node, Value } from '../graph/graph.ts'
import type { PlacedLayer } from '../infer/layers.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import { fusedBias, isDequantizer, proportionsOf, quantizedWeight } from '../ops/proportional.ts'
import { isWritable } from './element-encoding.ts'
import { placeOf } from './place.ts'
import type { Uses } from './uses.ts'

/** The stored tensor that a layer's weight is proportional to, or why there is none that may be scaled. */
export type Scalable =
  | {
      readonly tensor: StoredTensor
      readonly place: string
      /** The weight grows with the tensor, or with its inverse. */
      readonly inverse: boolean
      readonly reason: null
    }
  | { readonly tensor: null; readonly reason: string }

const refused = (reason: string): Scalable => ({ tensor: null, reason })

/** So many constants are looked at behind one weight. */
const reach = 64

/**
 * Finds what to multiply so that a layer's weight, and nothing else that the network computes, is multiplied. Walks
 * back from the weight over operators whose result is proportional to one of their inputs. Of several candidates the
 * one counts that the fewest nodes read, then the smallest (the lengths of normalised weights).
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
  const candidates = candidatesBehind(typed, source, uses)
  let reason = 'its weights are computed in a way that cannot be scaled at one place'
  for (const { tensor, path, isScale, inverse } of candidates) {
    const place = placeOf(tensor)
    if (place === null) reason = 'its weights are stored as a sparse tensor'
    else if (!isWritable(tensor.type))
      reason = `its weights are stored as ${tensor.type}, which scaling would round`
    else if ((isScale || quantized !== null) && isTied)
      reason = 'its bias is stored in units of the scale of its weights, and would be scaled with them'
    else if (forks(typed, tensor, path, uses))
      reason = `'${tensor.name}' enters its weights in more than one way`
    else return { tensor, place, inverse, reason: null }
  }
  return refused(reason)
}

interface Candidate {
  readonly tensor: StoredTensor
  /** Nodes between the tensor and the weight. */
  readonly path: ReadonlySet<Node>
  /** Whether it is the scale of integers. */
  readonly isScale: boolean
  readonly inverse: boolean
}

function candidatesBehind(typed: TypedGraph, source: Value, uses: Uses): Candidate[] {
  const found: Candidate[] = []
  const open = [{ value: source, path: [] as readonly Node[], isScale: false, inverse: false }]
  for (let looked = 0; open.length > 0 && looked < reach; looked++) {
    const step = open.pop()!
    const { stored } = typed.operand(step.value)
    if (stored !== null) found.push({ ...step, tensor: stored, path: new Set(step.path) })
    const node = step.value.producer
    if (stored !== null || node === null || node.outputs[0] !== step.value) continue
    for (const { input, inverse } of proportionsOf(node)) {
      const value = node.inputs[input]
      if (!value || !typed.operand(value).isConstant) continue
      open.push({
        value,
        path: [...step.path, node],
        isScale: step.isScale || isDequantizer(node),
        inverse: step.inverse !== inverse,
      })
    }
  }
  const readers = new Map(found.map(({ tensor }) => [tensor, uses.readersOf(tensor).length]))
  return found.sort(
    (a, b) => readers.get(a.tensor)! - readers.get(b.tensor)! || a.tensor.size - b.tensor.size,
  )
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
