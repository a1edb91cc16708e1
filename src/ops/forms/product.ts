import type { Value } from '../../graph/graph.ts'
import type { BoundContext, Interval, TensorBound } from '../bound.ts'
import { farthest, hull, intersection, interval, product, scaled, sum, up } from '../rules/interval.ts'
import { through } from '../rules/join.ts'
import { tanhOfCubic } from './cubic-gate.ts'
import { type Gate, gateOf } from './gates.ts'
import { type Line, orders, polynomialIn, producerOf, stripped } from './pattern.ts'

/**
 * y = (p·x + q)·(a·g(c·x + d) + b): SiLU, GELU by erf and by tanh, HardSwish, Mish and QuickGelu, however the factors are
 * placed. With r = x + q/p it is p·r·(a·g(c·r + d′) + b), d′ = d − c·q/p, and its derivative p·(a·(r·g)′ + b): extreme at
 * an end of the range of (r·g)′. Holds for every value of the constants; c = 0 is no gate.
 */
export function gatedProduct(context: BoundContext): TensorBound | null {
  const found = foundIn(context)
  if (found === null) return null
  const whole = product(context.operandOf(found.factor).range, context.operandOf(found.gated).range)
  const root = context.operandOf(found.root)
  return through(root, up(found.slope), intersection(found.image?.(root.range) ?? whole, whole))
}

/** What y is a function of, and its largest slope. */
export function gatedSlope(context: BoundContext): { readonly value: Value; readonly slope: number } | null {
  const found = foundIn(context)
  return found && { value: found.root, slope: up(found.slope) }
}

function foundIn(context: BoundContext): (Slope & { factor: Value; gated: Value }) | null {
  for (const [factor, gated] of orders(context.node)) {
    const found = slopeOf(context, factor, gated)
    if (found !== null && Number.isFinite(found.slope)) return { ...found, factor, gated }
  }
  return null
}

interface Slope {
  readonly root: Value
  readonly slope: number
  /** The image of a range of the root, where it is known to be less than the product of the factors' ranges. */
  readonly image?: (range: Interval) => Interval
}

function slopeOf(context: BoundContext, factor: Value, gated: Value): Slope | null {
  const outer = stripped(context, gated)
  const gate = gateOf(context, outer.root)
  const line = stripped(context, factor)
  if (gate === null || gate.input.root !== line.root) return cubicSlope(context, factor, outer)
  return line.scale === 0 || gate.input.scale === 0
    ? null
    : {
        root: line.root,
        slope: largest(line, outer, gate),
        image: (range) => productImage(range, line, outer, gate),
      }
}

/** Where the gate's argument is parted: a gate changes within some units of 0. */
const knots = [-12, -8, -6, -5, -4, -3.5, -3, -2.5, -2, -1.75, -1.5, -1.25, -1, -0.75, -0.5, -0.25, 0]
const partition = [...knots, ...knots.slice(0, -1).map(Math.abs).reverse()]

/** Factor and gate over pieces of the root's range: near a gate's end the other factor is small. */
function productImage(range: Interval, line: Line, outer: Line, { image, input }: Gate): Interval {
  const cuts = partition
    .map((t) => (t - input.shift) / input.scale)
    .filter((at) => at > range.lo && at < range.hi)
  const ends = [range.lo, ...cuts.sort((a, b) => a - b), range.hi]
  const along = ({ scale, shift, error }: Line, piece: Interval) => {
    const end = Math.max(0, ...[piece.lo, piece.hi].map(Math.abs).filter(Number.isFinite))
    const slack = error + 1e-14 * (Math.abs(shift) + Math.abs(scale) * end)
    return sum(scaled(piece, scale), interval(shift - slack, shift + slack))
  }
  return ends
    .slice(1)
    .map((end, i) => {
      const piece = interval(ends[i], end)
      return product(along(line, piece), along(outer, image(along(input, piece))))
    })
    .reduce(hull)
}

function largest(line: Line, outer: Line, { derivative, input }: Gate): number {
  const slope = Math.abs(input.scale / line.scale)
  const shift = input.shift - (input.scale / line.scale) * line.shift
  // roundings of the constants, which may have cancelled in the shift
  const error =
    input.error + slope * line.error + 1e-14 * (Math.abs(input.shift) + slope * Math.abs(line.shift))
  const range = derivative(interval(shift - error, shift + error))
  const whole = sum(
    scaled(range, outer.scale),
    interval(outer.shift - outer.error, outer.shift + outer.error),
  )
  return up(Math.abs(line.scale) * farthest(whole))
}

/** x·(a·tanh(k·x + m·x³) + b): GELU by tanh, for every k and m of one sign. */
function cubicSlope(context: BoundContext, factor: Value, outer: Line): Slope | null {
  const argument = producerOf(outer.root, 'Tanh')?.inputs[0]
  if (!argument) return null
  const line = stripped(context, factor)
  for (const root of [line.root, factor]) {
    const scale = root === line.root ? line.scale : 1
    if (root === line.root && (line.shift !== 0 || line.error !== 0)) continue
    const inner = polynomialIn(context, argument, root)
    const [constant, first, square, cube] = inner ?? []
    if (inner?.length !== 4 || constant !== 0 || square !== 0) continue
    const supremum = tanhOfCubic(first, cube)
    if (supremum === null) continue
    const bound = Math.abs(scale) * (Math.abs(outer.scale) * supremum + Math.abs(outer.shift) + outer.error)
    return { root, slope: up(bound) }
  }
  return null
}
