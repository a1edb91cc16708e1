import { usefulMerges } from '../bounds/useful-merges.ts'
import { walkGraph } from '../bounds/walk.ts'
import { LipschitzError } from '../core/errors.ts'
import { log } from '../core/magnitude.ts'
import * as term from '../core/term.ts'
import { stacked } from '../ops/rules/join.ts'
import type { Factors } from './factors.ts'
import type { Group } from './group.ts'
import type { Spread } from './options.ts'
import type { Survey } from './survey.ts'

/** By how much a layer is scaled when the whole reduction has come to `depth`; 1 at depth 0, less the deeper. */
type Scaling = (norm: number, elasticity: number, depth: number) => number

const scalings: Record<Spread, Scaling> = {
  /** All layers by the same factor. */
  evenly: (_norm, _elasticity, depth) => Math.exp(-depth),
  /** Each layer by a power of its norm, so in proportion to its share of the bound; once all are 1, evenly. */
  sensitivity: (norm, elasticity, depth) =>
    elasticity > 0 && norm > 1 ? norm ** -Math.min(depth, 1) * Math.exp(-Math.max(0, depth - 1)) : 1,
}

/** Depth at which nothing is left of any weight. */
const deepest = 200

/**
 * Factors with which the composed bound of the network comes to just below `aim` (log: natural). The bound is that
 * of the walk with scaled norms; it falls with the depth, and false position finds where it crosses.
 * @throws LipschitzError unsupported where no scaling of these layers reaches it
 */
export function factorsToBound(
  survey: Survey,
  groups: readonly Group[],
  spread: Spread,
  aim: number,
): Factors {
  const elasticities = survey.proof.bounds.elasticities ?? new Map<string, number>()
  const factorsAt = (depth: number): Factors => {
    const factors = new Map<string, number>()
    for (const { place, layers } of groups) {
      const each = layers.map(({ placed, norm }) =>
        scalings[spread](norm?.upper ?? 1, elasticities.get(placed.key) ?? 0, depth),
      )
      factors.set(place, Math.min(...each))
    }
    return factors
  }
  const predict = predictor(survey, groups)
  const excess = (depth: number) => predict(factorsAt(depth)) - aim
  let [low, high] = [0, 1 / 64]
  let above = excess(low)
  if (above <= 0) return new Map()
  let below = excess(high)
  while (below > 0) {
    if (high > deepest) {
      throw new LipschitzError('unsupported', 'no scaling of these layers brings the bound there', {
        hint: 'choose more layers, or a larger constant',
      })
    }
    ;[low, above] = [high, below]
    high *= 2
    below = excess(high)
  }
  for (let step = 0; step < 40 && below < -(2 ** -16); step++) {
    // a little short of where the chord crosses, so that both ends move
    const share = Math.min(0.95, Math.max(0.05, above / (above - below) + (step % 2) * 0.02))
    const middle = low + share * (high - low)
    const found = excess(middle)
    if (found > 0) [low, above] = [middle, found]
    else [high, below] = [middle, found]
  }
  return factorsAt(high)
}

/** The logarithm of the walk's bound with the norms of groups scaled. */
function predictor({ typed, proof }: Survey, groups: readonly Group[]): (factors: Factors) => number {
  const { selected } = proof.bounds
  const ranges = proof.box
  const selection = {
    inputs: selected.cuts.length > 0 ? null : selected.inputs.map(({ name }) => name),
    outputs: selected.outputs.map(({ name }) => name),
  }
  const merged = usefulMerges(typed, { ...selection, inputRanges: ranges })
  const partsOf = new Map(merged.map(({ key, parts }) => [key, parts]))
  const upper = new Map(
    proof.measured.map(({ placed, measurement }) => [placed.key, measurement.spectral?.upper ?? null]),
  )
  const placeOfLayer = new Map(
    groups.flatMap(({ place, layers }) => layers.map(({ placed }) => [placed.key, place] as const)),
  )
  return (factors) => {
    const factorOf = (key: string) => factors.get(placeOfLayer.get(key) ?? '') ?? 1
    const normOf = (key: string): number | string => {
      const norm = upper.get(key)
      if (norm == null) return 'has a weight that is not finite'
      return norm * (partsOf.get(key) ?? [key]).reduce((product, part) => product * factorOf(part), 1)
    }
    const options = {
      normOf,
      audited: selected.inputs,
      inputRanges: ranges,
      merged: new Map(merged.map((layer) => [layer.node, layer])),
    }
    const bounds = [true, false].map((refined) => {
      const walk = walkGraph(typed, { ...options, refined })
      const outputs = selected.outputs.map((output) => ({ bound: walk.boundOf(output), gain: 1 }))
      return stacked(outputs, outputs[0].bound.range).lipschitz
    })
    return log(term.minimum(...bounds).value)
  }
}
