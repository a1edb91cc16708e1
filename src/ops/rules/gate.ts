import { floatAttribute } from '../../graph/attribute.ts'
import type { Node, Value } from '../../graph/graph.ts'
import type { BoundContext, BoundOperand, TensorBound } from '../bound.ts'
import { type Activation, gated, swishSlope } from './elementwise.ts'
import { hull, interval } from './interval.ts'
import { through } from './join.ts'
import { sourceOf } from './source.ts'

/**
 * Products x·g(x) that exporters write for one activation: by themselves not Lipschitz, together they are.
 * Only exact matches count: the other factor must be g of the very same tensor.
 */

const origin = interval(0, 0)

/** What x·g(x) comes to for an operator g, given its node; null where it has no bound. */
const gates: Readonly<Record<string, (node: Node, x: BoundOperand) => Activation | null>> = {
  /** SiLU. */
  Sigmoid: (_, x) => gated(x.range, swishSlope, 0.2785),
  /**
   * x·clip(αx + β, 0, 1), α > 0: slope 2αx + β between the kinks at −β/α and (1−β)/α, so −β and 2 − β at the
   * kinks, 0 and 1 outside.
   */
  HardSigmoid: (node, x) => {
    const [a, b] = [floatAttribute(node, 'alpha', Math.fround(0.2)), floatAttribute(node, 'beta', 0.5)]
    if (!(a > 0)) return null
    return { slope: Math.max(1, Math.abs(2 - b), Math.abs(b)), image: hull(x.range, origin) }
  },
}

function gateOf(x: BoundOperand, other: BoundOperand): Activation | null {
  const { producer } = sourceOf(other.operand.value)
  if (producer === null || producer.domain !== '' || !readsOnly(producer, sourceOf(x.operand.value)))
    return null
  return gates[producer.op]?.(producer, x) ?? null
}

function readsOnly(node: Node, value: Value): boolean {
  const [input] = node.inputs
  return node.inputs.length === 1 && input !== null && sourceOf(input) === value
}

/** The bound of a·b where one is a known gate of the other; null where it is not. */
export function gatedProduct(context: BoundContext, a: BoundOperand, b: BoundOperand): TensorBound | null {
  if (context.inputCount !== 2) return null
  const [x, activation] = gateOf(a, b) !== null ? [a, gateOf(a, b)] : [b, gateOf(b, a)]
  return activation === null ? null : through(x, activation.slope, activation.image)
}
