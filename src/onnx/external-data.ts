import { dirname, join } from 'node:path'
import { LipschitzError } from '../core/errors.ts'
import { containedPath, type Roots, rootsOf } from './contained-path.ts'
import type { StringStringEntryProto } from './generated/onnx.js'
import { fileError, openStoredFile, type StoredFile } from './stored-file.ts'
import type { ByteRange } from './stored-tensor.ts'

/** The keys of `external_data`. The last two change nothing: traces of tools that wrote the file. */
const knownKeys = /^(location|offset|length|checksum|basepath|prepacked_\d+)$/

const windowsDevice = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/** Why a location is not a plain relative path with forward slashes; null when it is one. */
function objection(location: string): string | null {
  if (location === '') return 'is empty'
  if (location.includes('\0')) return 'holds a NUL character'
  if (location.includes('_ORT_MEM_ADDR_')) return "is a runtime's marker for an address in memory"
  if (location.startsWith('/')) return 'is an absolute path'
  if (location.includes('\\')) return 'holds a backslash'
  if (location.includes(':')) return 'holds a colon (a drive, a URL or a stream)'
  if (location.startsWith('#')) return 'begins with #'
  for (const part of location.split('/')) {
    if (part === '..') return 'leads out of its folder with ..'
    if (part !== '.' && /[. ]$/.test(part)) return 'has a part that ends in a dot or a space'
    if (windowsDevice.test(part)) return 'names a device'
  }
  return null
}

function unsafe(message: string, hint?: string): LipschitzError {
  return new LipschitzError('unsafe', message, hint === undefined ? {} : { hint })
}

/** Opens files that a model names, and only those below the folder of the model. */
export interface ExternalFiles {
  open(location: string): StoredFile
  /** SHA-1 of a whole file in hex: tells damage, not intent. */
  checksum(file: StoredFile): string
}

const quoted = (text: string) => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text)

/**
 * A file is accepted when its real path, all symbolic links resolved, is below the folder of the model as given or
 * below that of the model's real path (a cache of links keeps all its files in one folder). It must be regular, and
 * have one hard link unless `hardLinks` is set: a second link may be a name for a file outside of the folder. What
 * counts is the file that was opened, whatever its name leads to by then.
 */
export function externalFiles(modelPath: string, hardLinks: boolean): ExternalFiles {
  const folder = dirname(modelPath)
  const opened = new Map<string, StoredFile>()
  const checksums = new Map<StoredFile, string>()
  let roots: Roots | null = null

  function open(location: string): StoredFile {
    const reason = objection(location)
    if (reason !== null) throw unsafe(`its external location ${quoted(location)} ${reason}`)
    const named = join(folder, location)
    let path: string | null
    try {
      roots ??= rootsOf(modelPath)
      path = containedPath(folder, location, roots)
    } catch (error) {
      const failure = fileError(error, `its elements are in ${named}: `)
      const isMissing = failure instanceof LipschitzError && failure.code === 'not-found'
      throw isMissing ? failure.with({ hint: 'put the external data file back next to the model' }) : failure
    }
    if (path === null) {
      throw unsafe(
        `its external location ${quoted(location)} leads out of the folder of the model through a link, or is that folder`,
      )
    }
    const file = openStoredFile(path, `its elements are in ${named}: `, true)
    if (file.links > 1 && !hardLinks) {
      throw unsafe(
        `its external data file ${named} has ${file.links} hard links`,
        'copy the file, or give --hard-links if you trust where it comes from',
      )
    }
    return file
  }

  return {
    open(location) {
      const known = opened.get(location)
      if (known !== undefined) return known
      const file = open(location)
      opened.set(location, file)
      return file
    },
    checksum(file) {
      const known = checksums.get(file) ?? file.digest('sha1', 0, file.bytes)
      checksums.set(file, known)
      return known
    },
  }
}

function byteNumber(entries: ReadonlyMap<string, string>, key: string): number | null {
  const text = entries.get(key)
  if (text === undefined) return null
  if (!/^[0-9]{1,15}$/.test(text)) {
    throw new LipschitzError('malformed', `its external ${key} ${quoted(text)} is no number of bytes`)
  }
  return Number(text)
}

/**
 * Where the elements of an external tensor stand.
 * @param expected bytes that the tensor's type and dims call for
 * @throws LipschitzError malformed, unsafe, not-found, unreadable
 */
export function externalRange(
  externalData: readonly StringStringEntryProto[],
  expected: number,
  files: ExternalFiles,
): { readonly file: StoredFile; readonly range: ByteRange } {
  const entries = new Map<string, string>()
  for (const { key, value } of externalData) {
    if (entries.has(key))
      throw new LipschitzError('malformed', `its external data has two values for ${quoted(key)}`)
    if (!knownKeys.test(key))
      throw new LipschitzError('malformed', `its external data has the unknown key ${quoted(key)}`)
    entries.set(key, value)
  }
  const location = entries.get('location')
  if (location === undefined) throw new LipschitzError('malformed', 'its external data has no location')
  const offset = byteNumber(entries, 'offset') ?? 0
  const given = byteNumber(entries, 'length')
  const file = files.open(location)
  const length = given ?? Math.max(0, file.bytes - offset)
  if (offset + length > file.bytes) {
    throw new LipschitzError(
      'malformed',
      `its bytes ${offset} to ${offset + length} run past the end of ${file.path}, which has ${file.bytes}`,
      { hint: 'the external data file is cut short or belongs to another model' },
    )
  }
  if (length !== expected) {
    throw new LipschitzError(
      'malformed',
      `it has ${length} bytes in ${file.path}, but its type and dims call for ${expected}`,
    )
  }
  const checksum = entries.get('checksum')
  if (checksum !== undefined && checksum.toLowerCase() !== files.checksum(file)) {
    throw new LipschitzError(
      'malformed',
      `the SHA-1 checksum of its external data does not fit ${file.path}`,
      {
        hint: 'the external data file is damaged or belongs to another model',
      },
    )
  }
  return { file, range: { path: file.path, stamp: file.stamp, offset, length } }
}
