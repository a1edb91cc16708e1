import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** A text of this package, by its path from the package's root. */
export function readPackageFile(path: string): Promise<string> {
  return readFile(createRequire(import.meta.url).resolve(`lipschitz/${path}`), 'utf8')
}
