import type { Selected } from '../bounds/selection.ts'
import { LipschitzError } from '../core/errors.ts'
import type { Value } from '../graph/graph.ts'
import type { Interval } from '../ops/bound.ts'
import type { BallOption, InputRange } from './options.ts'
import type { Domain } from './report-schema.ts'

/**
 * The box of inputs that ranges describe, by name of input: a range without a name holds for all audited inputs, one
 * with a name for that input alone. Tensors that are looked up in tables lie in the range of the table. Throws `usage` for names that the model does not have, ranges that are given
 * twice and ranges that are empty.
 */
export function boxOf(
  inputs: readonly Value[],
  { inputs: audited, cuts }: Selected,
  ranges: readonly InputRange[] = [],
): Map<string, Interval> {
  const box = new Map<string, Interval>()
  const given = new Set<string | null>()
  for (const { input, lo, hi } of ranges) {
    const label = input ?? 'all inputs'
    if (given.has(input)) throw refusal(`the range of ${label} is given twice`)
    if (!(lo <= hi && Number.isFinite(lo) && Number.isFinite(hi)))
      throw refusal(`the range of ${label} is ${lo},${hi}`, 'give two finite numbers, the lower one first')
    given.add(input)
    if (input === null) continue
    const named = [...inputs, ...audited]
    if (!named.some((value) => value.name === input)) {
      const known = [...new Set(named)].map((value) => `'${value.name}'`).join(', ')
      throw refusal(`the model has no input '${input}'`, `it has ${known || 'none'}`)
    }
    box.set(input, { lo, hi })
  }
  const rest = ranges.find(({ input }) => input === null)
  if (rest !== undefined) {
    for (const { name } of audited) if (!box.has(name)) box.set(name, { lo: rest.lo, hi: rest.hi })
  }
  for (const { value, range } of cuts) if (range !== null && !box.has(value.name)) box.set(value.name, range)
  return box
}

function refusal(message: string, hint?: string): LipschitzError {
  return new LipschitzError('usage', message, hint === undefined ? {} : { hint })
}

/** The domain as the report has it; all inputs where no range is given. */
export function describeDomain(box: ReadonlyMap<string, Interval>, ball?: BallOption): Domain {
  if (ball !== undefined) {
    return { kind: 'ball', around: ball.name, radius: ball.radius, radiusNorm: ball.norm }
  }
  if (box.size === 0) return { kind: 'global' }
  return { kind: 'box', ranges: Array.from(box, ([input, { lo, hi }]) => ({ input, lo, hi })) }
}
