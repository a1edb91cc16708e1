import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, chmod, mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cannotWrite, writeFailure } from '../core/write-failure.ts'

/** Says before a long audit that its result could not be written. Throws `output`. */
export async function checkWritable(path: string): Promise<void> {
  const existing = await stat(path).catch(() => null)
  if (existing?.isDirectory()) throw cannotWrite(path, 'it is a directory')
  await access(existing === null ? dirname(path) : path, constants.W_OK).catch((error: unknown) => {
    throw writeFailure(path, error)
  })
}

/** Makes a folder, unless it is there, and says before a long audit that nothing could be kept in it. Throws `output`. */
export async function prepareFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
    await access(path, constants.W_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === 'EEXIST' ? cannotWrite(path, 'it is no folder') : writeFailure(path, error)
  }
}

/** The file that is to be replaced, behind symbolic links; null for a pipe or a device, which is written through. */
async function replaceable(path: string): Promise<{ target: string; mode: number | null } | null> {
  const existing = await stat(path).catch(() => null)
  if (existing === null) return { target: path, mode: null }
  return existing.isFile() ? { target: await realpath(path), mode: existing.mode & 0o777 } : null
}

/** Nothing may be created beside the file, or it is mounted on its own: it can be written, but not replaced. */
const unmovable: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EBUSY', 'EXDEV'])

async function replace(path: string, text: string | Uint8Array): Promise<void> {
  const place = await replaceable(path)
  if (place === null) return writeFile(path, text)
  const { target, mode } = place
  const unfinished = join(
    dirname(target),
    `.${basename(target).slice(0, 100)}.${randomBytes(6).toString('hex')}`,
  )
  try {
    await writeFile(unfinished, text, { flag: 'wx' })
    if (mode !== null) await chmod(unfinished, mode)
    await rename(unfinished, target)
  } catch (error) {
    await rm(unfinished, { force: true })
    const { code = '' } = error as NodeJS.ErrnoException
    if (mode === null || !unmovable.has(code)) throw error
    await writeFile(target, text)
  }
}

/**
 * Writes a whole file or nothing: whoever reads it meanwhile sees the old one or the new one, never a part. Pipes,
 * devices and files that cannot be replaced are written through. Throws `output`.
 */
export async function writeWhole(path: string, text: string | Uint8Array): Promise<void> {
  await replace(path, text).catch((error: unknown) => {
    throw writeFailure(path, error)
  })
}
