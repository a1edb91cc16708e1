import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readModelFile } from '../../src/onnx/model-file.ts'
import { errorOf } from '../helpers/error.ts'
import { model, node, writeTemporary } from '../helpers/onnx-builder.ts'
import { block, join as joinBytes, number } from '../helpers/wire.ts'

const folder = mkdtempSync(join(tmpdir(), 'lipschitz-format-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const latin = (text: string) => Buffer.from(text, 'latin1')
const safetensors = (header: string) => {
  const length = Buffer.alloc(8)
  length.writeUInt32LE(header.length)
  return Buffer.concat([length, Buffer.from(header)])
}
const tar = () => {
  const bytes = Buffer.alloc(1024)
  bytes.write('model.onnx', 0)
  bytes.write('ustar', 257)
  return bytes
}

describe('a file that is no ONNX model', () => {
  it.each<[string, string, Uint8Array | string]>([
    ['empty', 'empty', ''],
    [
      'git-LFS',
      'git-LFS pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12345\n',
    ],
    ['an HTML page', 'HTML', '\n<!DOCTYPE html>\n<html><head><title>404</title></head></html>'],
    ['a PyTorch zip', 'PyTorch', latin('PK\x03\x04\0\0\0\0\0\0archive/data.pkl')],
    ['another zip', 'zip archive', latin('PK\x03\x04\0\0\0\0\0\0model.onnx')],
    ['a pickle', 'pickle', latin('\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.')],
    ['GGUF', 'GGUF', latin('GGUF\x03\0\0\0\0\0\0\0')],
    ['an ORT file', 'ORT', latin('\x20\0\0\0ORTM\0\0\0\0')],
    ['a TensorFlow Lite file', 'TensorFlow Lite', latin('\x1c\0\0\0TFL3\0\0\0\0')],
    ['a Keras file', 'HDF5', latin('\x89HDF\r\n\x1a\n\0\0')],
    ['a NumPy file', 'NumPy', latin("\x93NUMPY\x01\0v\0{'descr'")],
    [
      'safetensors',
      'safetensors',
      safetensors('{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'),
    ],
    ['gzip', 'gzip', latin('\x1f\x8b\x08\0\0\0\0\0')],
    ['tar', 'tar', tar()],
    ['XML', 'XML', '<?xml version="1.0"?>\n<net name="x"></net>'],
    ['protobuf text', 'protobuf text format', 'ir_version: 8\nproducer_name: "x"\ngraph {\n}\n'],
    [
      'ONNX text',
      'text syntax',
      '<\n  ir_version: 8,\n  opset_import: ["" : 18]\n>\nagraph (float[N] x) => (float[N] y) {}\n',
    ],
    ['JSON', 'JSON', '{"irVersion": "8", "graph": {}}'],
    ['a text', 'text file', 'Dear reader,\nthis is no model — not at all.\n'],
  ])('is called what it is: %s', (_, name, content) => {
    const error = errorOf(() => readModelFile(writeTemporary(content, 'other.onnx')))
    expect(error.code).toBe('not-onnx')
    expect(error.message).toContain(name)
    expect(error.model).toMatch(/other\.onnx$/)
    if (content !== '') expect(error.hint).toBeTruthy()
  })

  it('is not a model whose producer has the name of another format', () => {
    const path = writeTemporary(
      model({ moreModel: { producerName: 'ORTModel' }, nodes: [node('Relu', ['x'], ['y'])] }),
    )
    expect(readModelFile(path).proto.producerName).toBe('ORTModel')
  })

  it.each<[string, Uint8Array]>([
    ['a bare graph', joinBytes(block(1, block(4, 'Relu')), block(2, 'g'))],
    ['a bare tensor', joinBytes(number(1, 2), number(2, 1), block(9, new Uint8Array(8)), block(8, 'w'))],
    ['a message behind its length', joinBytes([2, 0, 0, 0], block(7))],
  ])('is called what it is: %s', (name, bytes) => {
    const error = errorOf(() => readModelFile(writeTemporary(bytes, 'part.onnx')))
    expect(error.code).toBe('not-onnx')
    expect(error.message).toContain(name)
  })

  it('is not there, or no file, or not ours to read', () => {
    expect(errorOf(() => readModelFile(join(folder, 'missing.onnx'))).code).toBe('not-found')
    expect(errorOf(() => readModelFile(join(folder, 'with\0nul'))).code).toBe('not-found')
    mkdirSync(join(folder, 'directory.onnx'))
    expect(errorOf(() => readModelFile(join(folder, 'directory.onnx')))).toMatchObject({
      code: 'unreadable',
      message: 'a directory, not a regular file',
      model: join(folder, 'directory.onnx'),
    })
    expect(errorOf(() => readModelFile('/dev/zero')).code).toBe('unreadable')
    execFileSync('mkfifo', [join(folder, 'pipe')])
    expect(errorOf(() => readModelFile(join(folder, 'pipe'))).message).toContain('a pipe')
    const locked = join(folder, 'locked.onnx')
    writeFileSync(locked, 'x')
    chmodSync(locked, 0)
    // The superuser may read it all the same; then it is only no model.
    expect(['unreadable', 'not-onnx']).toContain(errorOf(() => readModelFile(locked)).code)
  })
})
