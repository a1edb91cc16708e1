import type { Domain, LowerBound } from '../report-schema.ts'

/** Least, quartiles, largest and mean of a sample. */
export interface Distribution {
  readonly min: number
  readonly quartiles: readonly [number, number, number]
  readonly max: number
  readonly mean: number
}

/** Norms of the gradient, or of the Jacobian where there are several outputs, over a sample of inputs. */
export interface GradientStatistic {
  readonly source: 'file' | 'seeded'
  readonly samples: number
  /** Samples at which the network has no finite value. */
  readonly skipped: number
  /** ‖J(x)‖₂ */
  readonly norm: Distribution
  /** (‖J(x)‖₂ − 1)² */
  readonly penalty: Distribution
}

/** How far the input may move before another class can win. */
export interface ClassMargin {
  readonly class: number
  /** What the winning logit is above this one at least, rounded down. */
  readonly margin: number
  /**
   * What a runtime that computes in float32 may make of the margin, about: what its roundings add up to at the most, to
   * first order. An estimate; where the margin is not above it, such a runtime may decide otherwise at the point itself.
   */
  readonly float32Doubt: number
  /** Proven bound of the Lipschitz constant of their difference; null where there is none. */
  readonly lipschitz: number | null
  /** margin / lipschitz, rounded down. */
  readonly radius: number
}

export interface CertifiedRadius {
  /** The output that decides. */
  readonly output: string
  readonly class: number
  /** Every input within this ℓ2 distance (in the domain) gets the same class. */
  readonly radius: number
  /** The domain that the bounds rest on may end sooner: then its radius. */
  readonly endsAtDomain: boolean
  readonly certificate: 'deterministic' | 'probabilistic'
  readonly failureProbability: number
  /** Every other class, the nearest first. */
  readonly classes: readonly ClassMargin[]
}

/** A result, or why there is none. */
export type Answer<T> = T | { readonly reason: string; readonly node?: string }

export interface PointReport {
  /** As it was asked for: a path, or zeros. */
  readonly around: string
  /** ‖J‖₂ there. */
  readonly jacobian: number
  /** The same of each output alone. */
  readonly outputs: readonly { readonly name: string; readonly jacobian: number }[]
  readonly certifiedRadius: Answer<CertifiedRadius>
}

/** The largest quotient of two points that was found. */
export interface ProbedLower extends Omit<LowerBound, 'certificate'> {
  /** Null where the quotient is evaluated and not proven. */
  readonly certificate: 'deterministic' | null
  /** Why it is not proven; null where it is. */
  readonly unproven: { readonly reason: string; readonly node?: string } | null
  /** ‖J‖₂ where the points are. */
  readonly jacobian: number
  readonly looks: number
}

/** What `lipschitz probe` finds. */
export interface ProbeResult {
  readonly schemaVersion: 1
  readonly tool: { readonly name: string; readonly version: string }
  readonly model: { readonly path: string; readonly sha256: string }
  readonly norm: 'l2'
  readonly domain: Domain
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[]
  readonly outputs: readonly string[]
  /** The largest quotient that two points of the domain were found to have, with those points. */
  readonly lower: Answer<ProbedLower>
  readonly point: Answer<PointReport> | null
  readonly gradient: Answer<GradientStatistic>
}

/** The two points of a lower bound, elements in the order of each input. */
export interface StoredWitness {
  readonly model: { readonly path: string; readonly sha256: string }
  readonly norm: 'l2'
  readonly value: number
  readonly inputs: readonly {
    readonly name: string
    readonly dims: readonly number[]
    readonly x: Float64Array
    readonly y: Float64Array
  }[]
}
