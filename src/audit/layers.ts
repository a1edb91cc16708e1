import type { LayerMeasurement } from '../norms/measurement.ts'
import type { MeasuredLayer } from './measured-layer.ts'
import { ranking, shares } from './ranking.ts'
import type { Layer, ModelReport, Spectral } from './report-schema.ts'
import { untilWhen } from './unfinished.ts'

/**
 * The rows of the report, by rank. `elasticities` are d log(bound) / d log(norm) by layer key; null where there
 * is no finite bound. A layer that the bound does not depend on has elasticity 0. `sensitivities` tell how far the
 * outputs may move with the weights of a layer.
 */
export function rankLayers(
  layers: readonly MeasuredLayer[],
  elasticities: ReadonlyMap<string, number> | null,
  sensitivities: ReadonlyMap<string, number> = new Map(),
): Layer[] {
  const contributions = layers.map(({ placed, measurement, induced }) => ({
    gain: induced !== undefined ? induced : (measurement.spectral?.upper ?? null),
    elasticity: elasticities === null ? null : (elasticities.get(placed.key) ?? 0),
    // scales of masks and temperatures say little by their size
    assumed: placed.spec.kind === 'scale' ? (0 as const) : (1 as const),
  }))
  const shareOf = shares(contributions)
  return ranking(shareOf).map((index, position) => ({
    rank: position + 1,
    order: index + 1,
    ...describe(layers[index]),
    gain: contributions[index].gain,
    elasticity: contributions[index].elasticity,
    share: shareOf[index],
    perturbation: finite(sensitivities.get(layers[index].placed.key) ?? null),
  }))
}

type Described = Omit<
  Layer,
  'rank' | 'order' | 'gain' | 'elasticity' | 'share' | 'perturbation' | 'regularizer'
>

function describe({ placed: { node, spec }, measurement, induced }: MeasuredLayer): Described {
  const { frobenius, spectral, weightSha256 } = measurement
  return {
    node: node.name,
    role: spec.role,
    op: node.op,
    kind: spec.kind,
    weight: spec.weightName,
    shape: [...spec.weightShape],
    parameters: spec.weightShape.reduce((size, dim) => size * dim, 1),
    weightSha256,
    inputShape: spec.inputShape === null ? null : [...spec.inputShape],
    frobenius: { weight: finite(frobenius.weight), operator: finite(frobenius.operator) },
    spectral: describeSpectral(measurement),
    ...(induced === undefined ? {} : { induced }),
    stableRank: spectral === null ? null : stableRank(frobenius.operator, spectral.upper),
  }
}

function describeSpectral({ spectral, nonFinite, unfinished }: LayerMeasurement): Spectral {
  if (spectral !== null && Number.isFinite(spectral.upper)) return { ...spectral }
  const reason =
    nonFinite !== null
      ? `element ${nonFinite.index} of the weight is ${nonFinite.value}`
      : unfinished !== undefined
        ? `the norm was not measured ${untilWhen(unfinished)}`
        : 'the norm is beyond the range of float64'
  return {
    lower: null,
    upper: null,
    method: 'none',
    certificate: null,
    failureProbability: null,
    unbounded: true,
    reason,
  }
}

/** ‖W‖_F² / ‖W‖₂² of the operator; null where the size is not known or the operator is zero. */
function stableRank(frobenius: number | null, norm: number): number | null {
  return frobenius === null || norm === 0 ? null : finite((frobenius / norm) ** 2)
}

/** The part of each layer in the two sums: ‖W‖_F² and ‖A‖₂²; null for scales, and for a weight that counts elsewhere. */
function regularizerOf(layer: Layer, isFirst: boolean): Layer['regularizer'] {
  if (layer.kind === 'scale' || !isFirst) return null
  const square = (norm: number | null) => finite(norm === null ? null : norm ** 2)
  return {
    l2: square(layer.frobenius.weight),
    // rows of a table are looked up, no input goes through all of them
    spectral: layer.kind === 'embedding' ? 0 : square(layer.spectral.upper),
  }
}

/** The layers with their parts in the regularisers: each weight counts once, where it has its best rank. */
export function regularized(layers: readonly Layer[]): Layer[] {
  const seen = new Set<string>()
  return layers.map((layer) => {
    const weight = `${layer.weight}\n${layer.role}`
    const isFirst = !seen.has(weight)
    seen.add(weight)
    return { ...layer, regularizer: regularizerOf(layer, isFirst) }
  })
}

/** Σ‖W‖_F² over the weights and Σ‖A‖₂² over the operators, each weight once; null where one is not known. */
export function regularizers(layers: readonly Layer[]): ModelReport['regularizers'] {
  const parts = regularized(layers).flatMap(({ regularizer }) => regularizer ?? [])
  const sum = (part: (of: NonNullable<Layer['regularizer']>) => number | null) =>
    finite(parts.reduce<number>((total, of) => total + (part(of) ?? Number.NaN), 0))
  return { l2: sum(({ l2 }) => l2), spectral: sum(({ spectral }) => spectral) }
}

/** JSON holds no NaN and no Infinity. */
function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null
}
