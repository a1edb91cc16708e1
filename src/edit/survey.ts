import { availableParallelism } from 'node:os'
import type { MeasuredLayer } from '../audit/measured-layer.ts'
import { type AuditOptions, defaults } from '../audit/options.ts'
import { type Proof, proveBounds } from '../audit/proof.ts'
import type { Enclosure } from '../core/enclosure.ts'
import { readModel } from '../graph/read-model.ts'
import { inferModel } from '../infer/infer.ts'
import type { PlacedLayer } from '../infer/layers.ts'
import { type MergedLayer, mergedLayersOf } from '../infer/merged-layers.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { measureLayers } from '../norms/measure.ts'
import { type Uses, usesOf } from './uses.ts'

/** A layer whose norm may be brought down: dense or a convolution. */
export interface SurveyedLayer {
  readonly placed: PlacedLayer
  /** The layer with the scales right behind it that nothing else comes before; null where there are none. */
  readonly merged: MergedLayer | null
  /** The norm that counts: of the merged operator where there is one. Null where a weight is not finite. */
  readonly norm: Enclosure | null
  /** The norm of the layer alone. */
  readonly own: Enclosure | null
}

/** What is proven of a model, as far as its weights may be changed by it. */
export interface Survey {
  readonly typed: TypedGraph
  readonly proof: Proof
  readonly uses: Uses
  readonly layers: readonly SurveyedLayer[]
}

const scaledKinds: ReadonlySet<string> = new Set(['dense', 'conv', 'conv-transpose'])

/** Reads, measures and bounds a model. Equal files and options give equal surveys. */
export async function surveyModel(path: string, options: AuditOptions): Promise<Survey> {
  const typed = inferModel(readModel(path, options), { inputShapes: options.inputShapes })
  const proof = await proveBounds(typed, options)
  const uses = usesOf(typed)
  const merges = mergedLayersOf(typed)
  const linear = proof.layers.filter(({ placed }) => scaledKinds.has(placed.spec.kind))
  const pairs = linear.map((layer) => ({ layer, merged: mergedBehind(layer.placed, merges, typed, uses) }))
  const norms = await mergedNorms(
    proof.measured,
    pairs.flatMap(({ merged }) => merged ?? []),
    options,
  )
  const layers = pairs.map(({ layer, merged }) => {
    const own = layer.measurement.spectral
    const norm = merged === null ? own : (norms.get(merged.key) ?? null)
    return { placed: layer.placed, merged, norm, own }
  })
  return { typed, proof, uses, layers }
}

/** The longest merge that begins with the layer and whose inner values are read by nothing else. */
function mergedBehind(
  { key, node }: PlacedLayer,
  merges: readonly MergedLayer[],
  typed: TypedGraph,
  uses: Uses,
): MergedLayer | null {
  const candidates = merges.filter(({ parts }) => parts[0] === key && parts.length > 1)
  let best: MergedLayer | null = null
  for (const candidate of candidates) {
    if (isAlone(node, candidate, typed, uses) && candidate.parts.length > (best?.parts.length ?? 0))
      best = candidate
  }
  return best
}

function isAlone(
  first: PlacedLayer['node'],
  { node: last }: MergedLayer,
  typed: TypedGraph,
  uses: Uses,
): boolean {
  let node = first
  for (let step = 0; node !== last; step++) {
    const [output] = node.outputs
    if (!output || uses.isResult(output) || step > typed.graph.nodes.length) return false
    const readers = uses.consumersOf(output)
    if (readers.length !== 1) return false
    node = readers[0].node
  }
  return true
}

/** Norms of merged layers: those that bounds rest on are measured already. */
async function mergedNorms(
  measured: readonly MeasuredLayer[],
  merged: readonly MergedLayer[],
  options: AuditOptions,
): Promise<ReadonlyMap<string, Enclosure | null>> {
  const norms = new Map<string, Enclosure | null>()
  const known = new Map(measured.map(({ placed, measurement }) => [placed.key, measurement.spectral]))
  const missing = merged.filter(({ key }) => !known.has(key))
  for (const { key } of merged) norms.set(key, known.get(key) ?? null)
  const further = await measureLayers(missing, {
    tolerance: options.tolerance ?? defaults.tolerance,
    certify: options.certify ?? defaults.certify,
    seed: options.seed ?? defaults.seed,
    threads: options.threads ?? availableParallelism(),
    failureProbability: defaults.failureProbability,
  })
  for (const [key, { spectral }] of further) norms.set(key, spectral)
  return norms
}
