import { boxLimits } from '../../core/limits.ts'
import { mulUp, sqrtUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import type { Box } from '../bound.ts'
import { countOf, hullOf, placesIn, sharedTo } from '../boxes/box.ts'
import { farthest, nearest } from '../rules/interval.ts'
import { isFixed } from '../rules/join.ts'
import { slopesOf } from '../slopes/slopes.ts'
import { first, type SpreadContext, type SpreadRule } from './rule.ts'
import { emptySpread, grownSpread, type Spread, summedSpreads } from './spread.ts'

/** Parts of what works on each element by itself, broadcast where there are several operands. */

type PartsRule = (context: SpreadContext) => Spread | null

/** For each part the value of a function of the interval that holds its elements. */
function overParts(dims: readonly number[], box: Box | null, of: (lo: number, hi: number) => number) {
  if (box === null || box.dims.length > dims.length) return () => of(-Infinity, Infinity)
  const lead = dims.length - box.dims.length
  const shared = sharedTo(
    box,
    box.dims.map((dim, axis) => (dims[lead + axis] === 1 ? 1 : dim)),
  )
  // parts that are finer than the box, or as fine; where neither fits the whole box counts
  const fits = shared.dims.every((dim, axis) => dim === 1 || dim === dims[lead + axis])
  const places = fits ? placesIn(shared.dims, dims) : null
  const whole = hullOf(box)
  return (part: number) =>
    places === null ? of(whole.lo, whole.hi) : of(shared.lo[places[part]], shared.hi[places[part]])
}

/** |Δf(x)| ≤ sup|f′|·|Δx|, the supremum over the range of each part. */
export function slopedSpread({ linear, spreadOf, boxOf }: SpreadContext): Spread | null {
  const [spread, slopes] = [spreadOf(0), slopesOf(linear)]
  if (spread === null || slopes === null) return null
  return grownSpread(
    spread,
    overParts(spread.dims, boxOf(0), (lo, hi) => farthest(slopes({ lo, hi }))),
  )
}

interface Operands {
  /** The parts of the result. */
  readonly dims: readonly number[]
  readonly spreads: readonly Spread[]
  /** √copies of each operand's elements within a part. */
  readonly copies: readonly number[]
}

/** Operands 0 and 1 broadcast to parts that are as fine as theirs; null where sizes are not known or nothing is known. */
function broadcast({ bound, spreadOf }: SpreadContext): Operands | null {
  const output = bound.output(0)?.shape ?? null
  // before version 7 shapes were aligned by an attribute
  if (output === null || (bound.node.domain === '' && bound.node.version < 7) || bound.inputCount !== 2)
    return null
  const dims = new Array<number>(output.length).fill(1)
  const operands = [0, 1].map((i) => ({ operand: bound.input(i), spread: spreadOf(i) }))
  for (const { operand, spread } of operands) {
    if (operand === null || operand.shape === null) return null
    if (!isFixed(operand) && spread === null) return null
    const lead = output.length - operand.shape.length
    for (const [axis, dim] of (spread?.dims ?? []).entries()) if (dim !== 1) dims[lead + axis] = dim
  }
  if (operands.every(({ spread }) => spread === null) || countOf(dims) > boxLimits.intervals) return null
  const spreads = operands.map(({ operand, spread }) => spread ?? emptySpread(operand!.shape!.map(() => 1)))
  const copies = operands.map(({ operand }) => {
    const shape = operand!.shape!
    const lead = output.length - shape.length
    return sqrtUp(
      output.reduce<number>((count, dim, axis) => {
        if (dims[axis] !== 1) return count
        const own = axis < lead ? 1 : shape[axis - lead]
        return own === dim && dim !== null ? count : count * (dim ?? Number.POSITIVE_INFINITY)
      }, 1),
    )
  })
  return copies.includes(Number.POSITIVE_INFINITY) ? null : { dims, spreads, copies }
}

const sum: PartsRule = (context) => {
  const found = broadcast(context)
  if (found === null) return null
  const { dims, spreads, copies } = found
  return summedSpreads(
    dims,
    spreads.map((spread, i) => ({ spread, gainAt: () => copies[i] })),
  )
}

/** |Δ(fg)| ≤ sup|f|·|Δg| + sup|g|·|Δf| on each part. */
const product: PartsRule = (context) => {
  const found = broadcast(context)
  if (found === null) return null
  const { dims, spreads, copies } = found
  const sizes = [0, 1].map((i) => overParts(dims, context.boxOf(i), (lo, hi) => farthest({ lo, hi })))
  return summedSpreads(
    dims,
    spreads.map((spread, i) => ({ spread, gainAt: (part) => mulUp(copies[i], sizes[1 - i](part)) })),
  )
}

/** Division by what does not vary. */
const quotient: PartsRule = (context) => {
  const [found, below] = [broadcast(context), context.bound.input(1)]
  if (found === null || below === null || !isFixed(below)) return null
  const { dims, spreads, copies } = found
  const least = overParts(dims, context.boxOf(1), (lo, hi) => nearest({ lo, hi }))
  return summedSpreads(dims, [
    { spread: spreads[0], gainAt: (part) => (least(part) > 0 ? up(copies[0] / least(part)) : Infinity) },
  ])
}

const up = (x: number) => mulUp(x, 1 + 2 ** -50)

/** Elements as they are. */
const same: PartsRule = ({ bound, spreadOf }) => {
  const [from, to] = [bound.input(0)?.shape, bound.output(0)?.shape]
  const sizes = [from ? sizeOf(from) : null, to ? sizeOf(to) : null]
  return sizes[0] !== null && sizes[0] === sizes[1] ? spreadOf(0) : null
}

export const elementwiseSpreads = {
  Add: first(sum),
  Sub: first(sum),
  Mul: first(product),
  Div: first(quotient),
  Identity: first(same),
  Dropout: first(same),
  Cast: first(same),
} satisfies Record<string, SpreadRule>
