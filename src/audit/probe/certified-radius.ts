import { lengthOf } from '../../bounds/lower/point.ts'
import type { NetworkBounds } from '../../bounds/network-bounds.ts'
import { isObstacle, type LinearRegion, linearRegion } from '../../calculus/linear-region.ts'
import type { Motion } from '../../calculus/motion/motion.ts'
import { linearMapOf } from '../../calculus/node-context.ts'
import type { Trace } from '../../calculus/trace.ts'
import * as mag from '../../core/magnitude.ts'
import { addDown, addUp, divDown, mulUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import type { Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import type { Trust } from '../lipschitz.ts'
import type { Answer, CertifiedRadius, ClassMargin } from './probe-result.ts'

/** Classes beyond which rows of the last layer are not looked at one by one. */
const mostClasses = 100_000

/** Linear nodes at the end that are taken together. */
const reach = 16

/** Covers the rounding of lengths of rows. */
const slack = 1 + 2 ** -30
/** Covers what rows, read through nodes that add up next to nothing, are wrong by in proportion with their lengths. */
const rowError = 2 ** -40
/** Float32 rounds so many times more coarsely than float64. */
const coarser = 2 ** 29

/** |Δvalue| ≤ lipschitz·|Δinputs| + offset. */
interface Constant {
  readonly lipschitz: number
  readonly offset: number
}

/** The end of a network that decides by its largest output. */
interface Decision {
  readonly logits: Value
  /** Where the last linear part begins, and that part; null where the last node is not linear. */
  readonly tail: LinearRegion | null
}

/** What the proof of a radius rests on. */
export interface RadiusContext {
  readonly typed: TypedGraph
  readonly bounds: NetworkBounds
  readonly trust: Trust
  readonly trace: Trace
  /** Proven elements of a value at the point. Throws where they are not enclosed. */
  readonly enclose: (value: Value) => Pick<Motion, 'value' | 'doubt'>
  /** How far from the point the domain of the bounds reaches in every direction. */
  readonly domainRadius: number
}

/**
 * The ℓ2 radius within which the decision stays: class c wins over j as long as |x′ − x| < (y_c − y_j)/L_cj, where
 * L_cj bounds the Lipschitz constant of y_c − y_j: |(e_c − e_j)ᵀA|·L_h for the last linear part A behind a value h, or
 * √2 times the constant of the output, whichever is less. The least over all j counts. A final Softmax keeps the order
 * of its inputs and is left out. The logits are enclosed: y_c − y_j is what it is at least. Throws where they cannot be.
 */
export function certifiedRadius(context: RadiusContext): Answer<CertifiedRadius> {
  const { typed, bounds, trace, domainRadius } = context
  // constants may be those of any rung
  const failureProbability = bounds.ladder.reduce(
    (sum, rung) => sum + rung.failureProbability,
    context.trust.failureProbability,
  )
  const [output, another] = bounds.selected.outputs
  if (another !== undefined) return { reason: 'there are several outputs: choose one with --output-name' }
  const decision = decisionOf(typed, bounds, output)
  const { logits, tail } = isDecided(trace, output, decision) ? decision : { logits: output, tail: null }
  const tensor = trace.tensorOf(logits)
  const count = tensor?.data.length ?? 0
  if (tensor === null || count < 2) return { reason: 'the output is a single number: there are no classes' }
  if (count > mostClasses) return { reason: `the output has ${count} elements: too many to be classes` }

  const { value: values, doubt } = context.enclose(logits)
  let winner = 0
  for (let i = 1; i < count; i++) if (values[i] > values[winner]) winner = i
  const whole = constantOf(bounds, logits)
  const inner = tail === null ? null : constantOf(bounds, tail.sources[0])
  if (whole === null && inner === null)
    return { reason: bounds.refusal?.reason ?? 'the network has no proven bound', ...nodeOf(bounds) }

  const rows = tail === null ? null : rowsOf(tail, winner)
  const classes: ClassMargin[] = []
  for (let other = 0; other < count; other++) {
    if (other === winner) continue
    const distance = rows?.(other) ?? null
    const wrong = addUp(doubt[winner], doubt[other])
    const margin = addDown(addDown(values[winner], -values[other]), -wrong)
    const ways = [
      ...(whole === null ? [] : [grown(whole, Math.SQRT2 * slack)]),
      ...(distance === null || inner === null ? [] : [grown(inner, distance)]),
    ]
    const [best] = ways
      .map(({ lipschitz, offset }) => ({ lipschitz, radius: reachOf(margin, lipschitz, offset) }))
      .sort((a, b) => b.radius - a.radius || a.lipschitz - b.lipschitz)
    classes.push({
      class: other,
      margin,
      float32Doubt: coarser * wrong,
      lipschitz: Number.isFinite(best.lipschitz) ? best.lipschitz : null,
      radius: Math.min(best.radius, Number.MAX_VALUE),
    })
  }
  classes.sort((a, b) => a.radius - b.radius || a.class - b.class)
  const radius = classes[0].radius
  return {
    output: output.name,
    class: winner,
    radius: Math.min(radius, domainRadius),
    endsAtDomain: radius > domainRadius,
    certificate: failureProbability > 0 ? 'probabilistic' : 'deterministic',
    failureProbability,
    classes,
  }
}

/** A bound of what grows by the factor on its way: L and δ alike. */
function grown({ lipschitz, offset }: Constant, factor: number): Constant {
  return { lipschitz: mulUp(factor, lipschitz), offset: mulUp(factor, offset) }
}

/** The largest distance d with L·d + δ ≤ margin; 0 where there is none. */
function reachOf(margin: number, lipschitz: number, offset: number): number {
  const room = offset === 0 ? margin : addDown(margin, -offset)
  if (!(room > 0)) return 0
  return lipschitz === 0 ? Infinity : divDown(room, lipschitz)
}

function nodeOf({ refusal }: NetworkBounds): { readonly node?: string } {
  return refusal === null || refusal.node === '' ? {} : { node: refusal.node }
}

/** Walks back from the output over nodes that keep the order, then over linear ones as far as they go. */
function decisionOf(typed: TypedGraph, bounds: NetworkBounds, output: Value): Decision {
  let logits = output
  for (let steps = 0; steps < reach; steps++) {
    const node = logits.producer
    const { operator } = node === null ? { operator: null } : typed.typed(node)
    const source = node?.inputs[0]
    if (operator?.keepsOrder !== true || !source || !isOneGroup(typed, source)) break
    logits = source
  }
  let begin = logits
  let isSummed = false
  for (let steps = 0; steps < reach; steps++) {
    const node = begin.producer
    if (node === null || bounds.selected.inputs.includes(begin)) break
    const varying = node.inputs.filter(
      (value): value is Value => value !== null && !typed.operand(value).isConstant,
    )
    const map = varying.length === 1 ? linearMapOf(typed, node, (value) => value === varying[0]) : null
    const terms = map?.absolute?.().terms ?? Infinity
    // rows of one matrix are read; those of several would have to be computed
    if (map === null || map.absolute === undefined || (isSummed && terms > 1)) break
    isSummed ||= terms > 1
    begin = varying[0]
  }
  const region = begin === logits ? null : linearRegion(typed, [begin], [logits])
  return { logits, tail: region === null || isObstacle(region) ? null : region }
}

/** Whether one axis holds all elements, so that the order is that of the whole. */
function isOneGroup(typed: TypedGraph, value: Value): boolean {
  const { shape } = typed.operand(value)
  const size = shape === null ? null : sizeOf(shape)
  return shape !== null && size !== null && shape.at(-1) === size
}

/** |(e_w − e_j)ᵀA| for the winner w, rounded up, what cancels in the difference included. */
function rowsOf(tail: LinearRegion, winner: number) {
  const elements = tail.targetSizes[0]
  const rowOf = (i: number) => {
    const unit = new Float64Array(elements)
    unit[i] = 1
    return tail.applyAdjoint([unit])[0] ?? new Float64Array(tail.sourceSizes[0])
  }
  const own = rowOf(winner)
  return (other: number) => {
    const row = rowOf(other)
    return (
      lengthOf(own.map((value, i) => value - row[i])) * slack + rowError * (lengthOf(own) + lengthOf(row))
    )
  }
}

/** Whether the output's largest element stands where the logits' does, and nowhere else. */
function isDecided(trace: Trace, output: Value, { logits }: Decision): boolean {
  if (logits === output) return true
  const [given, values] = [output, logits].map((value) => trace.tensorOf(value)?.data)
  if (given === undefined || values === undefined || given.length !== values.length) return false
  let winner = 0
  for (let i = 1; i < values.length; i++) if (values[i] > values[winner]) winner = i
  return given.every((value, i) => i === winner || value < given[winner])
}

/** The least constant that some walk proves of a value; null where none does. */
function constantOf(bounds: NetworkBounds, value: Value): Constant | null {
  const isOutput = bounds.selected.outputs.includes(value)
  const proven = [
    ...bounds.ladder.flatMap(({ walk }) => (walk === null ? [] : [walk.boundOf(value)])),
    ...(isOutput ? [bounds.best.joint] : []),
  ].filter(({ refusal }) => refusal === null)
  const constants = proven
    .map(({ lipschitz, offset }) => ({
      lipschitz: mag.toNumber(lipschitz.value),
      offset: mag.toNumber(offset.value),
    }))
    .filter(({ lipschitz, offset }) => Number.isFinite(lipschitz) && Number.isFinite(offset))
  return constants.toSorted((a, b) => a.lipschitz - b.lipschitz)[0] ?? null
}
