import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { LipschitzError } from '../../src/core/errors.ts'
import { containedPath, rootsOf } from '../../src/onnx/contained-path.ts'

const base = realpathSync(mkdtempSync(join(tmpdir(), 'lipschitz-paths-')))
afterAll(() => rmSync(base, { recursive: true, force: true }))

/** Makes folders, files and links (name → target) below a folder of its own; the model is `home/model.onnx`. */
function world(name: string, links: Record<string, string>): (location: string) => string | null {
  const top = join(base, name)
  for (const folder of ['home/sub/deep', 'outside/sub', 'home-two'])
    mkdirSync(join(top, folder), { recursive: true })
  for (const file of [
    'home/model.onnx',
    'home/a',
    'home/sub/b',
    'outside/secret',
    'outside/sub/c',
    'home-two/d',
  ])
    writeFileSync(join(top, file), file)
  for (const [link, target] of Object.entries(links)) symlinkSync(target.replace('TOP', top), join(top, link))
  const home = join(top, 'home')
  return (location) => {
    const found = containedPath(home, location, rootsOf(join(home, 'model.onnx')))
    return found === null ? null : found.slice(top.length + 1)
  }
}

function outcome(find: (location: string) => string | null, location: string): string {
  try {
    return find(location) ?? 'outside'
  } catch (error) {
    if (error instanceof LipschitzError) return error.code
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}

describe('a path below the folder of a model', () => {
  const find = world('links', {
    'home/inner': 'sub/b',
    'home/absolute': 'TOP/home/a',
    'home/folder': 'sub',
    'home/around': '../home/a',
    'home/out': '../outside/secret',
    'home/out-folder': '../outside',
    'home/out-absent': '../outside/absent',
    'home/root': '/',
    'home/parent': '..',
    'home/near': '../home-two/d',
    'home/chain': 'chain-two',
    'home/chain-two': 'out',
    'home/loop': 'loop-two',
    'home/loop-two': 'loop',
    'home/sub/up': '../a',
    'home/sub/up-out': '../../outside/secret',
    'home/dangling': 'nowhere',
    'home/device': '/dev/zero',
    'home/empty-chain': './././folder/./up',
  })

  it.each([
    ['a', 'home/a'],
    ['./a', 'home/a'],
    ['sub//b', 'home/sub/b'],
    ['inner', 'home/sub/b'],
    ['absolute', 'home/a'],
    ['folder/b', 'home/sub/b'],
    ['around', 'home/a'],
    ['sub/up', 'home/a'],
    ['empty-chain', 'home/a'],
    ['sub', 'home/sub'],
    ['out', 'outside'],
    ['out-folder/secret', 'outside'],
    ['out-folder/sub/c', 'outside'],
    ['parent/outside/secret', 'outside'],
    ['root/etc/passwd', 'outside'],
    ['near', 'outside'],
    ['chain', 'outside'],
    ['sub/up-out', 'outside'],
    ['device', 'outside'],
    ['.', 'outside'],
    ['parent', 'outside'],
    ['loop', 'unreadable'],
    ['absent', 'ENOENT'],
    ['dangling', 'ENOENT'],
    ['a/x', 'ENOTDIR'],
  ])('%s is %s', (location, expected) => {
    expect(outcome(find, location)).toBe(expected)
  })

  it('does not tell whether a file outside exists', () => {
    for (const [there, absent] of [
      ['out', 'out-absent'],
      ['out-folder/secret', 'out-folder/absent'],
      ['root/etc', 'root/absent'],
      ['parent/outside', 'parent/absent'],
    ]) {
      expect(outcome(find, absent)).toBe(outcome(find, there))
    }
  })

  it('is what the real path says, or none', () => {
    const names = ['a', 'sub', 'folder', 'out-folder', 'parent', 'up', 'deep', 'around', 'home', 'b', 'root']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 5 }), (parts) => {
        const found = outcome(find, parts.join('/'))
        if (!found.startsWith('home')) return
        const top = join(base, 'links')
        expect(realpathSync(join(top, 'home', ...parts))).toBe(join(top, found))
        expect(found.startsWith('home/')).toBe(true)
      }),
    )
  })
})
