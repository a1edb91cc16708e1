import type { BoundRule } from './bound.ts'
import { operatorTable } from './registry.ts'
import { decides, draws, jumps, locates } from './rules/jumps.ts'

/** What is known of one operator, over all its versions: a row of the documentation's table. */
export interface Coverage {
  readonly domain: string
  readonly op: string
  /** The versions of the domain from which another declaration holds. */
  readonly since: readonly number[]
  readonly folds: boolean
  readonly layers: boolean
  /** 'rule': carries bounds, or refuses for a reason that depends on the node; else why it never does. */
  readonly bound: 'rule' | 'discontinuous' | 'random' | 'none'
}

const never = new Map<BoundRule, Coverage['bound']>([
  [jumps, 'discontinuous'],
  [decides, 'discontinuous'],
  [locates, 'discontinuous'],
  [draws, 'random'],
])

/** Every declared operator, by domain and name. */
export function coverage(): Coverage[] {
  const rows = new Map<string, Coverage>()
  for (const { domain = '', op, since = 1, fold, layers, bound } of operatorTable()) {
    const known = rows.get(`${domain} ${op}`)
    rows.set(`${domain} ${op}`, {
      domain,
      op,
      since: [...(known?.since ?? []), since],
      folds: fold !== undefined || known?.folds === true,
      layers: layers !== undefined || known?.layers === true,
      bound: bound === undefined ? (known?.bound ?? 'none') : (never.get(bound) ?? 'rule'),
    })
  }
  return [...rows.values()]
}

/** The table as Markdown, one section per domain. */
export function coverageMarkdown(): string {
  const rows = coverage()
  const sections = [...new Set(rows.map(({ domain }) => domain))].map((domain) => {
    const lines = rows.filter((row) => row.domain === domain).map(line)
    return `## ${domain === '' ? 'ai.onnx' : domain}\n\n| operator | since | bound | layers | folds |\n|---|---|---|---|---|\n${lines.join('\n')}\n`
  })
  return sections.join('\n')
}

function line({ op, since, bound, layers, folds }: Coverage): string {
  return `| ${op} | ${since.join(', ')} | ${bound} | ${layers ? 'yes' : ''} | ${folds ? 'yes' : ''} |`
}
