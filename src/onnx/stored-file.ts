import { createHash } from 'node:crypto'
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs'
import { type ErrorCode, LipschitzError } from '../core/errors.ts'

/** One read call takes less than 2 GiB; hashing and copying go by pieces of this size. */
const pieceBytes = 1 << 20

/** A file while it is open. */
export interface OpenFile {
  readonly descriptor: number
  /** Fills the target from the file, starting at `offset`. */
  read(target: Uint8Array, offset: number): void
}

/** A file as it was when it was opened first. Plain data: a worker opens the same file by it, or none. */
export interface FileIdentity {
  readonly path: string
  /** Device, number, size and times of last changes: another file, or other content, has another stamp. */
  readonly stamp: string
}

/** A regular file that is read by position. It is opened for each use and must stay the same file throughout. */
export interface StoredFile extends FileIdentity {
  readonly bytes: number
  /** Hard links to the file. */
  readonly links: number
  /** Opens the file, makes sure before and after that it is still the same, and closes it. */
  use<Result>(step: (file: OpenFile) => Result): Result
  /** Hash of a run of bytes, in hex. */
  digest(algorithm: 'sha256' | 'sha1', offset: number, length: number): string
}

const failures: Record<string, readonly [ErrorCode, string]> = {
  ENOENT: ['not-found', 'no such file'],
  ENOTDIR: ['not-found', 'no such file (a part of its path is no directory)'],
  EACCES: ['unreadable', 'no permission to read it'],
  EPERM: ['unreadable', 'no permission to read it'],
  ELOOP: ['unreadable', 'a symbolic link where none may be'],
  ENXIO: ['unreadable', 'not a regular file'],
  EISDIR: ['unreadable', 'a directory'],
  ENAMETOOLONG: ['not-found', 'no such file (its name is too long)'],
  ERR_INVALID_ARG_VALUE: ['not-found', 'no such file (its name holds a NUL character)'],
  EMFILE: ['unreadable', 'too many open files'],
}

/** A failed file operation as an error for users, anything else as it is; `prefix` names the file if need be. */
export function fileError(error: unknown, prefix = ''): unknown {
  if (!(error instanceof Error && 'code' in error) || error instanceof LipschitzError) return error
  const cause = String(error.code)
  if (!(cause in failures) && !('syscall' in error)) return error
  const [code, reason] = failures[cause] ?? ['unreadable', `cannot be read (${cause})`]
  return new LipschitzError(code, prefix + reason)
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a pipe'
  if (stats.isSocket()) return 'a socket'
  return 'a device'
}

/** The time of the last change of anything, ctime, is not for programs to set. */
function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':')
}

function readFully(descriptor: number, target: Uint8Array, offset: number, prefix: string): void {
  let done = 0
  while (done < target.length) {
    const wanted = Math.min(target.length - done, 1 << 30)
    const count = readSync(descriptor, target, done, wanted, offset + done)
    if (count === 0) throw new LipschitzError('unreadable', `${prefix}the file ended while it was being read`)
    done += count
  }
}

/** Opens and closes a file; a pipe is not waited for. */
function withDescriptor<Result>(
  path: string,
  flags: number,
  prefix: string,
  step: (descriptor: number, stats: BigIntStats) => Result,
): Result {
  let descriptor: number | null = null
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | flags)
    return step(descriptor, fstatSync(descriptor, { bigint: true }))
  } catch (error) {
    throw fileError(error, prefix)
  } finally {
    if (descriptor !== null) closeSync(descriptor)
  }
}

/**
 * Opens a file that was opened before, also in another thread: it must be the same file with the same content.
 * @throws LipschitzError not-found, unreadable (also where it changed before or during the step)
 */
export function useFile<Result>(
  { path, stamp }: FileIdentity,
  prefix: string,
  step: (file: OpenFile) => Result,
): Result {
  return withDescriptor(path, 0, prefix, (descriptor, stats) => {
    const changed = () =>
      new LipschitzError('unreadable', `${prefix}the file changed while it was being read`)
    if (stampOf(stats) !== stamp) throw changed()
    const result = step({
      descriptor,
      read: (target, offset) => readFully(descriptor, target, offset, prefix),
    })
    if (stampOf(fstatSync(descriptor, { bigint: true })) !== stamp) throw changed()
    return result
  })
}

/** Where the system says that an open file stands; null where it does not say. */
function pathOfDescriptor(descriptor: number): string | null {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    return null
  }
}

/**
 * @param prefix of error messages: names the file where that is not plain
 * @param isReal whether the path is a real path, without symbolic links: then what is opened must stand there, even
 * where a folder of the path is exchanged for a link meanwhile
 * @throws LipschitzError not-found, unreadable (also for anything but a regular file; a pipe does not block)
 */
export function openStoredFile(path: string, prefix = '', isReal = false): StoredFile {
  const flags = isReal ? (constants.O_NOFOLLOW ?? 0) : 0
  const first = withDescriptor(path, flags, prefix, (descriptor, stats) => {
    const opened = isReal ? pathOfDescriptor(descriptor) : null
    if (opened !== null && opened !== path)
      throw new LipschitzError('unreadable', `${prefix}the file moved while it was being opened`)
    return stats
  })
  if (!first.isFile()) throw new LipschitzError('unreadable', `${prefix}${kindOf(first)}, not a regular file`)
  const identity = { path, stamp: stampOf(first) }
  const use = <Result>(step: (file: OpenFile) => Result) => useFile(identity, prefix, step)

  function digest(algorithm: 'sha256' | 'sha1', offset: number, length: number): string {
    return use(({ read }) => {
      const hash = createHash(algorithm)
      const piece = Buffer.allocUnsafe(Math.min(length, pieceBytes))
      for (let done = 0; done < length; done += pieceBytes) {
        const part = piece.subarray(0, Math.min(pieceBytes, length - done))
        read(part, offset + done)
        hash.update(part)
      }
      return hash.digest('hex')
    })
  }

  return { ...identity, bytes: Number(first.size), links: Number(first.nlink), use, digest }
}
