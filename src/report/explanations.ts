import { readFileSync } from 'node:fs'
import { pageOf, ruleOf } from './rules.ts'

/** Where the pages of findings lie, seen from the bundle and from this folder. */
const folders = ['../docs/findings/', '../../docs/findings/']

/** The page of the documentation that explains a rule, in Markdown; null for a rule that is not known. */
export function explanationOf(rule: string): string | null {
  if (ruleOf(rule) === null) return null
  for (const folder of folders) {
    try {
      return readFileSync(new URL(`${folder}${pageOf(rule)}.md`, import.meta.url), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return null
}
