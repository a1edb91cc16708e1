import { addDown, addUp } from '../../core/rounding.ts'
import type { Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import { floatsAt, scoped } from '../../linalg/arena.ts'
import { gamma, outward } from '../../linalg/rounding-error.ts'
import type { Box } from '../../ops/bound.ts'
import { isFixed } from '../../ops/rules/join.ts'
import { gainsOf, type NormOf, type Walk } from '../walk.ts'
import { adjointRows } from './adjoint-rows.ts'
import { bandOf } from './band.ts'
import { type ActivationPart, partsOf } from './parts.ts'
import type { Split } from './placed.ts'
import { fullBox, type SlopeRange, slopeRange } from './splits.ts'
import { openWindow, type Source, type Surroundings, type Window, weighted } from './window.ts'

/** How far inputs may lie from the centre: |Δx|₂ ≤ radius for all together, or |Δxᵢ| ≤ widthᵢ. */
export type Reach =
  | { readonly norm: 'l2'; readonly radius: number }
  | { readonly norm: 'linf'; readonly widths: ReadonlyMap<Value, Float64Array> }

export interface LocalOptions {
  readonly normOf: NormOf
  readonly audited: readonly Value[]
  readonly reach: Reach
  /** Ranges at the centre alone, and over the domain, by interval arithmetic. */
  readonly center: Walk
  readonly domain: Walk
  /** Multiply-adds, roughly. */
  readonly budget: number
  readonly expired?: () => boolean
}

/** An activation between a line and parallels to it: Δa = κ Δz + s + u with |u| ≤ radii, elementwise. */
interface Relaxed {
  readonly split: Split
  readonly radii: Float64Array
  readonly shifts: Float64Array
}

/** Elements of the rows that are written down at a time. */
const ELEMENTS = 2 ** 24

/** Less than that no row costs in networks so large; activations that could not pay it for each element keep their intervals. */
const ROW = 2 ** 14

/**
 * Where the elements that activations read lie over the domain, by linear relaxation back to the inputs. With z₀ at the
 * centre, every activation before within a band of a line over its own range, Δaₘ = κₘ Δzₘ + sₘ + uₘ, |uₘ| ≤ hₘ (band.ts), and
 * rows g of the maps,
 *
 *     |zᵢ − z₀ᵢ − σᵢ|  ≤  ρᵢ  =  |g₀|₂·r  (or Σ |g₀ₘ|·widthₘ)  +  Σₖ Σₘ |gₖₘ| hₘ,     σᵢ  =  Σₖ Σₘ gₖₘ sₘ,
 *
 * the rounding of the rows included; intersected with what intervals say. Near the centre few activations are split,
 * and ρ is what the Jacobian's row allows. Cost: one row of the adjoint for each element that intervals leave open.
 */
export function localRanges(typed: TypedGraph, options: LocalOptions): ReadonlyMap<Value, Box> {
  const { nodes } = typed.graph
  const { audited, reach, center, domain } = options
  const places = new Map(nodes.map((node, place) => [node, place]))
  const inputs = new Set(audited)
  const varies = (value: Value) => !typed.operand(value).isConstant && !isFixed(domain.boundOf(value))
  const parts = partsOf(typed, gainsOf(typed, options.normOf), varies)
  const ranges = new Map<Value, Box>()
  const splits = new Map<Value, Relaxed>()
  const distances = new Map<Value, Float64Array | null>()
  let spent = 0

  const dimsOf = (value: Value) => typed.operand(value).shape as readonly number[]
  const rangesOf = (walk: Walk, value: Value) =>
    fullBox({ whole: walk.boundOf(value).range, box: walk.boxOf(value) }, dimsOf(value))

  const around: Surroundings = {
    ...parts,
    place: (node) => places.get(node) ?? -1,
    isInput: (value) => inputs.has(value),
    boundOf: (value) => (radiiOf(value) === null ? null : 1),
    splitOf: ({ node }) => splits.get(node.outputs[0] as Value)?.split ?? null,
  }

  /** How far the elements of a value may be from those at the centre. */
  function radiiOf(value: Value): Float64Array | null {
    const known = distances.get(value)
    if (known !== undefined) return known
    const made = parts.sizeOf(value) === null ? null : measure(value)
    distances.set(value, made)
    return made
  }

  function measure(value: Value): Float64Array | null {
    const [at, over] = [rangesOf(center, value), rangesOf(domain, value)]
    const radii = at.lo.map((lo, i) => Math.max(addUp(over.hi[i], -lo), addUp(at.hi[i], -over.lo[i]), 0))
    return radii.every(Number.isFinite) ? radii : null
  }

  function visit(part: ActivationPart): void {
    const [input, output] = [part.node.inputs[0] as Value, part.node.outputs[0] as Value]
    const size = parts.sizeOf(input)
    if (size === null || size * ROW > options.budget) return
    const over = rangesOf(domain, input)
    const at = rangesOf(center, input)
    const first = slopeRange(part.slopes, { whole: domain.boundOf(input).range, box: over }, dimsOf(input))
    const found = first === null ? over : tightened(part, input, over, at)
    if (found !== over) ranges.set(input, found)
    const slopes = slopeRange(part.slopes, { whole: domain.boundOf(input).range, box: found }, dimsOf(input))
    if (slopes === null) return
    const made = splitAround(part, found, at, slopes)
    if (made !== null) splits.set(output, made)
  }

  /** A line for each element, what it errs by around the centre, and the middle of that. */
  function splitAround(part: ActivationPart, found: Box, at: Box, slopes: SlopeRange): Relaxed | null {
    const size = found.lo.length
    const [center, root, radii, shifts] = [0, 1, 2, 3].map(() => new Float64Array(size))
    for (let i = 0; i < size; i++) {
      const own = typeof slopes.lo === 'number' ? slopes.lo : slopes.lo[i]
      if (own === (typeof slopes.hi === 'number' ? slopes.hi : slopes.hi[i])) {
        center[i] = own
        continue
      }
      const range = { lo: Math.min(found.lo[i], at.lo[i]), hi: Math.max(found.hi[i], at.hi[i]) }
      const band = bandOf(part.slopes, range, { lo: at.lo[i], hi: at.hi[i] })
      if (band === null) return null
      center[i] = band.slope
      root[i] = 1
      shifts[i] = band.lo + (band.hi - band.lo) / 2
      radii[i] = Math.max(addUp(band.hi, -shifts[i]), addUp(shifts[i], -band.lo))
    }
    if (!radii.every(Number.isFinite)) return null
    const isLinear = root.every((value) => value === 0)
    return { split: { center, root, bound: isLinear ? 0 : 1 }, radii, shifts }
  }

  /** The ranges of an activation's input where its slopes are not settled by intervals. */
  function tightened(part: ActivationPart, input: Value, over: Box, at: Box): Box {
    if (options.expired?.() === true || inputs.has(input)) return over
    const picks = [...over.lo.keys()].filter((i) => {
      const { lo, hi } = part.slopes({ lo: over.lo[i], hi: over.hi[i] })
      return lo < hi
    })
    if (picks.length === 0) return over
    const left = options.budget - spent
    // each row goes through the map once, and is added up over all that the window starts from
    const price = (cost: number, size: number) => (cost + 4 * size) * picks.length
    const window = openWindow([input], nodes, around, (cost, _depth, size) => price(cost, size) <= left)
    const slots = window?.elements.reduce((sum, size) => sum + size, 0) ?? Infinity
    if (window === null || price(window.cost, slots) > left) return over
    const lo = over.lo.slice()
    const hi = over.hi.slice()
    const chunk = Math.max(1, Math.floor(ELEMENTS / slots))
    for (let from = 0; from < picks.length; from += chunk) {
      const some = picks.slice(from, from + chunk)
      spent += (window.cost + 4 * slots) * some.length
      const weights = new Float64Array(over.lo.length)
      for (const i of some) weights[i] = 1
      const { reached, shifts } = scoped(() => distancesOf(weighted(window, weights), some.length))
      some.forEach((i, row) => {
        lo[i] = Math.max(lo[i], addDown(at.lo[i], addDown(shifts[row], -reached[row])))
        hi[i] = Math.min(hi[i], addUp(at.hi[i], addUp(shifts[row], reached[row])))
      })
    }
    return { dims: over.dims, lo, hi }
  }

  /** ρ of each row of the window, and σ. */
  function distancesOf(window: Window, rows: number): { reached: Float64Array; shifts: Float64Array } {
    const pointers = adjointRows(window, rows)
    const { each } = window.errors(window.sources.map(() => 1))
    const distances = new Float64Array(rows)
    const moved = new Float64Array(rows)
    window.sources.forEach((source, s) => {
      const lengths = source.slots.map((slot) => window.slotSizes[slot])
      const total = lengths.reduce((sum, length) => sum + length, 0)
      const radii = radiiAt(source)
      const shifts = source.origin === null || source.isValue ? null : splits.get(source.origin)?.shifts
      const reachableShift = shifts ? euclidean(shifts) : 0
      const reachable = radii === null ? (reach as { radius: number }).radius : euclidean(radii)
      for (let row = 0; row < rows; row++) {
        let sum = 0
        let at = 0
        for (const [i, slot] of source.slots.entries()) {
          const line = floatsAt(pointers[slot] + row * lengths[i] * 8, lengths[i])
          if (radii === null) for (let m = 0; m < line.length; m++) sum += line[m] * line[m]
          else for (let m = 0; m < line.length; m++) sum += Math.abs(line[m]) * radii[at++]
        }
        const own = radii === null ? Math.sqrt(sum) * reachable : sum
        distances[row] += own * (1 + gamma(total + 8)) + each[s] * (reachable + reachableShift)
        if (!shifts) continue
        const line = floatsAt(pointers[source.slots[0]] + row * total * 8, total)
        let [shift, size] = [0, 0]
        for (let m = 0; m < total; m++) {
          shift += line[m] * shifts[m]
          size += Math.abs(line[m] * shifts[m])
        }
        moved[row] += shift
        distances[row] += gamma(total + 8 + window.sources.length) * size * (1 + 2 ** -40)
      }
    })
    const reached = distances.map((distance) => outward(distance * (1 + gamma(window.sources.length + 8))))
    return { reached, shifts: moved }
  }

  /** How far each element of a source may be from its value at the centre; null where they share one ℓ2 radius. */
  function radiiAt({ origin, isValue, inputs: values }: Source): Float64Array | null {
    if (origin !== null) return (isValue ? radiiOf(origin) : splits.get(origin)?.radii) as Float64Array
    if (reach.norm === 'l2') return null
    const widths = values.map((value) => reach.widths.get(value) as Float64Array)
    const joined = new Float64Array(widths.reduce((sum, width) => sum + width.length, 0))
    let at = 0
    for (const width of widths) {
      joined.set(width, at)
      at += width.length
    }
    return joined
  }

  for (const node of nodes) {
    const output = node.outputs[0]
    if (!output || typed.operand(output).isConstant || !varies(output)) continue
    const part = parts.partOf(node)
    if (part?.kind === 'activation') visit(part)
  }
  return ranges
}

function euclidean(x: Float64Array): number {
  let square = 0
  for (const value of x) square += value * value
  return outward(Math.sqrt(square) * (1 + gamma(x.length)))
}
