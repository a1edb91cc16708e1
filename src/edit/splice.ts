import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { writeFailure } from '../core/write-failure.ts'
import type { StoredFile } from '../onnx/stored-file.ts'
import type { ByteEdit } from './byte-edit.ts'

const pieceBytes = 1 << 20

/**
 * Writes a new file: the source byte for byte, but for the edits, which are ordered and do not overlap. Reads by
 * pieces: memory follows the largest edit. The file is on the disk when this returns. @throws LipschitzError output
 */
export function spliceFile(source: StoredFile, edits: readonly ByteEdit[], path: string): void {
  source.use(({ read }) => {
    writing(path, (write) => {
      let done = 0
      const copyUntil = (end: number) => {
        for (; done < end; done = Math.min(end, done + pieceBytes)) {
          const piece = Buffer.allocUnsafe(Math.min(pieceBytes, end - done))
          read(piece, done)
          write(piece)
        }
      }
      for (const { offset, removed, bytes } of edits) {
        copyUntil(offset)
        write(bytes)
        done = offset + removed
      }
      copyUntil(source.bytes)
    })
  })
}

function writing(path: string, produce: (write: (bytes: Uint8Array) => void) => void): void {
  let descriptor: number | null = null
  const attempt = <Result>(step: () => Result): Result => {
    try {
      return step()
    } catch (error) {
      throw writeFailure(path, error)
    }
  }
  try {
    const opened = attempt(() => openSync(path, 'wx'))
    descriptor = opened
    produce((bytes) =>
      attempt(() => {
        for (let done = 0; done < bytes.length; ) done += writeSync(opened, bytes, done)
      }),
    )
    attempt(() => fsyncSync(opened))
  } finally {
    if (descriptor !== null) closeSync(descriptor)
  }
}
