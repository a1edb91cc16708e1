import type { NetworkBounds } from '../../bounds/network-bounds.ts'
import type { Walk } from '../../bounds/walk.ts'
import * as mag from '../../core/magnitude.ts'
import * as term from '../../core/term.ts'
import type { Node, Value } from '../../graph/graph.ts'
import type { Interval, TensorBound } from '../../ops/bound.ts'

/** What is proven of one value: |Δvalue|₂ ≤ lipschitz·|Δinputs|₂ + offset, its elements in `range`, |value|₂ ≤ norm. */
export interface ValueBound {
  /** `value` is null beyond float64, both are where there is none. */
  readonly lipschitz: { readonly value: number | null; readonly log10: number | null }
  readonly offset: number
  readonly range: Interval
  readonly norm: number
  /** Name of the node behind which there is no bound; null where there is one. */
  readonly refusedBy: string | null
}

/** What is proven of values and nodes; nothing where nothing was bounded. */
export interface BoundsOf {
  value(value: Value): ValueBound | null
  reason(node: Node): string | null
}

export const noBounds: BoundsOf = { value: () => null, reason: () => null }

const products: readonly string[] = ['spectral-product', 'induced-product']

/** The least that the walks over the network prove of each value; ranges and lengths from the refined walk. */
export function provenBounds({ ladder }: NetworkBounds): BoundsOf {
  const refined = ladder.find(({ method }) => method === 'graph')?.walk ?? null
  const plain = ladder.find(({ method }) => products.includes(method))?.walk ?? null
  if (refined === null) return noBounds
  return {
    value: (value) => {
      const bound = refined.find(value)
      return bound && describe(bound, leastOf(bound, value, plain))
    },
    reason: (node) => {
      const refusals = node.outputs.map((value) => value && refined.find(value)?.refusal)
      return refusals.find((refusal) => refusal?.node === node.name)?.reason ?? null
    },
  }
}

function leastOf(refined: TensorBound, value: Value, walk: Walk | null): TensorBound {
  const plain = walk?.find(value)
  if (!plain || plain.refusal !== null) return refined
  if (refined.refusal !== null) return plain
  return term.minimum(refined.lipschitz, plain.lipschitz) === refined.lipschitz ? refined : plain
}

function describe({ range, norm }: TensorBound, { lipschitz, offset, refusal }: TensorBound): ValueBound {
  const isProven = refusal === null && mag.isBounded(lipschitz.value)
  const value = isProven ? mag.toNumber(lipschitz.value) : Infinity
  return {
    lipschitz: {
      value: Number.isFinite(value) ? value : null,
      log10: isProven ? mag.log10(lipschitz.value) : null,
    },
    offset: isProven ? mag.toNumber(offset.value) : Infinity,
    range,
    norm,
    refusedBy: refusal?.node ?? null,
  }
}
