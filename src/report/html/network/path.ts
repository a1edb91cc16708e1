import type { TracePoint } from '../../../audit/report-schema.ts'

/** The way of the largest bound through the graph. */
export interface CriticalPath {
  /** Places in the trace, from an input to where the way ends. */
  readonly places: readonly number[]
  /** The first node without a bound, behind the end of the way; null where the way reaches an output. */
  readonly obstacle: number | null
}

/**
 * From the largest bound that nothing reads back to an input, each time to the largest bound that enters. Where a
 * bound is lost, the way leads to the first place where it is.
 */
export function criticalPath(trace: readonly TracePoint[]): CriticalPath {
  if (trace.length === 0) return { places: [], obstacle: null }
  const found = trace.findIndex(
    ({ unbounded, from }) => unbounded && from.every((source) => !trace[source].unbounded),
  )
  const obstacle = found < 0 ? null : found
  const read = new Set(trace.flatMap(({ from }) => from))
  const ends = [...trace.keys()].filter((place) => !read.has(place))
  const places: number[] = []
  let place = obstacle === null ? largest(trace, ends) : largest(trace, trace[obstacle].from)
  while (place !== undefined) {
    places.push(place)
    place = largest(trace, trace[place].from)
  }
  return { places: places.reverse(), obstacle }
}

/** The first of the places with the largest bound. */
function largest(trace: readonly TracePoint[], places: readonly number[]): number | undefined {
  const size = (place: number) => trace[place].log10 ?? Number.NEGATIVE_INFINITY
  return places.reduce<number | undefined>(
    (best, place) => (best === undefined || size(place) > size(best) ? place : best),
    undefined,
  )
}
