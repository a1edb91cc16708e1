import type { Enclosure } from '../../core/enclosure.ts'
import { divUp } from '../../core/rounding.ts'
import type { Layer, Spectral } from '../report-schema.ts'
import type { DiffLayerSide, LayerDiff, WeightDifference } from './diff-schema.ts'
import type { LayerMatch } from './match-layers.ts'

/** W − W' of a matched pair as measured. */
export interface MeasuredDifference {
  readonly frobenius: number
  readonly spectral: Enclosure | null
}

/** What is known of matched layers besides their rows: by place in the list of matches. */
export interface Known {
  difference(match: number): MeasuredDifference | null
  part(match: number): number | null
}

/** The rows of a comparison, aligned with the matches. */
export function describeLayers(
  old: readonly Layer[],
  fresh: readonly Layer[],
  matches: readonly LayerMatch[],
  known: Known,
): LayerDiff[] {
  return matches.map(({ old: i, new: j }, place) => {
    const [before, after] = [i === null ? null : old[i], j === null ? null : fresh[j]]
    const measured = known.difference(place)
    const difference = before === null || measured === null ? null : describeDifference(before, measured)
    const isEqual =
      difference?.frobenius === 0 || (before !== null && after !== null && isUnchanged(before, after))
    return {
      status: before === null ? 'added' : after === null ? 'removed' : isEqual ? 'equal' : 'changed',
      renamed:
        before !== null && after !== null && (before.node !== after.node || before.role !== after.role),
      old: before && describeSide(before),
      new: after && describeSide(after),
      difference,
      rankMove: before === null || after === null ? null : before.rank - after.rank,
      part: known.part(place),
    }
  })
}

/** Whether two layers have the same weights, stored alike. */
export function isUnchanged(a: Layer, b: Layer): boolean {
  return a.weightSha256 === b.weightSha256 && a.kind === b.kind && a.shape.join() === b.shape.join()
}

function describeSide(layer: Layer): DiffLayerSide {
  const { node, role, op, kind, weight, shape, rank, order, frobenius, spectral } = layer
  return { node, role, op, kind, weight, shape, rank, order, frobenius: frobenius.weight, spectral }
}

function describeDifference(old: Layer, { frobenius, spectral }: MeasuredDifference): WeightDifference {
  const known = Number.isFinite(frobenius) && spectral !== null
  const lower = old.spectral.lower ?? 0
  return {
    frobenius: known ? frobenius : null,
    spectral: known ? { ...spectral } : unknown('a weight is not finite'),
    relative: {
      frobenius: known && old.frobenius.weight ? frobenius / old.frobenius.weight : null,
      spectral: known && lower > 0 ? finite(divUp(spectral.upper, lower)) : null,
    },
  }
}

function unknown(reason: string): Spectral {
  const nothing = { lower: null, upper: null, certificate: null, failureProbability: null }
  return { ...nothing, method: 'none', unbounded: true, reason }
}

const finite = (value: number) => (Number.isFinite(value) ? value : null)
