import type { LowerBound } from '../bounds/lower/lower-bound.ts'
import { splitParts } from '../bounds/lower/point.ts'
import * as mag from '../core/magnitude.ts'
import { attempt } from '../core/stop.ts'
import { sizeOf } from '../core/tensor.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { type AuditOptions, defaults, type RunOptions } from './options.ts'
import type { Proof } from './proof.ts'

/**
 * Two points of the domain that prove a lower bound of the constant; null where there are none: a node without a
 * derivative, sizes that are not known, evaluations that take too long, no time left.
 */
export async function boundBelow(
  typed: TypedGraph,
  { bounds, box, ball }: Proof,
  options: AuditOptions,
  { stop }: RunOptions,
): Promise<LowerBound | null> {
  const searched = bounds.ladder.find((rung) => rung.attained != null)
  const attained = searched?.attained
  // where the constant is known there is little to look for
  const effort = searched?.method === 'exact' ? 'fast' : (options.effort ?? defaults.effort)
  const points = attained == null ? [] : [splitParts(attained, sizesOf(typed, bounds))]
  const { lowerBound, isObstacle } = await import('../bounds/lower/lower-bound.ts')
  const found = await attempt(stop, () =>
    lowerBound(typed, bounds.selected, {
      effort,
      seed: options.seed ?? defaults.seed,
      ranges: box,
      points,
      norm: options.norm ?? 'l2',
      upper: upperOf(bounds),
      provenOnly: true,
      ...(ball !== null && {
        ball: { ...ball, center: bounds.selected.inputs.map(({ name }) => ball.center.get(name)!) },
      }),
      expired: stop?.expired,
    }),
  )
  return found.reason !== null || isObstacle(found.value) ? null : found.value
}

/** The proven upper bound; Infinity where there is none. */
export function upperOf({ best }: Proof['bounds']): number {
  const { lipschitz, refusal } = best.joint
  return refusal === null ? mag.toNumber(lipschitz.value) : Infinity
}

function sizesOf(typed: TypedGraph, { selected }: Proof['bounds']): number[] {
  return selected.inputs.map((input) => sizeOf(typed.operand(input).shape ?? [null]) ?? 0)
}
