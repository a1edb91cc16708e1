import type { NormName, OtherNorm } from '../../core/norm-name.ts'
import * as term from '../../core/term.ts'
import type { BoundContext, BoundRule, NormRule, TensorBound } from '../bound.ts'
import type { Joining } from './share.ts'

/**
 * Bounds in ℓ∞ and ℓ1: |Δout|_p ≤ L·|Δinputs|_p + δ. Several inputs vary by the norm of all their elements together:
 * the largest of theirs in ℓ∞, their sum in ℓ1.
 */

/** How operands join in each norm, as sums and side by side; `across` for operands that vary by disjoint inputs. */
export const joinings = {
  l2: {
    added: { within: term.sum, across: term.rootSumSquare, offsets: term.sum },
    stacked: { within: term.rootSumSquare, across: term.maximum, offsets: term.rootSumSquare },
  },
  linf: {
    added: { within: term.sum, across: term.sum, offsets: term.sum },
    stacked: { within: term.maximum, across: term.maximum, offsets: term.maximum },
  },
  l1: {
    added: { within: term.sum, across: term.maximum, offsets: term.sum },
    stacked: { within: term.sum, across: term.maximum, offsets: term.sum },
  },
} satisfies Record<NormName, { readonly added: Joining; readonly stacked: Joining }>

/** An element that appears so often in the output: in ℓ∞ it counts once, in ℓ1 every time. */
export const repeated = {
  linf: () => 1,
  l1: (times: number) => times,
} satisfies Record<OtherNorm, (times: number) => number>

/** A rule with what it proves in ℓ∞ and ℓ1; `same`: the rule holds in them as it is. */
export function inNorms(rule: BoundRule, norms: NormRule | 'same'): BoundRule {
  return companions(rule, (context) => rule(context), { norms })
}

/** A rule that is written for every norm. */
export function inEvery(rule: (context: BoundContext, norm: NormName) => readonly TensorBound[]): BoundRule {
  return inNorms((context) => rule(context, 'l2'), rule)
}

/** The function as a rule that says what the given one does beside bounds in ℓ2. */
export function companions(
  rule: BoundRule,
  bound: (context: BoundContext) => readonly TensorBound[],
  more: Pick<BoundRule, 'boxes' | 'norms'> = {},
): BoundRule {
  return Object.assign(bound, { boxes: rule.boxes, norms: rule.norms, extends: rule, ...more })
}

const labels = { linf: 'ℓ∞', l1: 'ℓ1' } satisfies Record<OtherNorm, string>

/** The rule in a norm; one that refuses where none is known. */
export function ruleIn(norm: OtherNorm, rule: BoundRule): BoundRule {
  const { norms } = rule
  if (norms === 'same') return rule
  if (norms !== undefined) return companions(rule, (context) => norms(context, norm))
  return companions(rule, (context) =>
    context.node.outputs.map(() => context.refuse(`has a constant in ℓ2 alone, none in ${labels[norm]}`)),
  )
}
