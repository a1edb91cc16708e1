import type { Node, Value } from '../graph/graph.ts'
import { nodesOf } from '../graph/walk.ts'
import type { LayerSpec } from '../ops/layer.ts'
import type { Operand } from '../ops/operand.ts'
import { layersOf, type PlacedLayer } from './layers.ts'
import { scaledChannels } from './scaled-channels.ts'
import type { TypedGraph } from './typed-graph.ts'

/**
 * A linear layer and the scales next to it (batch normalisation, multiplication by constants per channel) as one
 * operator: its norm ‖D₂·W·D₁‖ is at most the product of theirs and often far below.
 */
export interface MergedLayer {
  /** Unique among merged and other layers. */
  readonly key: string
  /** Keys of the layers that it is made of. */
  readonly parts: readonly string[]
  /** The value that the operator is applied to. */
  readonly from: Value
  /** The node whose first output it gives, up to a constant. */
  readonly node: Node
  readonly spec: LayerSpec
}

/** So many nodes are looked back over at most. */
const reach = 12

/** One step back over a node that is affine in its one data input. */
interface Step {
  readonly from: Value
  /** Its layer; null where it only adds a constant. */
  readonly layer: PlacedLayer | null
}

/**
 * The merged layers of the main graph and of all bodies, in graph order: for each linear layer, and each scale behind
 * one, that layer with all scales next to it on the way. Only nodes that are nothing but their layer take part, with
 * additions of constants between them: the differences of outputs are then those of the merged operator.
 */
export function mergedLayersOf(typed: TypedGraph): readonly MergedLayer[] {
  const layers = new Map<Node, PlacedLayer[]>()
  for (const layer of layersOf(typed)) layers.set(layer.node, [...(layers.get(layer.node) ?? []), layer])
  const merged: MergedLayer[] = []
  for (const node of nodesOf(typed.graph)) {
    if (!layers.has(node)) continue
    const candidate = mergeBackwards(typed, layers, node)
    if (candidate !== null) merged.push(candidate)
  }
  return merged
}

function mergeBackwards(
  typed: TypedGraph,
  layers: ReadonlyMap<Node, readonly PlacedLayer[]>,
  node: Node,
): MergedLayer | null {
  const path: PlacedLayer[] = []
  let from: Value | null = null
  let current: Node | null = node
  for (let count = 0; count < reach && current !== null; count++) {
    const step = stepOver(typed, layers, current)
    const isSecondLinear =
      step?.layer?.spec.kind !== 'scale' && path.some(({ spec }) => spec.kind !== 'scale')
    if (step === null || (step.layer !== null && isSecondLinear)) break
    if (step.layer !== null) {
      path.unshift(step.layer)
      from = step.from
    }
    current = step.from.producer?.outputs[0] === step.from ? step.from.producer : null
  }
  const spec = from === null ? null : composed(path)
  if (from === null || spec === null) return null
  const parts = path.map(({ key }) => key)
  return { key: `merged: ${parts.join(' + ')}`, parts, from, node, spec }
}

function stepOver(
  typed: TypedGraph,
  layers: ReadonlyMap<Node, readonly PlacedLayer[]>,
  node: Node,
): Step | null {
  const { operator, inputs, outputs } = typed.typed(node)
  const [layer, second] = layers.get(node) ?? []
  if (layer !== undefined) {
    const data = inputs.filter((input): input is Operand => input !== null && !input.isConstant)
    const isWhole = second === undefined && layer.spec.affine !== undefined && data.length === 1
    return isWhole ? { from: data[0].value, layer } : null
  }
  const index = operator?.translates?.({
    node,
    input: (i) => inputs[i] ?? null,
    output: (i) => outputs[i] ?? null,
    fail: (message) => {
      throw new Error(message)
    },
  })
  const source = index == null ? null : node.inputs[index]
  return source ? { from: source, layer: null } : null
}

/** The path's layers, first to last, as one; null where there is no linear one or no scale that is worth it. */
function composed(path: readonly PlacedLayer[]): LayerSpec | null {
  const at = path.findIndex(({ spec }) => spec.kind !== 'scale')
  const scales = path.filter((_, i) => i !== at)
  const isUneven = ({ spec }: PlacedLayer) => spec.operator.form === 'diagonal' && spec.operator.size > 1
  if (at < 0 || !scales.some(isUneven)) return null
  return scaledChannels(
    path[at].spec,
    path.slice(0, at).map(({ spec }) => spec),
    path.slice(at + 1).map(({ spec }) => spec),
  )
}
