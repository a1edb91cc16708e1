import { constants } from 'node:fs'
import { access, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LipschitzError } from '../core/errors.ts'
import type { Settings } from './options.ts'
import { type FormatChoice, isStandardOutput, usage } from './readers.ts'

/** Where each format goes. At most one goes to standard output (path null). */
export function chooseDestinations(settings: Settings): FormatChoice[] {
  const asked = [...(settings.format ?? [])]
  if (settings.json) asked.push({ name: 'json', path: null })
  if (asked.length === 0) asked.push({ name: 'table', path: null })
  const { output } = settings
  if (output !== undefined) {
    if (asked.length > 1) throw usage('-o takes one format', 'write each as -f name:path')
    if (asked[0].path !== null) throw usage(`the format has two paths, '${asked[0].path}' and '${output}'`)
    return [{ name: asked[0].name, path: isStandardOutput(output) ? null : output }]
  }
  if (asked.filter(({ path }) => path === null).length > 1) {
    throw usage('only one format can go to standard output', 'give the others a file: -f name:path')
  }
  const paths = asked.map(({ path }) => path).filter((path) => path !== null)
  const twice = paths.find((path, i) => paths.indexOf(path) !== i)
  if (twice !== undefined) throw usage(`two formats would go to '${twice}'`)
  return asked
}

function cannotWrite(path: string, reason: string): LipschitzError {
  return new LipschitzError('output', `cannot write ${path}: ${reason}`)
}

const reasons = new Map([
  ['ENOENT', 'its folder does not exist'],
  ['ENOTDIR', 'its folder is a file'],
  ['EACCES', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space is left'],
  ['EISDIR', 'it is a directory'],
])

function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return reasons.get(code) ?? message
}

/** Says before a long audit that its result could not be written. */
export async function checkDestinations(destinations: readonly FormatChoice[]): Promise<void> {
  for (const { path } of destinations) {
    if (path === null) continue
    const existing = await stat(path).catch(() => null)
    if (existing?.isDirectory()) throw cannotWrite(path, 'it is a directory')
    await access(existing === null ? dirname(path) : path, constants.W_OK).catch((error: unknown) => {
      throw cannotWrite(path, reasonOf(error))
    })
  }
}

export async function writeDestination(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((error: unknown) => {
    throw cannotWrite(path, reasonOf(error))
  })
}
