import type { Magnitude } from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import type { Term } from '../../core/term.ts'
import * as term from '../../core/term.ts'
import type { Node } from '../../graph/graph.ts'
import { everything, type Interval, type TensorBound } from '../bound.ts'
import { joinings } from './norms.ts'
import { grown, type Joining, joinedShares } from './share.ts'

/**
 * How the variations of a node's operands add up in its output. Operands are |Δᵢ| ≤ Lᵢ·dᵢ + δᵢ, where dᵢ is the
 * variation of those audited inputs that operand i depends on, and d² = Σ over all inputs. Operands that depend
 * on common inputs form a group; groups share no input, so Σ d_group² ≤ d².
 */

/** An operand and the constant with which it enters: the output varies by at most gain·|Δoperand| through it. */
export interface Part {
  readonly bound: TensorBound
  readonly gain: number | Magnitude | Term
}

/** A tensor that is the same whatever the audited inputs are. */
export function fixed(range: Interval = everything, norm = Infinity): TensorBound {
  return { lipschitz: term.zero, offset: term.zero, range, norm, dependence: new Set(), refusal: null }
}

/** No certificate, also where nothing varies: for operators that are no functions of their inputs. */
export function unbounded(node: Node, reason: string): TensorBound {
  const refusal = { node: node.name, op: node.op, reason }
  return {
    lipschitz: term.infinite,
    offset: term.zero,
    range: everything,
    norm: Infinity,
    dependence: new Set(),
    refusal,
  }
}

/** Whether the tensor is the same whatever the audited inputs are. */
export function isFixed(bound: TensorBound): boolean {
  return bound.refusal === null && term.isZero(bound.lipschitz) && term.isZero(bound.offset)
}

/** A gain that is no number, from an attribute that is none, bounds nothing. */
function factorOf(gain: Part['gain']): Term {
  if (typeof gain === 'object' && 'value' in gain) return gain
  return Number.isNaN(gain) ? term.infinite : term.constant(gain)
}

function gained({ bound, gain }: Part): TensorBound {
  const factor = factorOf(gain)
  // 0 times what is not proven to be finite is not 0
  if (term.isZero(factor) && bound.refusal === null) return fixed(bound.range)
  return grown(bound, factor)
}

/** |Δout| ≤ gain·|Δoperand|: lipschitz and offset both grow by the factor. `norm`: ‖out‖₂ at most, where known. */
export function through(
  bound: TensorBound,
  gain: Part['gain'],
  range: Interval,
  norm = Infinity,
): TensorBound {
  const result = gained({ bound, gain })
  return isFixed(result) ? fixed(range, norm) : { ...result, range, norm }
}

/** |Δout| ≤ Σ gainᵢ·|Δᵢ|. Groups: Σ L_g·d_g ≤ √(Σ L_g²)·d by Cauchy-Schwarz, where L_g is the sum in the group. */
export function added(parts: readonly Part[], range: Interval, norm = Infinity): TensorBound {
  return joined(parts, range, norm, joinings.l2.added)
}

/**
 * |Δout|² ≤ Σ (gainᵢ·|Δᵢ|)²: operands side by side, or each output element taken from one of them. Groups:
 * Σ L_g²·d_g² ≤ max L_g²·d², where L_g² is the sum of squares in the group. Offsets by Minkowski's inequality.
 */
export function stacked(parts: readonly Part[], range: Interval, norm = Infinity): TensorBound {
  return joined(parts, range, norm, joinings.l2.stacked)
}

/** As `added`, in any norm: |Δout|_p ≤ Σ gainᵢ·|Δᵢ|_p. */
export function addedIn(
  name: NormName,
  parts: readonly Part[],
  range: Interval,
  norm = Infinity,
): TensorBound {
  return joined(parts, range, norm, joinings[name].added)
}

/** As `stacked`, in any norm: |Δout|_p is at most that of the gainᵢ·Δᵢ side by side. */
export function stackedIn(
  name: NormName,
  parts: readonly Part[],
  range: Interval,
  norm = Infinity,
): TensorBound {
  return joined(parts, range, norm, joinings[name].stacked)
}

function joined(parts: readonly Part[], range: Interval, norm: number, joining: Joining): TensorBound {
  const { within, across, offsets } = joining
  const varying = parts.map(gained).filter((bound) => !isFixed(bound))
  if (varying.length === 0) return fixed(range, norm)
  const refused = varying.find((bound) => bound.refusal !== null)
  if (refused !== undefined) return { ...refused, range, norm }
  if (varying.length === 1) return { ...varying[0], range, norm }
  const plainly = (members: readonly TensorBound[]): TensorBound => ({
    lipschitz: across(...groupsOf(members).map((group) => within(...group.map((bound) => bound.lipschitz)))),
    offset: offsets(...members.map((bound) => bound.offset)),
    range,
    norm,
    dependence: union(members.map((bound) => bound.dependence)),
    refusal: null,
  })
  const hasShares = varying.filter((bound) => bound.share != null).length > 1
  const apart = hasShares ? joinedShares(varying, joining, plainly) : varying
  return apart.length === 1 && hasShares ? { ...apart[0], range, norm } : plainly(apart)
}

/** Parts the bounds so that bounds of different groups depend on no common input; in order of appearance. */
function groupsOf(bounds: readonly TensorBound[]): TensorBound[][] {
  let groups: { members: TensorBound[]; dependence: ReadonlySet<number> }[] = []
  for (const bound of bounds) {
    const touching = groups.filter((group) => intersects(group.dependence, bound.dependence))
    if (touching.length === 0) {
      groups.push({ members: [bound], dependence: bound.dependence })
      continue
    }
    const [first, ...others] = touching
    // a node may have thousands of operands: those that are there are not copied for each that joins them
    for (const { members } of others) for (const member of members) first.members.push(member)
    first.members.push(bound)
    first.dependence = union([...touching.map((group) => group.dependence), bound.dependence])
    if (others.length > 0) groups = groups.filter((group) => !others.includes(group))
  }
  return groups.map((group) => group.members)
}

function intersects(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  const [few, many] = a.size <= b.size ? [a, b] : [b, a]
  for (const input of few) if (many.has(input)) return true
  return false
}

/** The union; one of the sets itself where it holds all others, so that long chains share one set. */
function union(sets: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  const largest = sets.reduce((best, set) => (set.size > best.size ? set : best))
  const missing = sets.some((set) => set !== largest && [...set].some((input) => !largest.has(input)))
  return missing ? new Set(sets.flatMap((set) => [...set])) : largest
}
