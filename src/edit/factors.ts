import { relativeWidth } from '../core/enclosure.ts'
import type { Group } from './group.ts'

/** What each tensor is multiplied by, by its place; 1 where it is not named. */
export type Factors = ReadonlyMap<string, number>

/** Room for the rounding of the new weights and for the next enclosure, which is another one. */
function margin(width: number, attempt: number): number {
  return Math.min(0.5, (2 * width + 2 ** -20) * 4 ** attempt)
}

/**
 * The factors that bring every norm of these groups to at most `target`; a group of several layers takes the least.
 * Groups whose layers are all within it are left out. `attempt` widens the margin where an earlier one fell short.
 */
export function factorsToTarget(groups: readonly Group[], target: number, attempt: number): Factors {
  const factors = new Map<string, number>()
  for (const { place, layers } of groups) {
    let least = 1
    for (const { norm } of layers) {
      if (norm === null || norm.upper <= target) continue
      least = Math.min(least, (target / norm.upper) * (1 - margin(relativeWidth(norm), attempt)))
    }
    if (least < 1) factors.set(place, least)
  }
  return factors
}

/** One after the other. */
export function combined(first: Factors, second: Factors): Factors {
  const product = new Map(first)
  for (const [place, factor] of second) product.set(place, (product.get(place) ?? 1) * factor)
  return product
}
