import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { type ErrorCode, LipschitzError } from '../core/errors.ts'

/** One read call takes less than 2 GiB; hashing and copying go by pieces of this size. */
const pieceBytes = 1 << 20

/** A file while it is open. */
export interface OpenFile {
  readonly descriptor: number
  /** Fills the target from the file, starting at `offset`. */
  read(target: Uint8Array, offset: number): void
}

/** A regular file that is read by position. It is opened for each use and must stay the same file throughout. */
export interface StoredFile {
  readonly path: string
  readonly bytes: number
  /** Hard links to the file. */
  readonly links: number
  /** Opens the file, makes sure that it is still the same, and closes it afterwards. */
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

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a pipe'
  if (stats.isSocket()) return 'a socket'
  return 'a device'
}

function isSame(first: Stats, second: Stats): boolean {
  return (
    first.dev === second.dev &&
    first.ino === second.ino &&
    first.size === second.size &&
    first.mtimeMs === second.mtimeMs
  )
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

/**
 * @param prefix of error messages: names the file where that is not plain
 * @param followLink whether the last part of the path may be a symbolic link
 * @throws LipschitzError not-found, unreadable (also for anything but a regular file; a pipe does not block)
 */
export function openStoredFile(path: string, prefix = '', followLink = true): StoredFile {
  const flags =
    constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (followLink ? 0 : (constants.O_NOFOLLOW ?? 0))

  function open<Result>(step: (descriptor: number, stats: Stats) => Result): Result {
    let descriptor: number | null = null
    try {
      descriptor = openSync(path, flags)
      return step(descriptor, fstatSync(descriptor))
    } catch (error) {
      throw fileError(error, prefix)
    } finally {
      if (descriptor !== null) closeSync(descriptor)
    }
  }

  const first = open((_, stats) => stats)
  if (!first.isFile()) throw new LipschitzError('unreadable', `${prefix}${kindOf(first)}, not a regular file`)

  function use<Result>(step: (file: OpenFile) => Result): Result {
    return open((descriptor, stats) => {
      if (!isSame(first, stats)) {
        throw new LipschitzError('unreadable', `${prefix}the file changed while it was being read`)
      }
      return step({
        descriptor,
        read: (target, offset) => readFully(descriptor, target, offset, prefix),
      })
    })
  }

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

  return { path, bytes: first.size, links: first.nlink, use, digest }
}
