/** What ranking needs of a layer. */
export interface Contribution {
  /** The factor that the layer puts into the bound; null where its norm is not known. */
  readonly gain: number | null
  /** d log(bound) / d log(norm); null where there is no finite bound. */
  readonly elasticity: number | null
  /** What the elasticity counts as where there is no bound. */
  readonly assumed: 0 | 1
}

/**
 * The share of each layer in the logarithm of the bound: elasticity·log(gain) over the sum of its positive
 * parts, so the shares of the layers that drive the bound up add to 1 and layers that damp it are negative.
 * Without a bound the assumed elasticities count: the ranking is then by norm alone. Null where the gain is null.
 */
export function shares(layers: readonly Contribution[]): (number | null)[] {
  const logs = layers.map(({ gain, elasticity, assumed }) =>
    gain === null ? null : weigh(elasticity ?? assumed, gain),
  )
  const total = logs.reduce<number>((sum, log) => sum + Math.max(log ?? 0, 0), 0)
  return logs.map((log) => (log === null ? null : total > 0 ? log / total : 0))
}

/** A layer of norm 0 damps without end; it counts as one that damps by the whole range of float64. */
function weigh(elasticity: number, gain: number): number {
  if (elasticity === 0) return 0
  return elasticity * Math.log(Math.max(gain, Number.MIN_VALUE))
}

/** Indices of the layers, most sensitive first: unknown norms before all, then by share, then in graph order. */
export function ranking(shareOf: readonly (number | null)[]): number[] {
  return shareOf
    .map((share, index) => ({ share: share ?? Infinity, index }))
    .sort((a, b) => (a.share === b.share ? a.index - b.index : b.share - a.share))
    .map(({ index }) => index)
}
