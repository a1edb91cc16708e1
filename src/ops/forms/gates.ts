import { floatAttribute } from '../../graph/attribute.ts'
import type { Node, Value } from '../../graph/graph.ts'
import { type BoundContext, everything, type Interval } from '../bound.ts'
import { clamp, erfSlope, hardSigmoid, mishSlope, swishSlope } from '../rules/elementwise.ts'
import { difference, farthest, hull, increasing, interval, scaled, sum, up } from '../rules/interval.ts'
import { sourceOf } from '../rules/source.ts'
import { type Line, numberIn, producerOf, stripped } from './pattern.ts'

/**
 * A gate in r·g(c·r + d). With t = c·r + d the derivative is g(t) + (t − d)·g′(t) = h(t) − d·g′(t), whose range does not
 * depend on c: c only scales the axis.
 */
export interface Gate {
  /** Holds the derivative for all r and all d of an interval. */
  readonly derivative: (shift: Interval) => Interval
  /** Holds g(t) for every t of an interval. */
  readonly image: (argument: Interval) => Interval
  /** What the gate's operator takes: scale·root + shift. */
  readonly input: Line
}

/** h of the logistic function: h(t) + h(−t) = 1. */
const logistic = interval(1 - swishSlope, swishSlope)
/** h of erf: extreme at ±1, where it is erf 1 + 2/(e·√π). */
const errorFunction = 1.257808290471
/** h of tanh: tanh t = 2σ(2t) − 1, so 2h_σ(2t) − 1. */
const hyperbolic = 2 * swishSlope - 1 + 1e-15
/** h of tanh∘softplus: the derivative of Mish. */
const mish = interval(-0.1125261223894627, mishSlope)

type Derivative = Gate['derivative']
type Shape = Pick<Gate, 'derivative' | 'image'>

const logisticOf = (x: number) => 1 / (1 + Math.exp(-x))
const tanhOfSoftplus = (x: number) => Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))))

/** A smooth gate with the range of h and sup |g′|. */
function smooth(h: Interval, slope: number): Derivative {
  return (shift) => sum(h, scaled(interval(-slope, slope), farthest(shift)))
}

/**
 * clip(αt + β, lo, hi) of t = c·r + d: with e = α·d + β the slope is lo or hi outside the kinks, and 2(αcr + e) − e within
 * them, where αcr + e runs from lo to hi.
 */
function clipped(lo: number, hi: number, alpha: number, beta: number): Derivative {
  return (shift) => {
    const e = sum(scaled(shift, alpha), interval(beta, beta))
    return hull(interval(lo, hi), difference(interval(2 * lo, 2 * hi), e))
  }
}

/** erf grows from −1 to 1 through 0, and 1 − erf t ≤ e^(−t²) for t ≥ 0. */
function erfImage(t: Interval): Interval {
  const most = t.hi <= 0 ? Math.min(0, up(Math.exp(-t.hi * t.hi)) - 1 + 1e-15) : 1
  const least = t.lo >= 0 ? Math.max(0, 1 - up(Math.exp(-t.lo * t.lo)) - 1e-15) : -1
  return interval(least, most)
}

/** Gates by the operator that computes them. */
const gates: ReadonlyMap<string, (context: BoundContext, node: Node) => Shape | null> = new Map([
  [
    'Sigmoid',
    () => ({
      derivative: smooth(logistic, 0.25),
      image: (t: Interval) => clamp(increasing(logisticOf, t), 0, 1),
    }),
  ],
  ['Erf', () => ({ derivative: smooth(interval(-errorFunction, errorFunction), erfSlope), image: erfImage })],
  [
    'Tanh',
    () => ({
      derivative: smooth(interval(-hyperbolic, hyperbolic), 1),
      image: (t: Interval) => clamp(increasing(Math.tanh, t), -1, 1),
    }),
  ],
  [
    'HardSigmoid',
    (_: BoundContext, node: Node) => {
      const [alpha, beta] = [
        floatAttribute(node, 'alpha', Math.fround(0.2)),
        floatAttribute(node, 'beta', 0.5),
      ]
      return {
        derivative: clipped(0, 1, alpha, beta),
        image: (t: Interval) => hardSigmoid(t, alpha, beta).image,
      }
    },
  ],
  [
    'Clip',
    (context: BoundContext, node: Node) => {
      const [lo, hi] = limitsOf(context, node)
      if (lo === null || hi === null || lo > hi) return null
      return { derivative: clipped(lo, hi, 1, 0), image: (t: Interval) => clamp(t, lo, hi) }
    },
  ],
])

function limitsOf(context: BoundContext, node: Node): readonly (number | null)[] {
  if (node.version < 11) return [floatAttribute(node, 'min', null), floatAttribute(node, 'max', null)]
  return [numberIn(context, node.inputs[1] ?? null), numberIn(context, node.inputs[2] ?? null)]
}

/** The value as a gate; null where it is none that is known. */
export function gateOf(context: BoundContext, value: Value): Gate | null {
  const node = producerOf(value, ...gates.keys())
  const argument = node?.inputs[0]
  if (!node || !argument) return null
  const softplus = node.op === 'Tanh' ? softplusInput(context, argument) : null
  if (softplus !== null) return mishGate(softplus)
  const shape = gates.get(node.op)?.(context, node) ?? null
  return shape && { ...shape, input: stripped(context, argument) }
}

/** tanh(softplus(x)) of x itself: without a shift its range of h holds, with one none is known. */
function mishGate(root: Value): Gate {
  const derivative = (shift: Interval) => (farthest(shift) === 0 ? mish : everything)
  const image = (t: Interval) => clamp(increasing(tanhOfSoftplus, t), 0, 1)
  return { derivative, image, input: { root: sourceOf(root), scale: 1, shift: 0, error: 0 } }
}

/** What softplus is taken of: the operator, or log(1 + eˣ). */
function softplusInput(context: BoundContext, value: Value): Value | null {
  const node = producerOf(value, 'Softplus')
  if (node !== null) return node.inputs[0]
  const sum = producerOf(producerOf(value, 'Log')?.inputs[0] ?? null, 'Add')
  if (sum === null) return null
  const { root, scale, shift, error } = stripped(context, sum.outputs[0]!)
  const exponential = producerOf(root, 'Exp')
  return scale === 1 && shift === 1 && error < 1e-12 ? (exponential?.inputs[0] ?? null) : null
}
