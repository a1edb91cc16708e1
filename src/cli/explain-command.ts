import { pageOf, type Rule, rules } from '../report/rules.ts'
import { padEnd, widest } from '../report/text.ts'
import { readPackageFile } from './package-file.ts'
import { oneOf } from './readers.ts'
import { type Surroundings, writeAll } from './surroundings.ts'

const ruleNames = Object.keys(rules)

function listRules(): string {
  const width = widest(ruleNames)
  const rows = Object.entries<Rule>(rules).map(
    ([name, { level, summary }]) => `${padEnd(name, width)}  ${level.padEnd(7)}  ${summary}`,
  )
  return `${rows.join('\n')}\n`
}

/** A page of Markdown as plain text: links by their words, the rest reads as it is. */
function toPlain(page: string): string {
  return page.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
}

/** Prints the documentation of a gate or a kind of finding; without one, the list of all. */
export async function runExplain(name: string | undefined, { stdout }: Surroundings): Promise<number> {
  if (name === undefined) {
    await writeAll(stdout, listRules())
    return 0
  }
  const rule = oneOf(ruleNames)(name, 'explain')
  await writeAll(stdout, toPlain(await readPackageFile(`docs/findings/${pageOf(rule)}.md`)))
  return 0
}
