import { createRandom, gaussianVector, type Random } from '../../core/random.ts'
import { hasCells, walkCells } from './cells.ts'
import { jacobianNorm, type Objective, type Singular } from './objective.ts'
import { lengthOf, moved } from './point.ts'
import type { Region } from './region.ts'
import { type Witness, witnessAlong } from './witness.ts'

export interface SearchOptions {
  readonly seed: number
  /** Multiplications that the search may take, about. */
  readonly budget: number
  /** Points to begin with, before any other. */
  readonly points?: readonly Float64Array[]
  readonly expired?: () => boolean
}

/** What a search found. */
export interface Found {
  readonly witness: Witness
  /** Where the Jacobian is as long as `sigma`. */
  readonly point: Float64Array
  readonly sigma: number
  /** Points at which the Jacobian was looked at. */
  readonly looks: number
}

interface Candidate extends Singular {
  readonly x: Float64Array
}

/** Steps of Lanczos while searching, few where they are dear, and where a pair is made. */
const isDear = ({ cost }: Objective) => cost > 2e5
const coarseSteps = (objective: Objective) => (isDear(objective) ? 3 : 6)
const fineSteps = (objective: Objective) => (isDear(objective) ? 12 : 40)

/** Shares of the budget at which starts and the walk through cells end. */
const startsEnd = 0.3
const cellsEnd = 0.7

/** Starts that are climbed from, and that are looked at before the best are chosen. */
const climbersCount = 8
const mostStarts = 2000

/**
 * Looks for a point of the region where ‖J(x)‖₂ is large, and makes a pair of points of it whose quotient is a lower
 * bound of the Lipschitz constant. Random starts first; small piecewise linear networks are walked through cell by
 * cell; the rest of the budget goes into climbing from the best points. Null where nothing but zeros, or no finite
 * value, was found.
 */
export function searchLower(objective: Objective, region: Region, options: SearchOptions): Found | null {
  const random = createRandom(options.seed)
  const begin = objective.spent
  const coarse = coarseSteps(objective)
  const isOver = (share: number) =>
    objective.spent - begin >= share * options.budget || (options.expired?.() ?? false)
  let looks = 0
  const look = (x: Float64Array, start?: Float64Array): Candidate | null => {
    looks++
    const local = objective.at(x)
    const found = local && jacobianNorm(local, coarse, random, start)
    return found && { ...found, x }
  }

  const given = options.points ?? []
  const starts: Candidate[] = []
  for (let i = 0; i < given.length + mostStarts && !(i > 0 && isOver(startsEnd)); i++) {
    const x = i < given.length ? given[i] : region.start(i - given.length, random)
    const found = look(region.project(x))
    if (found !== null) starts.push(found)
  }
  let pool = distinct(starts, climbersCount)
  if (pool.length === 0) return null

  const first = isOver(cellsEnd) ? null : objective.at(pool[0].x)
  if (first !== null && hasCells(objective, first, options.budget)) {
    const cell = walkCells(objective, region, pool, random, () => isOver(cellsEnd))
    if (cell !== null) pool = distinct([cell, ...pool], climbersCount)
  }
  const climbers = pool.map((start, i) => {
    return createClimber(start, objective, region, random, (0.1 * i) / pool.length)
  })
  while (!isOver(0.95)) {
    climbers.sort((a, b) => b.best.sigma - a.best.sigma)
    // The best one gets every other turn.
    const climber = climbers[random.uniform() < 0.5 ? 0 : Math.floor(random.uniform() * climbers.length)]
    climber.climb(look)
  }
  const points = climbers.map(({ best }) => best).sort((a, b) => b.sigma - a.sigma)
  return bestWitness(objective, region, points, random, looks)
}

/** The best candidates; equal norms mean the same cell of a piecewise linear network. */
function distinct(candidates: readonly Candidate[], count: number): Candidate[] {
  const sorted = candidates.toSorted((a, b) => b.sigma - a.sigma)
  return sorted.filter(({ sigma }, i) => i === 0 || sigma < sorted[i - 1].sigma * (1 - 1e-6)).slice(0, count)
}

