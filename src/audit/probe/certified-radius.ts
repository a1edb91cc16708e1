import { lengthOf } from '../../bounds/lower/point.ts'
import type { NetworkBounds } from '../../bounds/network-bounds.ts'
import { isObstacle, type LinearRegion, linearRegion } from '../../calculus/linear-region.ts'
import { linearMapOf } from '../../calculus/node-context.ts'
import type { Trace } from '../../calculus/trace.ts'
import * as mag from '../../core/magnitude.ts'
import { divDown, mulUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import type { Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import type { Trust } from '../lipschitz.ts'
import type { Answer, CertifiedRadius, ClassMargin } from './probe-result.ts'

/** Classes beyond which rows of the last layer are not looked at one by one. */
const mostClasses = 100_000

/** Linear nodes at the end that are taken together. */
const reach = 16

/** Covers the rounding of row norms and logits, which are computed in float64. */
const slack = 1 + 2 ** -30
const logitError = 2 ** -40

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
  /** How far from the point the domain of the bounds reaches in every direction. */
  readonly domainRadius: number
}

/**
 * The ℓ2 radius within which the decision stays: class c wins over j as long as |x′ − x| < (y_c − y_j)/L_cj, where
 * L_cj bounds the Lipschitz constant of y_c − y_j: |(e_c − e_j)ᵀA|·L_h for the last linear part A behind a value h, or
 * √2 times the constant of the output, whichever is less. The least over all j counts. A final Softmax keeps the order
 * of its inputs and is left out.
 */
export function certifiedRadius(context: RadiusContext): Answer<CertifiedRadius> {
  const { typed, bounds, trace, domainRadius } = context
  const failureProbability = context.trust.failureProbability + bounds.best.failureProbability
  const [output, another] = bounds.selected.outputs
  if (another !== undefined) return { reason: 'there are several outputs: choose one with --output-name' }
  const { logits, tail } = decisionOf(typed, bounds, output)
  const tensor = trace.tensorOf(logits)
  const count = tensor?.data.length ?? 0
  if (tensor === null || count < 2) return { reason: 'the output is a single number: there are no classes' }
  if (count > mostClasses) return { reason: `the output has ${count} elements: too many to be classes` }

  const values = tensor.data
  let winner = 0
  for (let i = 1; i < count; i++) if (values[i] > values[winner]) winner = i
  const whole = constantOf(bounds, logits)
  const inner = tail === null ? null : constantOf(bounds, tail.sources[0])
  if (whole === null && inner === null)
    return { reason: bounds.refusal?.reason ?? 'the network has no proven bound', ...nodeOf(bounds) }

  const classes: ClassMargin[] = []
  for (let other = 0; other < count; other++) {
    if (other === winner) continue
    const offset = Math.max(whole?.offset ?? 0, inner?.offset ?? 0)
    const size = Math.abs(values[winner]) + Math.abs(values[other])
    const margin = values[winner] - values[other] - logitError * size - 2 * offset
    const viaRow =
      tail === null || inner === null ? Infinity : mulUp(rowDistance(tail, winner, other), inner.lipschitz)
    const viaWhole = whole === null ? Infinity : mulUp(Math.SQRT2 * slack, whole.lipschitz)
    const lipschitz = Math.min(viaRow, viaWhole)
    const radius = margin <= 0 ? 0 : lipschitz === 0 ? Infinity : divDown(margin, lipschitz)
    classes.push({
      class: other,
      margin: values[winner] - values[other],
      lipschitz: Number.isFinite(lipschitz) ? lipschitz : null,
      radius: Math.min(radius, Number.MAX_VALUE),
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
  for (let steps = 0; steps < reach; steps++) {
    const node = begin.producer
    if (node === null || bounds.selected.inputs.includes(begin)) break
    const varying = node.inputs.filter(
      (value): value is Value => value !== null && !typed.operand(value).isConstant,
    )
    if (varying.length !== 1 || linearMapOf(typed, node, (value) => value === varying[0]) === null) break
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

/** |(e_i − e_j)ᵀA|, rounded up. */
function rowDistance(tail: LinearRegion, i: number, j: number): number {
  const difference = new Float64Array(tail.targetSizes[0])
  difference[i] = 1
  difference[j] = -1
  const [row] = tail.applyAdjoint([difference])
  return row === null ? 0 : lengthOf(row) * slack
}

/** The least constant that some walk proves of a value; null where none does. */
function constantOf(bounds: NetworkBounds, value: Value): { lipschitz: number; offset: number } | null {
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
