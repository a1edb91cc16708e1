import { jacobianNorm, type Objective } from '../../bounds/lower/objective.ts'
import type { Random } from '../../core/random.ts'
import type { Distribution, GradientStatistic } from './probe-result.ts'

/** Steps of Lanczos for each sample. */
const steps = 30

/**
 * (‖J(x)‖ − 1)² over samples: what a gradient penalty punishes, for critics that are trained to have slope 1. With one
 * output ‖J‖ is the length of the gradient. Null where no sample has a finite value. Cost: an evaluation and up to
 * twice `steps` products for each sample.
 */
export function gradientStatistic(
  objective: Objective,
  samples: readonly Float64Array[],
  source: GradientStatistic['source'],
  random: Random,
): GradientStatistic | null {
  const norms: number[] = []
  for (const sample of samples) {
    const local = objective.at(sample)
    if (local !== null) norms.push(jacobianNorm(local, steps, random)?.sigma ?? 0)
  }
  if (norms.length === 0) return null
  return {
    source,
    samples: samples.length,
    skipped: samples.length - norms.length,
    norm: distributionOf(norms),
    penalty: distributionOf(norms.map((norm) => (norm - 1) ** 2)),
  }
}

/** Quartiles between samples are interpolated. */
export function distributionOf(values: readonly number[]): Distribution {
  const sorted = values.toSorted((a, b) => a - b)
  const quantile = (share: number) => {
    const at = share * (sorted.length - 1)
    const below = sorted[Math.floor(at)]
    return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at))
  }
  return {
    min: sorted[0],
    quartiles: [quantile(0.25), quantile(0.5), quantile(0.75)],
    max: sorted[sorted.length - 1],
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
  }
}
