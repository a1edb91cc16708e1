import { LipschitzError } from '../core/errors.ts'
import type { ElementType } from '../core/tensor.ts'
import { largestMagnitude } from '../linalg/survey.ts'
import type { NewElements } from './edited-copy.ts'
import type { Factors } from './factors.ts'
import type { Group } from './group.ts'
import type { Survey } from './survey.ts'

/** Largest relative error of storing a number, with room for scales and weights that are rounded once more. */
const rounding: Partial<Record<ElementType, number>> = { float16: 2 ** -9, bfloat16: 2 ** -6 }
const singleRounding = 2 ** -21

/**
 * Makes sure that the layers of a copy have the weights that they should have: the old ones times the factor of
 * their group, but for rounding to the stored type. What a layer is scaled by stands at another place of the file,
 * with operators in between. @throws LipschitzError internal
 */
export function checkProportion(
  before: Survey,
  after: Survey,
  groups: readonly Group[],
  replaced: ReadonlyMap<string, NewElements>,
  factors: Factors,
): void {
  const now = new Map(after.layers.map(({ placed }) => [placed.key, placed]))
  for (const { place, tensor, layers } of groups) {
    const factor = factors.get(place)
    if (factor === undefined || replaced.has(place)) continue
    for (const { placed } of layers) {
      const old = placed.spec.operator.load()
      const fresh = now.get(placed.key)?.spec.operator.load()
      const most = largestMagnitude(old)
      const error = (rounding[tensor.type] ?? singleRounding) * most * factor + 2 ** -24
      const isScaled =
        fresh?.length === old.length && old.every((value, i) => Math.abs(fresh[i] - value * factor) <= error)
      if (isScaled) continue
      throw new LipschitzError(
        'internal',
        `scaling '${tensor.name}' does not scale the weights as it should`,
        {
          model: before.typed.model.path,
          node: placed.node.name,
        },
      )
    }
  }
}
