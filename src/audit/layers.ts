import type { PlacedLayer } from '../infer/layers.ts'
import type { LayerMeasurement } from '../norms/measurement.ts'
import { ranking, shares } from './ranking.ts'
import type { Layer, ModelReport, Spectral } from './report-schema.ts'
import { untilWhen } from './unfinished.ts'

/** A layer with what was measured of it. */
export interface MeasuredLayer {
  readonly placed: PlacedLayer
  readonly measurement: LayerMeasurement
}

/**
 * The rows of the report, by rank. `elasticities` are d log(bound) / d log(norm) by layer key; null where there
 * is no finite bound. A layer that the bound does not depend on has elasticity 0.
 */
export function rankLayers(
  layers: readonly MeasuredLayer[],
  elasticities: ReadonlyMap<string, number> | null,
): Layer[] {
  const contributions = layers.map(({ placed, measurement }) => ({
    gain: measurement.spectral?.upper ?? null,
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
  }))
}

type Described = Omit<Layer, 'rank' | 'order' | 'gain' | 'elasticity' | 'share'>

function describe({ placed: { node, spec }, measurement }: MeasuredLayer): Described {
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

/** Σ‖W‖_F² over the weights and Σ‖W‖₂² over the operators, each weight once; null where one is not known. */
export function regularizers(layers: readonly Layer[]): ModelReport['regularizers'] {
  const distinct = [...new Map(layers.map((layer) => [`${layer.weight}\n${layer.role}`, layer])).values()]
  const weights = distinct.filter((layer) => layer.kind !== 'scale')
  const operators = weights.filter((layer) => layer.kind !== 'embedding')
  return {
    l2: sumOfSquares(weights.map((layer) => layer.frobenius.weight)),
    spectral: sumOfSquares(operators.map((layer) => layer.spectral.upper)),
  }
}

function sumOfSquares(norms: readonly (number | null)[]): number | null {
  const sum = norms.reduce<number>((total, norm) => total + (norm ?? Number.NaN) ** 2, 0)
  return finite(sum)
}

/** JSON holds no NaN and no Infinity. */
function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null
}
