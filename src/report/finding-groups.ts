import type { Finding } from '../audit/report-schema.ts'

/** A finding, and all the nodes (or tensors) that it says the same of. */
export interface FindingGroup {
  readonly finding: Finding
  /** As they stand in the report, not escaped. */
  readonly places: readonly string[]
}

const LEVELS = ['error', 'warning', 'note'] as const

/** Findings that say the same of several nodes become one; the worst level first, else in their order. */
export function groupFindings(findings: readonly Finding[]): FindingGroup[] {
  const groups = new Map<string, { finding: Finding; places: string[] }>()
  for (const finding of findings) {
    const key = JSON.stringify([
      finding.level,
      finding.rule,
      finding.message,
      finding.hint,
      finding.ignored?.reason,
    ])
    const known = groups.get(key) ?? { finding, places: [] }
    groups.set(key, known)
    const place = finding.node ?? finding.tensor
    if (place !== undefined) known.places.push(place)
  }
  return LEVELS.flatMap((level) => [...groups.values()].filter(({ finding }) => finding.level === level))
}

/** 'a, b, c and 4 more' */
export function listSome(names: readonly string[], most: number): string {
  const shown = names.slice(0, most).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown
}
