import { isFloatType } from '../../core/tensor.ts'
import type { Node, Value } from '../../graph/graph.ts'
import { batchStatistics } from '../../ops/batch-statistics.ts'
import type { Interval } from '../../ops/bound.ts'
import { isPass } from '../../ops/float-forms.ts'
import type { NormOf, Walk } from '../walk.ts'
import { biasInput, type ConstantDifference, constantDifference } from './constant-difference.ts'
import type { Pair, Pairing } from './pairing.ts'

/** What bounds the outputs' difference of two paired networks. */
export interface Perturbed {
  readonly pairing: Pairing
  /** The reference's own refined walk over the domain: where its values lie. */
  readonly base: Walk
  /** Norms of the reference's layers, and of the layers' differences: by key, or why there is none. */
  readonly normOf: NormOf
  readonly differenceOf: NormOf
  /** Keys of the reference's layers by node. */
  readonly layersOf: (
    node: Node,
  ) => readonly { readonly key: string; readonly kind: string; readonly weight: string }[]
  readonly audited: readonly Value[]
  readonly inputRanges: ReadonlyMap<string, Interval>
  /** Outputs of the reference and what the other network has for them. */
  readonly outputs: readonly { readonly value: Value; readonly other: Value }[]
}

/** Leaves of the bound: what the networks differ by. */
export const leaves = {
  layer: (key: string) => `weights ${key}`,
  constant: (node: string) => `constant ${node}`,
  rounding: (node: string) => `rounding ${node}`,
} as const

/** Kinds of layers whose weights are compared as operators. */
export const linearKinds: ReadonlySet<string> = new Set(['dense', 'conv', 'conv-transpose'])

/** Inputs that depend on the network's inputs, a bias left out. */
export function dataInputs({ reference }: Pairing, node: Node): number[] {
  const bias = biasInput(node)
  return [...node.inputs.entries()].flatMap(([input, value]) =>
    value !== null && input !== bias && !reference.operand(value).isConstant ? [input] : [],
  )
}

/** What differs at a constant input that is neither a layer's weight nor a bias nor part of a normalisation. */
export function differenceAt(
  { pairing, layersOf }: Perturbed,
  pair: Pair,
  input: number,
): ConstantDifference | null {
  const { node } = pair
  const name = node.inputs[input]?.name
  const isWeight = layersOf(node).some(({ kind, weight }) => linearKinds.has(kind) && weight === name)
  if (isWeight || biasInput(node) === input || batchStatistics(node) !== null) return null
  return constantDifference(pairing.reference, pairing.other, pair, input)
}

/** Whether a constant of the node differs, besides weights and biases of linear layers. */
export function hasOtherConstants(perturbed: Perturbed, node: Node): boolean {
  const { pairs, reference } = perturbed.pairing
  const pair = pairs.get(node)
  return (
    pair !== undefined &&
    node.inputs.some(
      (value, i) =>
        value !== null && reference.operand(value).isConstant && differenceAt(perturbed, pair, i) !== null,
    )
  )
}

/** Whether the node of the reference only hands its input on. */
export function passes({ reference }: Pairing, node: Node): boolean {
  const { inputs, outputs } = reference.typed(node)
  return isPass(
    node,
    [inputs[0], outputs[0]].every((operand) => isFloatType(operand?.type ?? null)),
  )
}
