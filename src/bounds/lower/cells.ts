import type { Random } from '../../core/random.ts'
import { dot } from '../../ops/maps/contraction.ts'
import type { Measure } from './measure.ts'
import type { Local, Objective, Singular } from './objective.ts'
import { lengthOf } from './point.ts'
import type { Region } from './region.ts'

/** A cell of a piecewise linear network, by a point inside. */
export interface Cell extends Singular {
  readonly x: Float64Array
}

/**
 * The walls of a cell, as half-spaces normalᵢ·y + offsetᵢ ≥ 0 with unit normals: how far a point is from each, and the
 * products of normals, from which the distances of any other point on the way follow.
 */
interface Walls {
  readonly normals: readonly Float64Array[]
  readonly rooms: Float64Array
  /** products[i · count + j] = normalᵢ·normalⱼ. */
  readonly products: Float64Array
}

/** Networks beyond these sizes have too many cells for a walk from one to the next. */
const mostKinks = 400
const mostInputs = 64

/** Whether a walk pays: looking around one cell takes a product for each of its kinks. */
export function hasCells({ inputSize, cost }: Objective, { kinkCount }: Local, budget: number): boolean {
  const isSmall = inputSize <= mostInputs && kinkCount <= mostKinks
  return kinkCount > 0 && isSmall && kinkCount * cost * 8 < budget
}

/** How much less long a Jacobian may be whose cell goes first: the way to the longest leads over shorter ones. */
const blurs = [0, 0.05, 0.2, 1]

/**
 * Walks through the cells of a piecewise linear network from neighbour to neighbour, on from the cell with the longest
 * Jacobian, or nearly, whose neighbours are not known yet. Between kinks all elements are affine in the input, so that a
 * point on a facet follows from projections onto the half-spaces in turn (Agmon and Motzkin). Returns the best cell;
 * `isOver` ends the walk. Cost: for each cell one product for each kink, and one evaluation and some products for
 * each new neighbour.
 */
export function walkCells(
  objective: Objective,
  region: Region,
  measure: Measure,
  starts: readonly Cell[],
  random: Random,
  isOver: () => boolean,
): Cell | null {
  const open = [...starts]
  const seen = new Set<string>()
  let best: Cell | null = null
  let turn = 0
  while (open.length > 0 && !isOver()) {
    let at = 0
    let highest = 0
    const blur = blurs[turn++ % blurs.length]
    for (let i = 0; i < open.length; i++) {
      const score = open[i].sigma * (1 - blur * random.uniform())
      if (score <= highest) continue
      highest = score
      at = i
    }
    const [cell] = open.splice(at, 1)
    if (best === null || cell.sigma > best.sigma) best = cell
    const local = objective.at(cell.x)
    if (local === null) continue
    seen.add(local.pattern())
    const walls = wallsOf(local)
    for (let facet = 0; facet < walls.rooms.length && !isOver(); facet++) {
      const beyond = pointBeyond(walls, facet, cell.x)
      if (beyond === null) continue
      const x = region.project(beyond)
      const neighbour = objective.at(x)
      const pattern = neighbour?.pattern() ?? ''
      if (neighbour === null || seen.has(pattern)) continue
      seen.add(pattern)
      const found = measure.peak(neighbour, 8, random, cell.right)
      if (found !== null) open.push({ ...found, x })
    }
  }
  for (const cell of open) if (best === null || cell.sigma > best.sigma) best = cell
  return best
}

/** The walls of the cell around a point; kinks that nothing moves have none. */
function wallsOf(local: Local): Walls {
  const normals: Float64Array[] = []
  const rooms: number[] = []
  for (let i = 0; i < local.kinkCount; i++) {
    const { distance, gradient } = local.kink(i)
    const length = lengthOf(gradient)
    if (!(length > 1e-12)) continue
    const side = distance < 0 ? -1 : 1
    normals.push(gradient.map((x) => (side * x) / length))
    rooms.push(Math.abs(distance) / length)
  }
  const count = normals.length
  const products = new Float64Array(count * count)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      const product = dot(normals[i], 0, normals[j], 0, local.x.length)
      products[i * count + j] = product
      products[j * count + i] = product
    }
  }
  return { normals, rooms: Float64Array.from(rooms), products }
}

/** Projections before a facet counts as not there. */
const projections = 80

/** A point a little beyond one wall, inside all others; null where none was found. Cost: the walls, for each projection. */
function pointBeyond(
  { normals, rooms, products }: Walls,
  facet: number,
  x: Float64Array,
): Float64Array | null {
  const count = rooms.length
  const height = rooms[facet]
  const row = (i: number) => products.subarray(i * count, (i + 1) * count)
  const facetRow = row(facet)
  // How far the point has gone along each normal, and what room is left to each wall.
  const gone = new Float64Array(count)
  const left = rooms.map((room, i) => room - height * facetRow[i])
  gone[facet] = -height
  // Others keep a distance that shrinks until the facet is wide enough for it.
  let margin = Math.max(height, 1e-9) * 0.3
  for (let tries = 0; tries < projections; tries++) {
    let worst = -1
    let least = Infinity
    for (let i = 0; i < count; i++) {
      if (i === facet || left[i] >= least) continue
      least = left[i]
      worst = i
    }
    if (worst < 0 || least >= margin || (least > 0 && tries > projections / 2)) {
      gone[facet] -= 0.3 * Math.min(least, Math.max(height, 1e-6))
      const beyond = x.slice()
      for (let i = 0; i < count; i++) {
        if (gone[i] !== 0) for (let k = 0; k < beyond.length; k++) beyond[k] += gone[i] * normals[i][k]
      }
      return beyond
    }
    // Along the facet, so that its wall stays at 0.
    const along = products[worst * count + facet]
    const slack = 1 - along * along
    if (slack < 1e-10) return null
    const step = (margin - least) / slack
    gone[worst] += step
    gone[facet] -= step * along
    const worstRow = row(worst)
    for (let i = 0; i < count; i++) left[i] += step * (worstRow[i] - along * facetRow[i])
    if (tries % 10 === 9) margin *= 0.3
  }
  return null
}
