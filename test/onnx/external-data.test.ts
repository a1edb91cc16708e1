import { createHash } from 'node:crypto'
import {
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readModelFile } from '../../src/onnx/model-file.ts'
import type { ReadOptions } from '../../src/onnx/read-options.ts'
import type { StoredTensor } from '../../src/onnx/stored-tensor.ts'
import { errorOf } from '../helpers/error.ts'
import { type Message, model } from '../helpers/onnx-builder.ts'

let folder: string
const inside = (...parts: string[]) => join(folder, 'models', ...parts)

/** Bytes of float32 1, 2, 3, 4. */
const elements = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer)

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lipschitz-external-')))
  mkdirSync(inside('deep', 'er'), { recursive: true })
  writeFileSync(join(folder, 'secret.bin'), elements)
  writeFileSync(inside('weights.bin'), Buffer.concat([Buffer.alloc(8), elements, Buffer.alloc(4)]))
  writeFileSync(inside('exact.bin'), elements)
  writeFileSync(inside('deep', 'er', 'w.bin'), elements)
  writeFileSync(inside('linked-twice.bin'), elements)
  linkSync(inside('linked-twice.bin'), inside('second-name.bin'))
  symlinkSync('exact.bin', inside('link-inside.bin'))
  symlinkSync('../secret.bin', inside('link-outside.bin'))
  symlinkSync('..', inside('parent'))
  symlinkSync('nowhere', inside('dangling.bin'))
  symlinkSync('/dev/zero', inside('zero.bin'))
  symlinkSync('loop.bin', inside('loop.bin'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Entries = Record<string, string> | [string, string][]

/** A float32 vector of four whose elements are outside. */
function external(entries: Entries, more: Message = {}): Message {
  const list = Array.isArray(entries) ? entries : Object.entries(entries)
  const externalData = list.map(([key, value]) => ({ key, value }))
  return { name: 'w', dims: [4], dataType: 1, dataLocation: 1, externalData, ...more }
}

function stored(initializer: Message, options?: ReadOptions, path = inside('model.onnx')): StoredTensor {
  writeFileSync(path, model({ initializers: { w: initializer } }))
  const file = readModelFile(path, options)
  return file.tensor(file.proto.graph!.initializer[0])
}

describe('external data', () => {
  it.each<[string, Entries]>([
    ['a whole file', { location: 'exact.bin' }],
    ['a part of a file', { location: 'weights.bin', offset: '8', length: '16' }],
    ['a file in a folder', { location: 'deep/er/w.bin', length: '16' }],
    ['a path with dots', { location: './deep/./er/w.bin' }],
    ['a link that stays inside', { location: 'link-inside.bin' }],
    ['a trace of the tool', { location: 'exact.bin', basepath: '/home/somebody' }],
    ['a checksum', { location: 'exact.bin', checksum: createHash('sha1').update(elements).digest('hex') }],
  ])('is read from %s', (_, entries) => {
    const tensor = stored(external(entries))
    expect(Array.from(tensor.load().data)).toEqual([1, 2, 3, 4])
    expect(tensor.sha256()).toBe(createHash('sha256').update(elements).digest('hex'))
    expect(tensor.range?.length).toBe(16)
  })

  it.each<[string, string, Entries, Message?]>([
    ['an empty location', 'unsafe', { location: '' }],
    ['a parent folder', 'unsafe', { location: '../secret.bin' }],
    ['a parent folder in the middle', 'unsafe', { location: 'deep/../../secret.bin' }],
    ['a parent folder that leads back', 'unsafe', { location: '../models/exact.bin' }],
    ['an absolute path', 'unsafe', { location: '/etc/passwd' }],
    ['a drive', 'unsafe', { location: 'C:\\x' }],
    ['a share', 'unsafe', { location: '\\\\server\\x' }],
    ['a backslash', 'unsafe', { location: 'deep\\er\\w.bin' }],
    ['a URL', 'unsafe', { location: 'file:///etc/passwd' }],
    ['a NUL', 'unsafe', { location: 'exact.bin\0.txt' }],
    ['an address in memory', 'unsafe', { location: '*/_ORT_MEM_ADDR_/*' }],
    ['a number sign', 'unsafe', { location: '#/etc/passwd' }],
    ['a device of another system', 'unsafe', { location: 'deep/NUL.bin' }],
    ['a part that ends in a space', 'unsafe', { location: 'exact.bin ' }],
    ['a link that leads outside', 'unsafe', { location: 'link-outside.bin' }],
    ['a folder that leads outside', 'unsafe', { location: 'parent/secret.bin' }],
    ['a link to a device', 'unsafe', { location: 'zero.bin' }],
    ['a second hard link', 'unsafe', { location: 'linked-twice.bin' }],
    ['a link that leads nowhere', 'not-found', { location: 'dangling.bin' }],
    ['a link to itself', 'unreadable', { location: 'loop.bin' }],
    ['a file that is not there', 'not-found', { location: 'missing.bin' }],
    ['a file below a file', 'not-found', { location: 'exact.bin/x' }],
    ['a folder', 'unreadable', { location: 'deep' }],
    ['the folder itself', 'unsafe', { location: '.' }],
    ['no location', 'malformed', { offset: '0' }],
    [
      'two locations',
      'malformed',
      [
        ['location', 'exact.bin'],
        ['location', 'weights.bin'],
      ],
    ],
    ['an unknown key', 'malformed', { location: 'exact.bin', __proto__x: '1' }],
    ['a negative offset', 'malformed', { location: 'weights.bin', offset: '-1' }],
    ['an offset in science', 'malformed', { location: 'weights.bin', offset: '1e1' }],
    ['an offset with a space', 'malformed', { location: 'weights.bin', offset: ' 8' }],
    ['an offset in hexadecimal', 'malformed', { location: 'weights.bin', offset: '0x8' }],
    ['an offset of 2^64', 'malformed', { location: 'weights.bin', offset: String(2n ** 64n) }],
    ['an offset past the end', 'malformed', { location: 'exact.bin', offset: '17' }],
    ['a length past the end', 'malformed', { location: 'weights.bin', offset: '16', length: '16' }],
    ['a length that is too short', 'malformed', { location: 'exact.bin', length: '12' }],
    ['the rest of a file that is too long', 'malformed', { location: 'weights.bin' }],
    ['a wrong checksum', 'malformed', { location: 'exact.bin', checksum: '0'.repeat(40) }],
    ['elements here as well', 'malformed', { location: 'exact.bin' }, { rawData: elements }],
    ['strings', 'malformed', { location: 'exact.bin' }, { dataType: 8 }],
  ])('is refused from %s', (_, code, entries, more) => {
    const error = errorOf(() => stored(external(entries, more)))
    expect([error.code, error.tensor]).toEqual([code, 'w'])
    expect(error.message).not.toContain('secret.bin:')
  })

  it('says which file is missing, for which tensor, and what to do', () => {
    const error = errorOf(() => stored(external({ location: 'missing.bin' })))
    expect(error).toMatchObject({ code: 'not-found', tensor: 'w', model: inside('model.onnx') })
    expect(error.message).toContain(inside('missing.bin'))
    expect(error.hint).toContain('next to the model')
  })

  it('is accepted from a second hard link where that is allowed', () => {
    const tensor = stored(external({ location: 'linked-twice.bin' }), { hardLinks: true })
    expect(Array.from(tensor.load().data)).toEqual([1, 2, 3, 4])
  })

  it('is refused where it is switched off', () => {
    const error = errorOf(() => stored(external({ location: 'exact.bin' }), { externalData: false }))
    expect(error.code).toBe('unsafe')
  })

  it('is found in a cache whose folders hold links to files in one place', () => {
    const blobs = join(folder, 'cache', 'blobs')
    const snapshot = join(folder, 'cache', 'snapshots', 'main')
    mkdirSync(blobs, { recursive: true })
    mkdirSync(snapshot, { recursive: true })
    stored(external({ location: 'exact.bin' }))
    cpSync(inside('model.onnx'), join(blobs, 'a1'))
    writeFileSync(join(blobs, 'b2'), elements)
    symlinkSync('../../blobs/a1', join(snapshot, 'model.onnx'))
    symlinkSync('../../blobs/b2', join(snapshot, 'exact.bin'))
    const file = readModelFile(join(snapshot, 'model.onnx'))
    expect(Array.from(file.tensor(file.proto.graph!.initializer[0]).load().data)).toEqual([1, 2, 3, 4])
  })

  it('serves the values and indices of sparse tensors by the same rules', () => {
    const sparse = (location: string) => {
      const path = inside('sparse.onnx')
      const indices = { dims: [4], dataType: 7, int64Data: [0, 2, 4, 6] }
      writeFileSync(
        path,
        model({ sparseInitializers: [{ values: external({ location }), indices, dims: [8] }] }),
      )
      const file = readModelFile(path)
      return file.sparseTensor(file.proto.graph!.sparseInitializer[0])
    }
    expect(Array.from(sparse('exact.bin').load().data)).toEqual([1, 0, 2, 0, 3, 0, 4, 0])
    expect(errorOf(() => sparse('../secret.bin')).code).toBe('unsafe')
  })

  it('reads beyond 2 GiB and 4 GiB', () => {
    const path = inside('large.bin')
    writeFileSync(path, '')
    truncateSync(path, 5 * 2 ** 30)
    const offset = 2 ** 32 + 3
    const tensor = stored(external({ location: 'large.bin', offset: String(offset), length: '16' }))
    expect(Array.from(tensor.load().data)).toEqual([0, 0, 0, 0])
    expect(tensor.range?.offset).toBe(offset)
    rmSync(path)
    expect(errorOf(() => tensor.load()).code).toBe('not-found')
  })
})
