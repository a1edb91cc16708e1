import * as mag from '../../core/magnitude.ts'
import { addUp, mulUp } from '../../core/rounding.ts'
import type { Term } from '../../core/term.ts'
import * as term from '../../core/term.ts'
import type { Value } from '../../graph/graph.ts'
import type { TensorBound } from '../../ops/bound.ts'
import { biasDifference, biasInput } from './constant-difference.ts'
import { normalizationDifference } from './normalization-difference.ts'
import type { Pair } from './pairing.ts'
import { dataInputs, leaves, linearKinds, type Perturbed } from './perturbed.ts'
import { roundingOf } from './rounded-input.ts'

/** What the nodes of a pair do otherwise, as terms; a text says why it is not known. */
export function additions(
  perturbed: Perturbed,
  pair: Pair,
  boundOf: (value: Value) => TensorBound,
): readonly Term[] | string {
  const { pairing, base, differenceOf, layersOf } = perturbed
  const { node } = pair
  const { reference, other } = pairing
  const [data, ...further] = dataInputs(pairing, node)
  const value = data === undefined ? null : (node.inputs[data] as Value)
  const added: Term[] = []
  for (const { key, kind } of layersOf(node)) {
    if (!linearKinds.has(kind)) continue
    const difference = differenceOf(key)
    if (typeof difference === 'string') return difference
    if (difference === 0) continue
    if (value === null || further.length > 0) return 'multiplies several tensors by weights that differ'
    const length = base.boundOf(value).norm
    if (length === Infinity) return 'has weights that differ and data without a bound; give --input-range'
    added.push(term.leaf(leaves.layer(key), mulUp(difference, length)))
    const { offset } = boundOf(value)
    const rounding = roundingOf(perturbed, node, data, value, offset)
    const error = term.sum(offset, term.leaf(leaves.rounding(node.name), rounding ?? Infinity))
    if (!term.isZero(error)) added.push(term.scale(error, difference))
  }
  const length =
    value === null ? Infinity : addUp(base.boundOf(value).norm, mag.toNumber(boundOf(value).offset.value))
  const gains = normalizationDifference(reference, other, pair, length)
  if (gains === Infinity) return 'has constants that differ and data without a bound; give --input-range'
  if (gains !== null && gains > 0) added.push(term.leaf(leaves.constant(node.name), gains))
  if (biasInput(node) !== null) {
    const bias = biasDifference(reference, other, pair)
    if (bias === Infinity) return 'has biases that cannot be compared'
    const [layer] = layersOf(node)
    const leaf = layer === undefined ? leaves.constant(node.name) : leaves.layer(layer.key)
    if (bias > 0) added.push(term.leaf(leaf, bias))
  }
  return added
}
