import { floatAttribute } from '../graph/attribute.ts'
import type { Node } from '../graph/graph.ts'
import { defaultEpsilon, normalizesByData } from './numeric/batch-normalization.ts'

/** A node that is x ↦ scale·(x − mean)/√(variance + ε) + bias per channel: where it has its constants. */
export interface BatchStatistics {
  readonly scale: number
  readonly mean: number
  readonly variance: number
  readonly epsilon: number
}

/** Null where the node is none, or takes its statistics from the data. */
export function batchStatistics(node: Node): BatchStatistics | null {
  if (node.op !== 'BatchNormalization' || node.domain !== '' || normalizesByData(node)) return null
  return { scale: 1, mean: 3, variance: 4, epsilon: floatAttribute(node, 'epsilon', defaultEpsilon) }
}
