import type * as z from 'zod'
import { LipschitzError } from '../../core/errors.ts'
import { rules } from '../../report/rules.ts'
import { suggest } from '../suggest.ts'
import type { ConfigFile as ConfigContent } from './schema.ts'

/** models[0].maxLayer */
export function describePlace(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`,
    '',
  )
}

type Issue = z.core.$ZodIssue

/** The keys that an object at this place may have. */
type Keys = (path: readonly PropertyKey[]) => readonly string[]

/** What stands at a place, undefined where nothing does. */
function valueAt(content: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null)?.[key], content)
}

function describeIssue(issue: Issue, content: unknown, keysAt: Keys): { message: string; hint?: string } {
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys
    const near = suggest(key, keysAt(issue.path))
    const place = describePlace([...issue.path, key])
    return { message: `unknown key '${place}'`, ...(near === null ? {} : { hint: `did you mean ${near}?` }) }
  }
  const place = describePlace(issue.path)
  if (valueAt(content, issue.path) === undefined) return { message: `${place} is missing` }
  return { message: `${place === '' ? 'the file' : place}: ${issue.message}` }
}

/** The content as a configuration. Throws `config` with the first thing that is wrong. */
export async function validateConfig(path: string, content: unknown): Promise<ConfigContent> {
  const { ConfigFile } = await import('./schema.ts')
  const { shape } = ConfigFile
  const keysAt: Keys = ([first]) => {
    const block = first === 'models' || first === 'ignore' ? shape[first].unwrap().element.shape : shape
    return Object.keys(block)
  }
  const { success, data, error } = ConfigFile.safeParse(content)
  if (!success) {
    // a key that is misspelt is missing as well: the spelling is what helps
    const unknown = error.issues.find((issue) => issue.code === 'unrecognized_keys')
    const { message, ...facts } = describeIssue(unknown ?? error.issues[0], content, keysAt)
    throw new LipschitzError('config', `${path}: ${message}`, facts)
  }
  const config = data as ConfigContent
  for (const [i, { rule }] of (config.ignore ?? []).entries()) {
    if (Object.hasOwn(rules, rule)) continue
    const near = suggest(rule, Object.keys(rules))
    throw new LipschitzError('config', `${path}: ignore[${i}].rule: there is no rule '${rule}'`, {
      hint: near === null ? 'lipschitz explain lists all rules' : `did you mean ${near}?`,
    })
  }
  return config
}
