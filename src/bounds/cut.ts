import { isFloatType } from '../core/tensor.ts'
import type { Node, Value } from '../graph/graph.ts'
import type { TypedGraph, TypedNode } from '../infer/typed-graph.ts'
import type { Interval } from '../ops/bound.ts'
import { rangeOf } from '../ops/rules/constant.ts'
import { typeRange } from './ranges.ts'

/** A tensor inside the graph that takes the place of an input. */
export interface Cut {
  readonly value: Value
  /** The node that computes it from integers. */
  readonly node: Node
  /** Where its elements lie, whatever the integers are; null where that is not known. */
  readonly range: Interval | null
}

/**
 * Where a network whose inputs are all integers begins to be one of real numbers: ids have no distance, what is
 * looked up for them has. These are the rows of constant tables that Gather reads at given positions, and where there
 * are none, integers and truth values that are cast to floating point (codes that are written as one-hot vectors).
 */
export function cutsOf(typed: TypedGraph): readonly Cut[] {
  const nodes = typed.graph.nodes.map((node) => typed.typed(node))
  const tables = nodes.flatMap((node) => cutAt(node, tableRange))
  return tables.length > 0 ? tables : nodes.flatMap((node) => cutAt(node, castRange))
}

function cutAt(typed: TypedNode, rangeOfCut: (typed: TypedNode) => Interval | null | undefined): Cut[] {
  const [output] = typed.outputs
  if (!output || output.isConstant || !isFloatType(output.type)) return []
  const range = rangeOfCut(typed)
  return range === undefined ? [] : [{ value: output.value, node: typed.node, range }]
}

/** Operators of ONNX Runtime that look rows up, and may normalise them. */
const lookups = new Set([
  'EmbedLayerNormalization',
  'QEmbedLayerNormalization',
  'GatherBlockQuantized',
  'TorchEmbedding',
])

/** The range of a table of floating-point rows; undefined for what is no look-up. */
function tableRange({ node, inputs }: TypedNode): Interval | null | undefined {
  const [table, positions] = inputs
  if (node.domain === 'com.microsoft' && lookups.has(node.op)) return null
  if (node.op !== 'Gather' || node.domain !== '' || !table?.isConstant || !positions) return undefined
  if (positions.isConstant || (table.shape?.length ?? 0) < 2) return undefined
  const tensor = table.constant()
  return tensor && rangeOf(tensor.data)
}

function castRange({ node, inputs }: TypedNode): Interval | null | undefined {
  const [data] = inputs
  if (node.op !== 'Cast' || node.domain !== '' || !data || data.isConstant) return undefined
  if (data.type === null || isFloatType(data.type)) return undefined
  const range = typeRange(data.type)
  return Number.isFinite(range.hi) ? range : null
}
