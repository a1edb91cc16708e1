import type { NetworkBounds } from '../bounds/network-bounds.ts'
import { weightSensitivities } from '../bounds/perturbation/sensitivity.ts'
import type { Walk } from '../bounds/walk.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { Proof } from './proof.ts'

/** By how much of its norm a layer is taken to change. */
const relativeChange = 0.01

/** The walk that tells where values lie over the domain, and the probability that it may be wrong with. */
export function domainWalk({ ladder, best }: NetworkBounds): {
  walk: Walk | null
  failureProbability: number
} {
  const { walk, failureProbability } = ladder.find(({ method }) => method === 'graph') ?? best
  return { walk, failureProbability }
}

/** By layer key: how far the outputs may move when the layer's weights change by 1 %; empty without a domain. */
export function sensitivitiesOf(
  typed: TypedGraph,
  { bounds, box, measured }: Proof,
): ReadonlyMap<string, number> {
  const { walk: base } = domainWalk(bounds)
  const { inputs, outputs } = bounds.selected
  if (base === null || box.size === 0 || outputs.length === 0) return new Map()
  const norms = new Map(measured.map(({ placed, measurement }) => [placed.key, measurement.spectral?.upper]))
  return weightSensitivities(typed, {
    base,
    normOf: (key) => norms.get(key) ?? 'has no norm',
    audited: inputs,
    inputRanges: box,
    outputs,
    relative: relativeChange,
  })
}
