import type { Term } from '../../core/term.ts'
import * as term from '../../core/term.ts'
import type { BoundContext, Origin, Share, TensorBound } from '../bound.ts'
import { areDisjoint, cutOf, type Region } from './region.ts'

/**
 * Parts of one tensor vary together no more than the whole: with v cut into disjoint parts v₁, v₂, … it is
 * Σ |Δvᵢ|² ≤ |Δv|². Tensors that come from different parts therefore join as those of different inputs do, by
 * root-sum-square and not by sum, and side by side by the maximum: relative to v, whose own bound then multiplies.
 */

/** So many regions are told apart; more are taken for the whole. */
const mostRegions = 64
/** So many origins behind one another are looked back over. */
const mostOrigins = 8

/** The share that belongs to the bound; null where it has none. */
export function shareOf(bound: TensorBound): Share | null {
  const share = bound.share ?? null
  const isItsOwn = share?.of.lipschitz === bound.lipschitz && share.of.offset === bound.offset
  return isItsOwn && bound.refusal === null ? share : null
}

/**
 * The bound of an output that holds elements of input 0 within the region, each once; all of them in their order, unless
 * `isPart` says otherwise.
 */
export function cutFrom(
  context: BoundContext,
  bound: TensorBound,
  region: Region | null,
  isPart = true,
): TensorBound {
  const [input, origin] = [context.input(0), context.origin(0)]
  if (input === null || region === null || origin === null || bound.refusal !== null) return bound
  const of = { lipschitz: bound.lipschitz, offset: bound.offset }
  const outer = shareOf(input)
  const share: Share = outer?.isPart
    ? { ...outer, regions: [cutOf(outer.regions[0], region)], isPart, of }
    : { origin, regions: [region], lipschitz: term.one, offset: term.zero, isPart, of }
  return { ...bound, share }
}

/** The bound with its constants grown by a factor, and its share with it. */
export function grown(bound: TensorBound, factor: Term): TensorBound {
  const share = shareOf(bound)
  const of = {
    lipschitz: term.product(bound.lipschitz, factor),
    offset: term.product(bound.offset, factor),
  }
  if (share === null) return { ...bound, ...of, share: null }
  const lipschitz = term.product(share.lipschitz, factor)
  const offset = term.product(share.offset, factor)
  return { ...bound, ...of, share: { ...share, lipschitz, offset, isPart: false, of } }
}

/** How constants of operands add up. */
export interface Joining {
  /** Of operands that may vary together. */
  readonly within: (...terms: readonly Term[]) => Term
  /** Of operands that vary by parts of one whole. */
  readonly across: (...terms: readonly Term[]) => Term
  readonly offsets: (...terms: readonly Term[]) => Term
}

/**
 * Operands that come from parts of one tensor taken together, the latest such tensor first, until no two operands do.
 * `plainly` joins without parts; the lesser of both counts.
 */
export function joinedShares(
  bounds: readonly TensorBound[],
  joining: Joining,
  plainly: (members: readonly TensorBound[]) => TensorBound,
): readonly TensorBound[] {
  let operands = bounds.map((bound) => ({ bound, shares: sharesOf(bound) }))
  for (;;) {
    const origin = commonOrigin(operands.map(({ shares }) => shares))
    if (origin === null) return operands.map(({ bound }) => bound)
    const members = operands.filter(({ shares }) => shares.has(origin))
    const shares = members.map((member) => member.shares.get(origin)).filter((share) => share !== undefined)
    const bound = relative(origin, shares, joining, plainly(members.map((member) => member.bound)))
    const place = operands.indexOf(members[0])
    operands = operands
      .map((operand, i) => (i === place ? { bound, shares: sharesOf(bound) } : operand))
      .filter((operand) => !members.includes(operand))
  }
}

/** The latest origin that several operands have in common. */
function commonOrigin(operands: readonly ReadonlyMap<Origin, Share>[]): Origin | null {
  const counts = new Map<Origin, number>()
  for (const shares of operands)
    for (const origin of shares.keys()) counts.set(origin, (counts.get(origin) ?? 0) + 1)
  const common = [...counts].filter(([, count]) => count > 1).map(([origin]) => origin)
  return common.reduce<Origin | null>(
    (latest, origin) => (latest === null || origin.order > latest.order ? origin : latest),
    null,
  )
}

/** The share of a bound, and those of the origins behind one another, each relative to the one before. */
function sharesOf(bound: TensorBound): Map<Origin, Share> {
  const shares = new Map<Origin, Share>()
  let share = shareOf(bound)
  while (share !== null && shares.size < mostOrigins && !shares.has(share.origin)) {
    shares.set(share.origin, share)
    const outer = shareOf(share.origin.bound)
    share = outer && {
      ...outer,
      lipschitz: term.product(share.lipschitz, outer.lipschitz),
      offset: term.sum(term.product(share.lipschitz, outer.offset), share.offset),
      isPart: false,
    }
  }
  return shares
}

/** Operands relative to one origin: those on regions that overlap vary together, others by parts of the whole. */
function relative(
  origin: Origin,
  shares: readonly Share[],
  { within, across, offsets }: Joining,
  plain: TensorBound,
): TensorBound {
  const groups = groupsOf(shares)
  const lipschitz = across(...groups.map((group) => within(...group.map((share) => share.lipschitz))))
  const offset = offsets(...shares.map((share) => share.offset))
  const whole = {
    lipschitz: term.product(lipschitz, origin.bound.lipschitz),
    offset: term.sum(term.product(lipschitz, origin.bound.offset), offset),
  }
  const isLess = term.minimum(plain.lipschitz, whole.lipschitz) !== plain.lipschitz
  const of = isLess ? whole : { lipschitz: plain.lipschitz, offset: plain.offset }
  const regions = shares.flatMap((share) => share.regions)
  const kept = regions.length <= mostRegions ? regions : [regions[0].map(() => null)]
  return { ...plain, ...of, share: { origin, regions: kept, lipschitz, offset, isPart: false, of } }
}

/** Parts the shares so that those of different groups have no element of the origin in common. */
function groupsOf(shares: readonly Share[]): Share[][] {
  let groups: Share[][] = []
  for (const share of shares) {
    const touching = groups.filter((group) => group.some((other) => mayMeet(share, other)))
    groups = [...groups.filter((group) => !touching.includes(group)), [...touching.flat(), share]]
  }
  return groups
}

function mayMeet(a: Share, b: Share): boolean {
  return a.regions.some((own) => b.regions.some((other) => !areDisjoint(own, other)))
}
