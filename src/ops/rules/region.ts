/**
 * Parts of a tensor, cut along its axes. Elements start, start + step, … , `count` of them, of every axis; null where all
 * of an axis is taken, or not known what.
 */
export type Region = readonly (Progression | null)[]

export interface Progression {
  readonly start: number
  /** May be negative: elements are then taken backwards. */
  readonly step: number
  readonly count: number
}

/** Whether two parts of one tensor certainly have no element in common: on some axis their positions are others. */
export function areDisjoint(a: Region, b: Region): boolean {
  return a.some((own, axis) => {
    const other = b[axis] ?? null
    return own !== null && other !== null && neverMeet(forwards(own), forwards(other))
  })
}

function forwards({ start, step, count }: Progression): Progression {
  return step < 0 ? { start: start + (count - 1) * step, step: -step, count } : { start, step, count }
}

function neverMeet(a: Progression, b: Progression): boolean {
  const last = ({ start, step, count }: Progression) => start + (count - 1) * step
  if (a.count === 0 || b.count === 0 || last(a) < b.start || last(b) < a.start) return true
  const common = greatestCommonDivisor(a.step, b.step)
  return common > 0 && (a.start - b.start) % common !== 0
}

function greatestCommonDivisor(a: number, b: number): number {
  let [large, small] = [a, b]
  while (small > 0) [large, small] = [small, large % small]
  return large
}

/** The part of a tensor that a cut of one of its parts is. */
export function cutOf(part: Region, cut: Region): Region {
  return part.map((own, axis) => {
    const taken = cut[axis] ?? null
    if (own === null || taken === null) return own ?? taken
    return { start: own.start + taken.start * own.step, step: own.step * taken.step, count: taken.count }
  })
}
