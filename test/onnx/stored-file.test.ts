import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openStoredFile, useFile } from '../../src/onnx/stored-file.ts'
import { errorOf } from '../helpers/error.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lipschitz-stored-')))
const within = (...parts: string[]) => join(folder, ...parts)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function written(name: string, content = 'abcdefgh'): string {
  writeFileSync(within(name), content)
  return within(name)
}

function firstByte(file: ReturnType<typeof openStoredFile>): number {
  const target = new Uint8Array(1)
  file.use(({ read }) => read(target, 0))
  return target[0]
}

describe('a stored file', () => {
  it.each<[string, (path: string) => void]>([
    ['another file of its name', (path) => renameSync(written('other'), path)],
    [
      'another file of the same time',
      (path) => {
        const other = written('other')
        utimesSync(other, 1, 1)
        utimesSync(path, 1, 1)
        renameSync(other, path)
      },
    ],
    ['more content', (path) => appendFileSync(path, 'x')],
    [
      'other content of the same length and time',
      (path) => {
        writeFileSync(path, 'ABCDEFGH')
        utimesSync(path, 1, 1)
      },
    ],
    [
      'a link to another file',
      (path) => {
        rmSync(path)
        symlinkSync(written('target'), path)
      },
    ],
    [
      'a pipe',
      (path) => {
        rmSync(path)
        execFileSync('mkfifo', [path])
      },
    ],
    ['a further hard link', (path) => linkSync(path, within('second'))],
  ])('is not read once there is %s in its place', (_, change) => {
    rmSync(within('second'), { force: true })
    const path = written('file')
    utimesSync(path, 1, 1)
    const file = openStoredFile(path)
    expect(firstByte(file)).toBe(97)
    change(path)
    expect(errorOf(() => firstByte(file))).toMatchObject({ code: 'unreadable' })
    rmSync(path)
  })

  it('is an error when it changes while it is read', () => {
    const file = openStoredFile(written('busy'))
    const error = errorOf(() =>
      useFile(file, 'busy: ', ({ read }) => {
        read(new Uint8Array(1), 0)
        appendFileSync(file.path, 'x')
      }),
    )
    expect(error).toMatchObject({
      code: 'unreadable',
      message: 'busy: the file changed while it was being read',
    })
  })

  it('is no pipe, which nobody waits for, no folder and no device', () => {
    execFileSync('mkfifo', [within('pipe')])
    for (const path of [within('pipe'), folder, '/dev/zero', '/dev/null'])
      expect(errorOf(() => openStoredFile(path))).toMatchObject({ code: 'unreadable' })
  })

  it('by its real path, is none that was reached through a link meanwhile', () => {
    mkdirSync(within('real'))
    mkdirSync(within('elsewhere'))
    const path = written('real/weights')
    written('elsewhere/weights', 'secret')
    expect(openStoredFile(path, '', true).bytes).toBe(8)
    renameSync(within('real'), within('moved'))
    symlinkSync('elsewhere', within('real'))
    expect(errorOf(() => openStoredFile(path, '', true))).toMatchObject({ code: 'unreadable' })
    expect(openStoredFile(path).bytes).toBe(6)
  })
})
