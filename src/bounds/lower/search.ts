import { createRandom, type Random } from '../../core/random.ts'
import { hasCells, walkCells } from './cells.ts'
import { type Candidate, createClimber } from './climber.ts'
import type { Measure } from './measure.ts'
import type { Objective } from './objective.ts'
import type { Region } from './region.ts'
import { type Witness, witnessAlong } from './witness.ts'

export interface SearchOptions {
  readonly seed: number
  readonly measure: Measure
  /** Multiplications that the search may take, about. */
  readonly budget: number
  /** Points to begin with, before any other. */
  readonly points?: readonly Float64Array[]
  /** A value that is as good as there can be: the search ends where it is proven. */
  readonly enough?: number
  /** Looks at one point alone: where evaluations are so dear that no search pays. */
  readonly isSingle?: boolean
  /** Pairs whose quotients are only evaluated do not count. */
  readonly provenOnly?: boolean
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

/** Steps of Lanczos while searching, few where they are dear, and where a pair is made. */
const isDear = ({ cost }: Objective) => cost > 2e5
const coarseSteps = (objective: Objective, budget: number) =>
  isDear(objective) || budget < 500 * objective.cost ? 2 : 6
const fineSteps = (objective: Objective) => (isDear(objective) ? 12 : 40)

/** Shares of the budget at which starts and the walk through cells end. */
const startsEnd = 0.3
const cellsEnd = 0.7
/** Without a rise over this share climbing ends. */
const stagnation = 0.3

/** Points that a pair is looked for at, until there is one. */
const mostTries = 4

/** Starts that are climbed from at the most, each with so many evaluations, and that are looked at before. */
const mostClimbers = 8
const evaluationsEach = 100
const mostStarts = 2000

/**
 * Looks for a point of the region where ‖J(x)‖₂ is large, and makes a pair of points of it whose quotient is a lower
 * bound of the Lipschitz constant. One point will do where the Jacobian is the same everywhere. Random starts first; small piecewise linear networks are walked through cell by
 * cell; the rest of the budget goes into climbing from the best points. Null where nothing but zeros, or no finite
 * value, was found.
 */
export function searchLower(objective: Objective, region: Region, options: SearchOptions): Found | null {
  const random = createRandom(options.seed)
  const { measure, enough = Infinity, isSingle = false } = options
  const begin = objective.spent
  const coarse = coarseSteps(objective, options.budget)
  const climbersCount = Math.min(
    mostClimbers,
    Math.max(1, Math.floor(options.budget / (evaluationsEach * objective.cost))),
  )
  const isOver = (share: number) =>
    objective.spent - begin >= share * options.budget || (options.expired?.() ?? false)
  let looks = 0
  const onLook = () => {
    looks++
  }
  let isSame = false
  const look = (x: Float64Array): Candidate | null => {
    looks++
    const local = objective.at(x)
    isSame = local?.isAffine ?? false
    const found = local && measure.peak(local, isSame ? fineSteps(objective) : coarse, random)
    return found && { ...found, x }
  }

  const given = options.points ?? []
  const starts: Candidate[] = []
  const most = isSingle ? 1 : given.length + mostStarts
  // all elements at kinks, as zeros often are, prove nothing of what is around
  const skipped = isSingle && given.length === 0 ? 1 : 0
  let isEnough = false
  for (let i = 0; i < most && !isEnough && !isSame && !(i > 0 && isOver(startsEnd)); i++) {
    const x = i < given.length ? given[i] : region.start(i - given.length + skipped, random)
    const found = look(region.project(x))
    if (found === null) continue
    starts.push(found)
    isEnough = found.sigma >= enough
  }
  let pool = distinct(starts, climbersCount)
  if (pool.length === 0) return null
  const isOnly = isSingle || isSame
  const conclude = (points: readonly Candidate[]) =>
    bestWitness(objective, region, { ...options, isSingle: isOnly }, points, random, looks)
  if (isEnough || isOnly) {
    const found = conclude(pool.slice(0, 1))
    if (isOnly || (found !== null && found.witness.value >= enough)) return found
  }

  const first = isOver(cellsEnd) ? null : objective.at(pool[0].x)
  if (first !== null && hasCells(objective, first, options.budget)) {
    const cell = walkCells(objective, region, measure, pool, random, () => isOver(cellsEnd))
    if (cell !== null) pool = distinct([cell, ...pool], climbersCount)
  }
  const climbers = pool.map((start, i) => {
    return createClimber(start, objective, region, measure, random, (0.1 * i) / pool.length, onLook)
  })
  let risen = { sigma: pool[0].sigma, at: objective.spent }
  while (!isOver(0.95) && risen.sigma < enough && objective.spent - risen.at < stagnation * options.budget) {
    climbers.sort((a, b) => b.best.sigma - a.best.sigma)
    // The best one gets every other turn.
    const climber = climbers[random.uniform() < 0.5 ? 0 : Math.floor(random.uniform() * climbers.length)]
    climber.climb()
    if (climber.best.sigma > risen.sigma * (1 + 1e-4))
      risen = { sigma: climber.best.sigma, at: objective.spent }
  }
  const points = climbers.map(({ best }) => best).sort((a, b) => b.sigma - a.sigma)
  // derivatives at kinks, where climbing likes to end, may be those of no direction: then where it began, and elsewhere
  return conclude(points) ?? conclude(distinct(starts, mostTries))
}

/** The best candidates; equal norms mean the same cell of a piecewise linear network. */
function distinct(candidates: readonly Candidate[], count: number): Candidate[] {
  const sorted = candidates.toSorted((a, b) => b.sigma - a.sigma)
  return sorted.filter(({ sigma }, i) => i === 0 || sigma < sorted[i - 1].sigma * (1 - 1e-6)).slice(0, count)
}

function bestWitness(
  objective: Objective,
  region: Region,
  { measure, isSingle = false, provenOnly }: SearchOptions,
  points: readonly Candidate[],
  random: Random,
  looks: number,
): Found | null {
  let found: Found | null = null
  for (const [i, best] of points.slice(0, mostTries).entries()) {
    if (found !== null && (i >= (isDear(objective) ? 1 : 3) || best.sigma <= found.witness.value)) break
    const local = isSingle ? null : objective.at(best.x)
    const sharper = local && measure.peak(local, fineSteps(objective), random, best.right)
    const precise = sharper !== null && sharper.sigma > best.sigma ? sharper : best
    const witness = witnessAlong(objective, region, measure, best.x, precise, provenOnly)
    if (witness !== null && witness.value > (found?.witness.value ?? 0))
      found = { witness, point: best.x, sigma: precise.sigma, looks }
  }
  return found
}
