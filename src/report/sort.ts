import type { Layer } from '../audit/report-schema.ts'

/** What layers may be sorted by, in a table. Numbers run from large to small, layers without one come last. */
export const sortKeys = {
  share: (layer: Layer) => layer.share,
  sigma: (layer: Layer) => (layer.spectral.unbounded ? Number.POSITIVE_INFINITY : layer.spectral.upper),
  frobenius: (layer: Layer) => layer.frobenius.operator ?? layer.frobenius.weight,
  'stable-rank': (layer: Layer) => layer.stableRank,
  gain: (layer: Layer) => layer.gain,
  elasticity: (layer: Layer) => layer.elasticity,
  perturbation: (layer: Layer) => layer.perturbation ?? null,
  parameters: (layer: Layer) => layer.parameters,
  order: (layer: Layer) => -layer.order,
} satisfies Record<string, (layer: Layer) => number | null>

export type SortKey = keyof typeof sortKeys

/** Sorted by the key; equals stay in order of rank. */
export function sortLayers(layers: readonly Layer[], key: SortKey): Layer[] {
  const of = sortKeys[key]
  const place = (layer: Layer) => of(layer) ?? Number.NEGATIVE_INFINITY
  return layers.toSorted((a, b) => {
    const [first, second] = [place(a), place(b)]
    return first === second ? a.rank - b.rank : first < second ? 1 : -1
  })
}
