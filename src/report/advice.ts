import type { Layer, ModelReport } from '../audit/report-schema.ts'

/** What would bring a bound under a limit, to first order in the logarithms of the layers' norms. */
export interface Advice {
  /** The least set of most sensitive layers that must be normalised to gain 1. */
  readonly layers: readonly Layer[]
  /** log10 of the bound to expect then. */
  readonly log10: number
  /** Whether that meets the limit; if not, `layers` are all that help. */
  readonly suffices: boolean
  /** The factor by which every layer's norm would have to fall instead; null where no layer carries elasticity. */
  readonly uniformFactor: number | null
}

/** How much of log10(bound) a layer carries: elasticity·log10(gain). */
export function weightInBound(layer: Layer): number {
  if (layer.elasticity === null || layer.gain === null || layer.gain === 0) return 0
  return layer.elasticity * Math.log10(layer.gain)
}

/** Null where there is no finite bound above the limit. */
export function adviseOnBound(model: ModelReport, limit: number): Advice | null {
  const { log10 } = model.lipschitz.upper
  if (log10 === null || !(limit > 0) || log10 <= Math.log10(limit)) return null
  const target = Math.log10(limit)
  const helpful = model.layers.filter((layer) => weightInBound(layer) > 0)
  helpful.sort((a, b) => weightInBound(b) - weightInBound(a) || a.rank - b.rank)
  const layers: Layer[] = []
  let expected = log10
  for (const layer of helpful) {
    if (expected <= target) break
    layers.push(layer)
    expected -= weightInBound(layer)
  }
  const elasticity = model.layers.reduce((sum, layer) => sum + Math.max(0, layer.elasticity ?? 0), 0)
  return {
    layers,
    log10: expected,
    suffices: expected <= target,
    uniformFactor: elasticity > 0 ? 10 ** ((log10 - target) / elasticity) : null,
  }
}