function bestWitness(
  objective: Objective,
  region: Region,
  points: readonly Candidate[],
  random: Random,
  looks: number,
): Found | null {
  let found: Found | null = null
  for (const best of points.slice(0, isDear(objective) ? 1 : 3)) {
    if (found !== null && best.sigma <= found.witness.value) break
    const local = objective.at(best.x)
    const precise = (local && jacobianNorm(local, fineSteps(objective), random, best.right)) ?? best
    const witness = witnessAlong(objective, region, best.x, precise)
    if (witness !== null && witness.value > (found?.witness.value ?? 0))
      found = { witness, point: best.x, sigma: precise.sigma, looks }
  }
  return found
}

interface Climber {
  /** The best point so far. */
  readonly best: Candidate
  climb(look: (x: Float64Array, start?: Float64Array) => Candidate | null): void
}

/**
 * Walks from a start: along the gradient while that rises, then over kinks and by random steps of all lengths. A step
 * that falls by less than `patience` of the value is taken, too, so that the walk leaves local maxima.
 */
function createClimber(
  start: Candidate,
  objective: Objective,
  region: Region,
  random: Random,
  patience: number,
): Climber {
  const size = Math.max(lengthOf(start.x) / Math.sqrt(start.x.length), 0.1 * Math.min(region.scale, 1))
  const reachOf = size * Math.sqrt(start.x.length)
  let best = start
  let current = start
  let step = 0.3 * reachOf
  let turn = 0

  /** ∇σ over a step of the given length, as a unit vector; null where it vanishes. */
  function gradient(reach: number): Float64Array | null {
    const [ahead, behind] = [reach, -reach].map((h) =>
      objective.at(region.project(moved(current.x, h, current.right))),
    )
    if (ahead === null || behind === null) return null
    const slope = moved(ahead.pull(current.left), -1, behind.pull(current.left))
    return lengthOf(slope) > 1e-12 * current.sigma ? unit(slope) : null
  }

  /** The same over kinks that are rounded more or less; null where there are none. */
  function kinkGradient(): Float64Array | null {
    const local = objective.at(current.x)
    const width = 10 ** (0.5 - 2.5 * random.uniform())
    const slope = local?.kinkSlope(current.left, current.right, width) ?? null
    return slope !== null && lengthOf(slope) > 0 ? unit(slope) : null
  }

  /** A step of any length: cells of piecewise linear networks are of all sizes. */
  function randomStep(): Float64Array {
    const direction = unit(gaussianVector(current.x.length, random))
    const length = reachOf * 10 ** (1 - 5 * random.uniform())
    return direction.map((entry) => length * entry)
  }

  function accept(found: Candidate | null): boolean {
    if (found === null || found.sigma < current.sigma * (1 - patience * random.uniform())) return false
    const rose = found.sigma > current.sigma * (1 + 1e-12)
    current = found
    if (found.sigma > best.sigma) best = found
    return rose
  }

  return {
    get best() {
      return best
    },
    climb(look) {
      turn++
      const kinked = turn % 2 === 0 ? kinkGradient() : null
      const slope = kinked ?? (turn % 4 === 1 ? gradient(0.3 * step) : null)
      if (slope === null) {
        accept(look(region.project(moved(current.x, 1, randomStep())), current.right))
        return
      }
      let length = kinked === null ? step : reachOf * 10 ** (0.3 - 3 * random.uniform())
      let rose = false
      while (accept(look(region.project(moved(current.x, length, slope)), current.right))) {
        rose = true
        length *= 1.6
      }
      if (kinked !== null) return
      step = rose ? length : step < 1e-5 * reachOf ? reachOf * random.uniform() : 0.5 * step
    },
  }
}

function unit(vector: Float64Array): Float64Array {
  const length = lengthOf(vector)
  return vector.map((entry) => entry / length)
}
