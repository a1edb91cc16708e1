import { LipschitzError } from '../core/errors.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import type { LayerChoice } from './options.ts'
import { scalableTensor } from './scalable.ts'
import type { Survey, SurveyedLayer } from './survey.ts'
import type { Reader } from './uses.ts'

/** A tensor of the file and the layers whose weights are proportional to it: they are scaled together. */
export interface Group {
  readonly place: string
  readonly tensor: StoredTensor
  /** Weights grow with the tensor's inverse. */
  readonly inverse: boolean
  readonly layers: readonly SurveyedLayer[]
}

/** The layers that are to be scaled by need, and those that cannot be, with the reason. */
export interface Chosen {
  readonly groups: readonly Group[]
  readonly refused: readonly { readonly layer: SurveyedLayer; readonly reason: string }[]
}

/**
 * The chosen layers by the tensor that they are scaled with. A tensor that anything else reads is not scaled: what
 * the network computes elsewhere stays as it is. @throws LipschitzError usage where no layer is chosen
 */
export function chooseLayers({ typed, layers, uses }: Survey, choice?: LayerChoice): Chosen {
  const isChosen = ({ placed: { node, spec } }: SurveyedLayer) => choice?.(node.name, spec.weightName) ?? true
  const chosen = layers.filter(isChosen)
  if (chosen.length === 0) {
    throw new LipschitzError('usage', 'no dense or convolution layer is chosen', {
      hint: 'patterns are held against the names of nodes and weights, which `lipschitz inspect` lists',
    })
  }
  const byPlace = new Map<string, { tensor: StoredTensor; inverse: boolean; layers: SurveyedLayer[] }>()
  const refused: { layer: SurveyedLayer; reason: string }[] = []
  for (const layer of chosen) {
    const found = layer.norm === null ? null : scalableTensor(typed, layer.placed, uses)
    if (found?.tensor == null) refused.push({ layer, reason: found?.reason ?? 'a weight is not finite' })
    else {
      const { place, tensor, inverse } = found
      const group = byPlace.get(place) ?? { tensor, inverse, layers: [] }
      byPlace.set(place, group)
      if (group.inverse === inverse) group.layers.push(layer)
      else refused.push({ layer, reason: `'${tensor.name}' makes one layer larger and another one smaller` })
    }
  }
  const groups: Group[] = []
  for (const [place, group] of byPlace) {
    const reason = uses.isOutput(group.tensor)
      ? `'${group.tensor.name}' is an output, too`
      : otherReader(uses.readersOf(group.tensor), group.layers)
    if (reason === null) groups.push({ place, ...group })
    else for (const layer of group.layers) refused.push({ layer, reason })
  }
  return { groups, refused }
}

function otherReader(readers: readonly Reader[], layers: readonly SurveyedLayer[]): string | null {
  const nodes = new Set(layers.map(({ placed }) => placed.node))
  const other = readers.find(({ node }) => !nodes.has(node))
  if (other !== undefined) return `its weights are shared with '${other.node.name}', which is not scaled`
  const twice = readers.find(({ node }, i) => readers.findIndex((reader) => reader.node === node) !== i)
  return twice === undefined ? null : `'${twice.node.name}' reads what would be scaled at two of its inputs`
}
