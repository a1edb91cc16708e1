import { isAbsolute, relative, resolve, sep } from 'node:path'
import type { Surroundings } from './surroundings.ts'

/** Where continuous integration systems say that the checkout is. */
const checkouts = ['GITHUB_WORKSPACE', 'CI_PROJECT_DIR', 'BUILD_SOURCESDIRECTORY', 'WORKSPACE'] as const

function within(folder: string, path: string): string | null {
  const rest = relative(folder, path)
  return rest === '..' || rest.startsWith(`..${sep}`) || isAbsolute(rest) ? null : rest
}

function rootOf({ environment, directory }: Surroundings): string {
  const named = checkouts.map((name) => environment[name]).filter((folder) => folder)
  return named.find((folder) => within(folder!, directory) !== null) ?? directory
}

/**
 * Paths as tools that show them beside the source want them: from the root of the checkout (else the working
 * directory), with forward slashes; absolute where they lead out of it.
 */
export function makeLocate(surroundings: Surroundings): (path: string) => string {
  const root = rootOf(surroundings)
  return (path) => {
    const absolute = resolve(surroundings.directory, path)
    return (within(root, absolute) ?? absolute).split(sep).join('/')
  }
}
