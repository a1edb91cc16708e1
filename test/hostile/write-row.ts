import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Beside, Row } from './row.ts'

/** Writes the files of a row below the folder; returns the path of the model. */
export function writeRow(row: Row, folder: string): string {
  const path = join(folder, 'model.onnx')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path, row.bytes())
  for (const [name, content] of Object.entries(row.beside ?? {})) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    if (content === 'folder') mkdirSync(file, { recursive: true })
    else if (content === 'pipe') execFileSync('mkfifo', [file])
    else if ('link' in content) symlinkSync(content.link, file)
    else if ('hardLink' in content) linkSync(join(folder, content.hardLink), file)
    else if ('size' in content) writeWithHoles(file, content)
    else writeFileSync(file, content)
  }
  return path
}

/** Writes a file that is larger than what it takes on disk. The model itself gets such a tail under its own name. */
function writeWithHoles(path: string, { size, at }: Extract<Beside, { readonly size: number }>): void {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT)
  ftruncateSync(file, size)
  for (const [offset, content] of at) writeSync(file, content, 0, content.length, offset)
  closeSync(file)
}
