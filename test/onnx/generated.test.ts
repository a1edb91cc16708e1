import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

it('the generated files are what the schema gives', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lipschitz-proto-'))
  execFileSync(process.execPath, [join(root, 'scripts/generate-onnx.mjs'), folder])
  const committed = join(root, 'src/onnx/generated')
  expect(readdirSync(folder).sort()).toEqual(readdirSync(committed).sort())
  for (const name of readdirSync(folder)) {
    expect(readFileSync(join(folder, name), 'utf8')).toBe(readFileSync(join(committed, name), 'utf8'))
  }
  rmSync(folder, { recursive: true })
})
