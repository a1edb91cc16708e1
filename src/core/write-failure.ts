import { LipschitzError } from './errors.ts'

/** Why system calls that write fail, by their code. */
const reasons = new Map([
  ['ENOENT', 'its folder does not exist'],
  ['ENOTDIR', 'its folder is a file'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space is left'],
  ['EDQUOT', 'no space is left'],
  ['EFBIG', 'the file is too large for the file system'],
  ['EISDIR', 'it is a directory'],
])

export function cannotWrite(path: string, reason: string): LipschitzError {
  return new LipschitzError('output', `cannot write ${path}: ${reason}`)
}

/** The error for users where a file could not be written; other errors for users pass as they are. */
export function writeFailure(path: string, error: unknown): unknown {
  if (error instanceof LipschitzError) return error
  const { code, message } = error as NodeJS.ErrnoException
  return cannotWrite(path, reasons.get(code ?? '') ?? message)
}
