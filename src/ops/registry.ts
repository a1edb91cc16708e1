import { calculusOf } from './maps/families.ts'
import { numericFamilies } from './numeric/families.ts'
import type { Operator } from './operator.ts'
import { structureFamilies } from './structure/families.ts'

/** Declarations of one operator, the newest first. */
type Versions = Operator[]

const byDomain = new Map<string, Map<string, Versions>>()

/** Declarations with what is known of the operators as functions of real numbers. */
const declared: readonly Operator[] = [...structureFamilies, ...numericFamilies]
  .flat()
  .map((operator) => ({ ...calculusOf(operator.domain ?? '', operator.op), ...operator }))

for (const operator of declared) {
  const domain = operator.domain ?? ''
  const operators = byDomain.get(domain) ?? new Map<string, Versions>()
  byDomain.set(domain, operators)
  const versions = operators.get(operator.op) ?? []
  operators.set(operator.op, versions)
  versions.push(operator)
}
for (const operators of byDomain.values()) {
  for (const versions of operators.values()) versions.sort((a, b) => (b.since ?? 1) - (a.since ?? 1))
}

/**
 * The declaration that holds for a node: the one with the largest `since` ≤ `version`.
 * Null when the operator is not known, not yet part of that version, or removed by then.
 */
export function findOperator(domain: string, op: string, version: number): Operator | null {
  const versions = byDomain.get(domain === 'ai.onnx' ? '' : domain)?.get(op)
  const operator = versions?.find((candidate) => (candidate.since ?? 1) <= version)
  if (operator === undefined) return null
  return operator.until !== undefined && version >= operator.until ? null : operator
}

/** Every declaration, ordered by domain, operator and version: what documentation lists. */
export function operatorTable(): readonly Operator[] {
  return declared.toSorted(
    (a, b) =>
      compare(a.domain ?? '', b.domain ?? '') || compare(a.op, b.op) || (a.since ?? 1) - (b.since ?? 1),
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
