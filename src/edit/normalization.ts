import { describeLipschitz, trustIn } from '../audit/lipschitz.ts'
import type { Bound, Spectral } from '../audit/report-schema.ts'
import type { Enclosure } from '../core/enclosure.ts'
import type { Folding } from './batch-norm.ts'
import type { Factors } from './factors.ts'
import type { Chosen } from './group.ts'
import type { Survey, SurveyedLayer } from './survey.ts'

/** A layer before and after. */
export interface NormalizedLayer {
  readonly node: string
  readonly role: string
  readonly op: string
  /** The tensor that enters the node. */
  readonly weight: string
  /** The tensor of the file that the layer is scaled by: the weight itself, or its scale. Null where there is none. */
  readonly tensor: string | null
  /** What the weight was multiplied by, before rounding; 1 where it was left alone. */
  readonly factor: number
  /** The nodes behind the layer whose scales are part of its norm. */
  readonly with: readonly string[]
  readonly before: Spectral
  readonly after: Spectral
  /** Why the layer could not have been scaled; null where it could. */
  readonly reason: string | null
}

/** What `normalize` has written, all of it proven of the file that was written. */
export interface Normalization {
  readonly model: string
  readonly output: string
  /** Names of the files written, in the folder of the output: external data first. */
  readonly files: readonly string[]
  /** SHA-256 of the model before and after; equal where nothing had to change. */
  readonly sha256: { readonly before: string; readonly after: string }
  readonly lipschitz: { readonly before: Bound; readonly after: Bound }
  /** Chosen layers in the order of the graph. */
  readonly layers: readonly NormalizedLayer[]
  /** Batch normalisations that could not be folded. */
  readonly notFolded: readonly { readonly node: string; readonly reason: string }[]
}

interface Described {
  readonly model: string
  readonly output: string
  readonly names: readonly string[]
  readonly before: Survey
  readonly after: Survey
  readonly chosen: Chosen
  readonly folding: Folding
  readonly factors: Factors
}

export function describeNormalization(described: Described): Normalization {
  const { model, output, names, before, after, chosen, folding, factors } = described
  const now = new Map(after.layers.map((layer) => [layer.placed.key, layer]))
  const groups = new Map(
    chosen.groups.flatMap((group) => group.layers.map((layer) => [layer, group] as const)),
  )
  const reasons = new Map(chosen.refused.map(({ layer, reason }) => [layer, reason]))
  const layers = before.layers
    .filter((layer) => groups.has(layer) || reasons.has(layer))
    .map((layer) => {
      const group = groups.get(layer)
      const factor = factors.get(group?.place ?? '') ?? 1
      const { node, spec } = layer.placed
      return {
        node: node.name,
        role: spec.role,
        op: node.op,
        weight: spec.weightName,
        tensor: group === undefined ? null : group.tensor.name || spec.weightName,
        factor,
        with: layer.merged?.parts.slice(1) ?? [],
        before: describeNorm(layer.norm),
        after: describeNorm((now.get(layer.placed.key) as SurveyedLayer).norm),
        reason: reasons.get(layer) ?? null,
      }
    })
  return {
    model,
    output,
    files: names,
    sha256: { before: before.typed.model.sha256, after: after.typed.model.sha256 },
    lipschitz: { before: boundOf(before), after: boundOf(after) },
    layers,
    notFolded: folding.skipped,
  }
}

function boundOf({ proof }: Survey): Bound {
  return describeLipschitz(proof.bounds, trustIn(proof.measured), null).upper
}

function describeNorm(norm: Enclosure | null): Spectral {
  if (norm !== null) return { ...norm }
  const unknown = { lower: null, upper: null, certificate: null, failureProbability: null }
  return { ...unknown, method: 'none', unbounded: true, reason: 'a weight is not finite' }
}
