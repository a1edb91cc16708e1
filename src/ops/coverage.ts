import { type GroupName, groupOf, groups } from './groups.ts'
import type { Operator } from './operator.ts'
import { operatorTable } from './registry.ts'

/** What is known of one operator, over all its versions: a row of the documentation's table. */
export interface Coverage {
  readonly domain: string
  readonly op: string
  /** The versions of the domain from which another declaration holds. */
  readonly since: readonly number[]
  readonly folds: boolean
  readonly layers: boolean
  /** The group of its rule; null where the newest declaration has none, or one that stands in no group. */
  readonly group: GroupName | null
  /** Why the newest declaration has no rule; null where it has one. */
  readonly without: string | null
}

/** Every declared operator, by domain and name. */
export function coverage(): Coverage[] {
  const rows = new Map<string, Coverage>()
  for (const operator of operatorTable()) {
    const { domain = '', op, since = 1, fold, layers } = operator
    const known = rows.get(`${domain} ${op}`)
    rows.set(`${domain} ${op}`, {
      domain,
      op,
      since: [...(known?.since ?? []), since],
      folds: fold !== undefined || known?.folds === true,
      layers: layers !== undefined || known?.layers === true,
      ...ruleOf(operator),
    })
  }
  return [...rows.values()]
}

function ruleOf({ op, bound, without }: Operator): Pick<Coverage, 'group' | 'without'> {
  return bound === undefined
    ? { group: null, without: without ?? null }
    : { group: groupOf(op, bound), without: null }
}

/** The table as Markdown, one section per domain. */
export function coverageMarkdown(): string {
  const rows = coverage()
  const sections = [...new Set(rows.map(({ domain }) => domain))].map((domain) => {
    const lines = rows.filter((row) => row.domain === domain).map(line)
    return `## ${domain === '' ? 'ai.onnx' : domain}\n\n| operator | since | rule | layers | folds |\n|---|---|---|---|---|\n${lines.join('\n')}\n`
  })
  return sections.join('\n')
}

function line({ op, since, group, without, layers, folds }: Coverage): string {
  const rule =
    group === null
      ? `[none](operators/without.md): ${without ?? 'not declared'}`
      : `[${groups[group].title.toLowerCase()}](operators/${group}.md)`
  return `| ${op} | ${since.join(', ')} | ${rule} | ${layers ? 'yes' : ''} | ${folds ? 'yes' : ''} |`
}

/** Every reason for having no rule, with the operators that have it, as Markdown. */
export function reasonsMarkdown(): string {
  const byReason = new Map<string, string[]>()
  for (const { domain, op, without } of coverage()) {
    if (without === null) continue
    const name = domain === '' ? op : `${domain}.${op}`
    byReason.set(without, [...(byReason.get(without) ?? []), name])
  }
  const lines = Array.from(byReason, ([reason, names]) => `| ${reason} | ${names.join(', ')} |`)
  return `| an operator that … | operators |\n|---|---|\n${lines.sort().join('\n')}\n`
}
