import * as term from '../core/term.ts'
import { type MergedLayer, mergedLayersOf } from '../infer/merged-layers.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { Interval } from '../ops/bound.ts'
import { type Selection, select } from './selection.ts'
import { walkGraph } from './walk.ts'

/**
 * The merged layers that some output's finite bound rests on: the others need not be measured. Found by a walk with
 * every norm 1, so that it costs no measurement; what it leaves out can make a bound looser, never wrong.
 */
export function usefulMerges(
  typed: TypedGraph,
  options: Selection & { readonly inputRanges?: ReadonlyMap<string, Interval> },
): readonly MergedLayer[] {
  const merged = mergedLayersOf(typed)
  if (merged.length === 0) return merged
  const { inputs, outputs } = select(typed, options)
  const { inputRanges } = options
  const walk = walkGraph(typed, { normOf: () => 1, audited: inputs, refined: true, inputRanges })
  const used = new Set(outputs.flatMap((output) => layersBehind(walk.boundOf(output).lipschitz)))
  return merged.filter(({ parts }) => parts.every((key) => used.has(key)))
}

function layersBehind(lipschitz: term.Term): string[] {
  return [...term.elasticities(lipschitz)].filter(([, elasticity]) => elasticity > 0).map(([key]) => key)
}
