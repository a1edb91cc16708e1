import * as mag from '../core/magnitude.ts'
import type { Term } from '../core/term.ts'
import * as term from '../core/term.ts'
import type { Value } from '../graph/graph.ts'
import type { BoundContext, BoundOperand, BoundRule, TensorBound } from '../ops/bound.ts'
import { countOf, isUniform } from '../ops/boxes/box.ts'
import type { LinearContext } from '../ops/calculus.ts'
import { gatedRoot } from '../ops/forms/forms.ts'
import { isFixed } from '../ops/rules/join.ts'
import { spreadRule } from '../ops/spreads/families.ts'
import type { SpreadContext } from '../ops/spreads/rule.ts'
import { grownSpread, lengthUp, type Spread } from '../ops/spreads/spread.ts'
import { type BoxStore, boxOf } from './boxes.ts'

/** How much single parts of tensors vary, as far as a walk knows more than of the whole. */
export interface SpreadStore {
  readonly spreads: Map<Value, Spread>
  /** Parts kept so far. */
  kept: number
}

export function createSpreadStore(): SpreadStore {
  return { spreads: new Map(), kept: 0 }
}

/**
 * Bounds of a node's outputs, the first lowered to what its parts vary by together where that is less; the spreads are
 * kept for the nodes behind, as many as the limits allow.
 */
export function spreadOut(
  { spreads: store, boxes }: { readonly spreads: SpreadStore; readonly boxes: BoxStore },
  context: BoundContext,
  linear: LinearContext,
  rule: BoundRule,
  results: readonly TensorBound[],
  usesForms: boolean,
): readonly TensorBound[] {
  for (const value of context.node.outputs) if (value !== null) store.spreads.delete(value)
  const operandSpread = (operand: BoundOperand | null) => spreadOf(store, operand)
  const found = spreadRule(context.node)({
    bound: context,
    linear,
    boxes: rule.boxes,
    spreadOf: (i) => operandSpread(context.input(i)),
    wholeOf: (i) => operandSpread(context.input(i)) ?? wholeOf(context.input(i)),
    boxOf: (i) => boxOf(boxes, context.input(i)),
    gain: gainOf(results[0], context.input(0)),
  } satisfies SpreadContext)
  const root = usesForms ? gatedRoot(context) : null
  const own = root && operandSpread(context.operandOf(root.value))
  return results.map((bound, i) => {
    const value = context.node.outputs[i] ?? null
    const shape = context.output(i)?.shape ?? null
    if (value === null || shape === null || bound.refusal !== null || isFixed(bound)) return bound
    const candidates = [found[i] ?? null, i === 0 && own ? grownSpread(own, () => root!.slope) : null]
    const fitting = candidates.filter((spread) => spread !== null && fits(spread, shape)) as Spread[]
    const least = fitting.map(total).reduce((a, b) => (b.lipschitz < a.lipschitz ? b : a), nothing)
    const { spread } = least
    if (spread === null) return bound
    if (!isUniform({ ...spread, lo: spread.offset, hi: spread.lipschitz }))
      if (store.kept + spread.lipschitz.length <= context.limits.keptIntervals) {
        store.kept += spread.lipschitz.length
        store.spreads.set(value, spread)
      }
    return lowered(bound, least)
  })
}

interface Total {
  readonly spread: Spread | null
  readonly lipschitz: number
  readonly offset: number
}

const nothing: Total = { spread: null, lipschitz: Number.POSITIVE_INFINITY, offset: 0 }

function total(spread: Spread): Total {
  return { spread, lipschitz: lengthUp(spread.lipschitz), offset: lengthUp(spread.offset) }
}

/**
 * The bound with the constants of the parts together, where the Lipschitz constant is less than its own: any of the two pairs
 * holds, and the offset may grow by as much as the constant falls.
 */
function lowered(bound: TensorBound, { lipschitz, offset }: Total): TensorBound {
  const [value, rest] = [mag.magnitude(lipschitz), mag.magnitude(offset)]
  if (mag.compare(value, bound.lipschitz.value) >= 0) return bound
  const [own, other] = [mag.multiply(bound.lipschitz.value, bound.offset.value), mag.multiply(value, rest)]
  if (mag.compare(other, own) > 0) return bound
  const of = { lipschitz: following(bound.lipschitz, value), offset: following(bound.offset, rest) }
  // what a share says of the tensor holds as before
  const share = bound.share?.of.lipschitz === bound.lipschitz ? { ...bound.share, of } : null
  return { ...bound, ...of, share }
}

/** A constant that is proven otherwise, taken to follow layers' norms as the other one does. */
function following(from: Term, value: mag.Magnitude): Term {
  return mag.compare(value, from.value) === 0 ? from : { value, parents: [from], weights: [1], leaf: null }
}

function fits({ dims, lipschitz }: Spread, shape: readonly (number | null)[]): boolean {
  return (
    dims.length === shape.length &&
    dims.every((dim, axis) => dim === 1 || dim === shape[axis]) &&
    lipschitz.length === countOf(dims) &&
    lipschitz.length > 0
  )
}

/** No part varies more than the whole. */
function spreadOf(store: SpreadStore, operand: BoundOperand | null): Spread | null {
  if (operand === null || operand.shape === null || operand.refusal !== null || isFixed(operand)) return null
  const known = store.spreads.get(operand.operand.value)
  if (known === undefined || !fits(known, operand.shape)) return null
  const [most, rest] = [mag.toNumber(operand.lipschitz.value), mag.toNumber(operand.offset.value)]
  if (!known.lipschitz.some((value) => value > most)) return known
  const isMore = known.lipschitz.map((value) => (value > most ? 1 : 0))
  return {
    dims: known.dims,
    lipschitz: known.lipschitz.map((value, part) => (isMore[part] ? most : value)),
    offset: known.offset.map((value, part) => (isMore[part] ? rest : value)),
  }
}

function wholeOf(operand: BoundOperand | null): Spread | null {
  if (operand === null || operand.shape === null || operand.refusal !== null) return null
  const constants = [operand.lipschitz, operand.offset].map(({ value }) =>
    Float64Array.of(mag.toNumber(value)),
  )
  return { dims: operand.shape.map(() => 1), lipschitz: constants[0], offset: constants[1] }
}

/** By how much the rule lets the first output vary with the first input, rounded up. */
function gainOf(result: TensorBound | undefined, input: BoundOperand | null): number {
  if (result === undefined || input === null || result.refusal !== null || input.refusal !== null)
    return Number.POSITIVE_INFINITY
  if (term.isZero(input.lipschitz) || !term.isBounded(input.lipschitz)) return Number.POSITIVE_INFINITY
  return mag.toNumber(mag.divide(result.lipschitz.value, input.lipschitz.value))
}
