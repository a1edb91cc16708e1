import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkWritable, prepareFolder, writeWhole } from '../../src/cli/write-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))

describe('writeWhole', () => {
  it('creates and replaces, and leaves nothing else behind', async () => {
    const path = join(folder, 'report.json')
    await writeWhole(path, '1\n')
    const before = statSync(path).ino
    await writeWhole(path, '2\n')
    expect(readFileSync(path, 'utf8')).toBe('2\n')
    expect(statSync(path).ino).not.toBe(before)
    expect(readdirSync(folder).filter((name) => name.includes('report.json'))).toEqual(['report.json'])
  })

  it('keeps the permissions of the file, and the link to it', async () => {
    const [path, link] = [join(folder, 'kept'), join(folder, 'link')]
    writeFileSync(path, 'old')
    chmodSync(path, 0o640)
    symlinkSync(path, link)
    await writeWhole(link, 'new')
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  it('writes through a pipe', async () => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', [path])
    const reader = spawn('cat', [path])
    const read = new Promise<string>((done) => {
      let text = ''
      reader.stdout.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      reader.on('close', () => done(text))
    })
    await writeWhole(path, 'through')
    expect(await read).toBe('through')
  })

  it('says why it cannot', async () => {
    const missing = join(folder, 'missing', 'report.json')
    await expect(writeWhole(missing, '')).rejects.toThrow(
      `cannot write ${missing}: its folder does not exist`,
    )
    await expect(checkWritable(missing)).rejects.toThrow('its folder does not exist')
    await expect(checkWritable(folder)).rejects.toThrow('it is a directory')
    await expect(checkWritable(join(folder, 'new'))).resolves.toBeUndefined()
  })
})

describe('prepareFolder', () => {
  it('makes the folder, also one that is there', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'lipschitz-')), 'a/b')
    await prepareFolder(path)
    await prepareFolder(path)
    expect(readdirSync(path)).toEqual([])
  })

  it('says that a file is no folder', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'lipschitz-')), 'file')
    writeFileSync(path, '')
    await expect(prepareFolder(path)).rejects.toMatchObject({
      code: 'output',
      message: expect.stringContaining(path),
    })
    await expect(prepareFolder(join(path, 'inside'))).rejects.toMatchObject({ code: 'output' })
  })
})
