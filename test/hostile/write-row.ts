import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Row } from './row.ts'

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
    else writeFileSync(file, content)
  }
  return path
}
