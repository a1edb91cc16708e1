import { describeLipschitz, trustIn } from '../audit/lipschitz.ts'
import type { Bound, Spectral } from '../audit/report-schema.ts'
import type { Enclosure } from '../core/enclosure.ts'
import type { Folding } from './batch-norm.ts'
import type { Factors } from './factors.ts'
import type { Chosen } from './group.ts'
import type { Normalization } from './normalization.ts'
import type { Survey, SurveyedLayer } from './survey.ts'

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
