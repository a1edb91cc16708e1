import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LipschitzError } from '../../core/errors.ts'

/** A configuration as parsed, and where it stands. */
export interface FoundConfig {
  readonly path: string
  readonly content: unknown
}

const fileNames = ['lipschitz.config.json', '.lipschitzrc.json', 'package.json'] as const

function configError(path: string, what: string, hint?: string): LipschitzError {
  return new LipschitzError('config', `${path}: ${what}`, hint === undefined ? {} : { hint })
}

/** The JSON of a file; null where there is none. Throws `config`. */
function readJson(path: string): { value: unknown } | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw configError(path, code === 'EISDIR' ? 'it is a directory' : (error as Error).message)
  }
  try {
    return { value: JSON.parse(text.replace(/^\ufeff/, '')) }
  } catch (error) {
    throw configError(path, `no JSON: ${(error as Error).message}`)
  }
}

/** Of package.json, only its key counts. */
function contentOf(path: string): FoundConfig | null {
  const found = readJson(path)
  if (found === null) return null
  if (!path.endsWith('package.json')) return { path, content: found.value }
  const content = (found.value as { lipschitz?: unknown } | null)?.lipschitz
  return content === undefined ? null : { path, content }
}

/** Folders from this one up to the root of its repository; this one alone where it is in none. */
function foldersUpward(directory: string): string[] {
  const folders: string[] = []
  for (let folder = directory; ; folder = dirname(folder)) {
    folders.push(folder)
    if (existsSync(join(folder, '.git'))) return folders
    if (dirname(folder) === folder) return [directory]
  }
}

/** The nearest configuration; null where there is none. Throws `config` for one that is no JSON. */
export function findConfig(directory: string): FoundConfig | null {
  for (const folder of foldersUpward(directory)) {
    for (const name of fileNames) {
      const found = contentOf(join(folder, name))
      if (found !== null) return found
    }
  }
  return null
}

/** The configuration that was asked for by its path. Throws `config` where there is none. */
export function openConfig(path: string): FoundConfig {
  const found = contentOf(path)
  if (found !== null) return found
  throw path.endsWith('package.json') && existsSync(path)
    ? configError(path, "it has no key 'lipschitz'")
    : configError(path, 'no such file', 'give the path of a JSON file with -c, or --no-config')
}
