import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { buildWhereStale, root } from '../cli/built-program.ts'
import { fakeSurroundings } from '../cli/fake-streams.ts'
import { model } from '../helpers/onnx-builder.ts'
import { plain } from './row.ts'

const folder = mkdtempSync(join(tmpdir(), 'lipschitz-paths-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const within = (name: string) => join(folder, name)

async function audited(path: string) {
  const surroundings = fakeSurroundings()
  const code = await main(['audit', path, '--no-config', '--no-step-summary', '--json'], surroundings)
  return { code, stdout: surroundings.stdout.text(), stderr: surroundings.stderr.text() }
}

beforeAll(() => {
  mkdirSync(within('folder.onnx'))
  execFileSync('mkfifo', [within('pipe.onnx')])
  symlinkSync('circle.onnx', within('circle.onnx'))
  symlinkSync('gone.onnx', within('dangling.onnx'))
  writeFileSync(within('locked.onnx'), '')
  chmodSync(within('locked.onnx'), 0)
  writeFileSync(within('file.onnx'), model(plain))
})

describe('paths', () => {
  it.each([
    ['a dash, which is a file of that name', '-', /no such file/],
    ['nothing', '', /no such file/],
    ['a folder', within('folder.onnx'), /directory/],
    ['a pipe that nobody writes to', within('pipe.onnx'), /a pipe/],
    ['a device', '/dev/zero', /a device/],
    ['a file of the system that has no size', '/proc/self/environ', /empty/],
    ['a link to itself', within('circle.onnx'), /symbolic link/],
    ['a link to nothing', within('dangling.onnx'), /no such file/],
    ['a file as a folder', within('file.onnx/model.onnx'), /no such file/],
    ['a file that nobody may read', within('locked.onnx'), /permission|empty/],
    ['a name of 5,000 characters', within('n'.repeat(5000)), /name is too long/],
    ['a path with NUL', within('a\0b.onnx'), /NUL/],
    ['a path with a line break and an escape', within('a\n\u001b[31mb.onnx'), /no such file/],
  ])('that lead to no model are refused in one line: %s', async (_, path, says) => {
    const { code, stdout, stderr } = await audited(path)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(says)
    // one line of printable characters
    expect(stderr).toMatch(/^lipschitz: [\p{L}\p{N}\p{P}\p{S} ]+\n$/u)
  })

  it.each([
    ['a line break', 'line\nbreak.onnx'],
    ['what shells and terminals read', '$(id) `id` \u001b[2J ; rm .onnx'],
    ['another direction', '\u202exnno.onnx'],
    ['an option', '--json.onnx'],
  ])('may hold %s', async (_, name) => {
    writeFileSync(within(name), model(plain))
    const { code, stdout, stderr } = await audited(within(name))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout).models[0].path).toBe(within(name))
  })

  it('that are not UTF-8 are not found, and told in one line', () => {
    buildWhereStale()
    const script = `exec "$0" "$1" audit "$(printf 'm\\377\\376.onnx')" --no-config`
    const { status, stdout, stderr } = spawnSync(
      'sh',
      ['-c', script, process.execPath, join(root, 'bin/lipschitz.js')],
      { cwd: folder, encoding: 'utf8' },
    )
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^lipschitz: no such file[^\n]*\n$/)
  })
})
