import { lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, join, parse, resolve, sep } from 'node:path'
import { LipschitzError } from '../core/errors.ts'

/** As many symbolic links as operating systems follow in one path. */
const mostLinks = 40

/** Folders, by their real paths, below which files may be opened. */
export type Roots = readonly string[]

/** Whether the path is the folder, or below it; both without symbolic links. */
function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/**
 * The folders of a model: that of its path as given, and that of its real path, since a cache may keep the files of
 * all models in one folder and a folder of links for each model.
 */
export function rootsOf(modelPath: string): Roots {
  return [realpathSync(dirname(modelPath)), dirname(realpathSync(modelPath))]
}

const partsOf = (path: string) => path.split(/[\\/]/).filter((part) => part !== '' && part !== '.')

/**
 * The real path of a file that is named relative to `folder`, all symbolic links followed. Every step of the way is
 * held against the roots before the file system is asked for it: whether a file outside of them exists cannot be told
 * from the outcome. Only the folders that lead to the roots may be passed through.
 * @returns null where the way leads out of the roots, or ends at one of them
 * @throws what the file system throws, and ELOOP as LipschitzError unreadable
 */
export function containedPath(folder: string, name: string, roots: Roots): string | null {
  const given = resolve(folder)
  const isOnTheWay = (path: string) => [...roots, given].some((root) => isWithin(root, path))
  let at = realpathSync(folder)
  let rest = partsOf(name)
  for (let links = 0; rest.length > 0; ) {
    const [part, ...others] = rest
    rest = others
    const next = part === '..' ? dirname(at) : join(at, part)
    if (!isOnTheWay(next) && !roots.some((root) => isWithin(next, root))) return null
    if (part === '..' || !lstatSync(next).isSymbolicLink()) {
      at = next
      continue
    }
    links++
    if (links > mostLinks) throw new LipschitzError('unreadable', 'a symbolic link that leads to itself')
    const target = readlinkSync(next)
    const { root } = parse(target)
    if (root !== '') at = resolve(root)
    rest = [...partsOf(target.slice(root.length)), ...rest]
  }
  return roots.some((root) => at !== root && isWithin(at, root)) ? at : null
}
