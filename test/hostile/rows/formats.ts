/** Files that are no model, and bytes that are none of anything. */
import { encode, model } from '../../helpers/onnx-builder.ts'
import { type Chapter, type Outcome, plain, raw } from '../row.ts'

const text = (content: string) => () => new TextEncoder().encode(content)
const bytes =
  (...content: readonly number[]) =>
  () =>
    Uint8Array.from(content)
const notOnnx = (says: RegExp): Outcome => ({ refused: 'not-onnx', says })
const broken = (says: RegExp): Outcome => ({ refused: 'malformed', says })

const padded = (head: string | readonly number[]) => () => {
  const start = typeof head === 'string' ? Buffer.from(head, 'latin1') : Buffer.from(head)
  return new Uint8Array(Buffer.concat([start, Buffer.alloc(600, 0xab)]))
}

export const formats: Chapter = [
  raw('an empty file', bytes(), notOnnx(/empty/)),
  raw('a byte of zero', bytes(0), broken(/field number 0/)),
  raw('a byte of 0xff', bytes(0xff), broken(/cut short|ends/)),
  raw('64 zeros', () => new Uint8Array(64), broken(/field number 0/)),
  raw('64 times 0xff', () => new Uint8Array(64).fill(0xff), broken(/varint/)),
  raw('a megabyte of zeros', () => new Uint8Array(2 ** 20), broken(/field number 0/)),
  raw('a megabyte of 0xff', () => new Uint8Array(2 ** 20).fill(0xff), broken(/varint/)),
  raw('a web page', text('<!DOCTYPE html><html><body>404: Not Found</body></html>'), notOnnx(/HTML/)),
  raw(
    'a pointer of git-LFS',
    text('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'),
    notOnnx(/git lfs pull/),
  ),
  raw('a zip archive', padded('PK\x03\x04'), notOnnx(/zip/)),
  raw('a file of PyTorch', padded('PK\x03\x04\x00\x00archive/data.pkl'), notOnnx(/PyTorch/)),
  raw('a pickle', padded([0x80, 4, 0x95]), notOnnx(/pickle/)),
  raw('GGUF', padded('GGUF\x03'), notOnnx(/GGUF/)),
  raw('an ORT file', padded('\x10\x00\x00\x00ORTM'), notOnnx(/ORT/)),
  raw('TensorFlow Lite', padded('\x1c\x00\x00\x00TFL3'), notOnnx(/Lite/)),
  raw('HDF5', padded('\x89HDF\r\n\x1a\n'), notOnnx(/HDF5/)),
  raw(
    'safetensors',
    () => {
      const head = Buffer.from('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}')
      const length = Buffer.alloc(8)
      length.writeUInt32LE(head.length)
      return new Uint8Array(Buffer.concat([length, head, Buffer.alloc(4)]))
    },
    notOnnx(/safetensors/),
  ),
  raw('a NumPy array', padded('\x93NUMPY\x01\x00'), notOnnx(/NumPy/)),
  raw('gzip', padded([0x1f, 0x8b, 8]), notOnnx(/gzip/)),
  raw('JSON', text('{"irVersion": 8, "graph": {}}'), notOnnx(/JSON/)),
  raw('protobuf text', text('ir_version: 8\ngraph {\n  name: "g"\n}\n'), notOnnx(/text format/)),
  raw(
    'ONNX text syntax',
    text('<ir_version: 8, opset_import: ["" : 15]>\nagraph (float[N] x) => (float[N] y) { y = Relu(x) }'),
    notOnnx(/text syntax/),
  ),
  raw('OpenVINO', text('<?xml version="1.0"?><net name="m" version="11"></net>'), notOnnx(/XML/)),
  raw(
    'a bare tensor',
    () => encode('TensorProto', { name: 'w', dims: [1], dataType: 1, floatData: [1] }),
    notOnnx(/bare tensor/),
  ),
  raw(
    'a bare graph',
    () => encode('GraphProto', { name: 'g', node: [{ opType: 'Relu', input: ['x'], output: ['y'] }] }),
    notOnnx(/bare graph/),
  ),
  raw(
    'a model behind its length',
    () => {
      const content = model(plain)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(content.length)
      return new Uint8Array(Buffer.concat([length, content]))
    },
    notOnnx(/first four bytes/),
  ),
  raw(
    'a model twice, one behind the other',
    () => new Uint8Array(Buffer.concat([model(plain), model(plain)])),
    broken(/second/),
  ),
  raw(
    'a model with something behind it',
    () => new Uint8Array(Buffer.concat([model(plain), Buffer.from('#!/bin/sh')])),
    broken(/./),
  ),
  raw(
    'a model without a graph',
    () => encode('ModelProto', { irVersion: 8, opsetImport: [{ domain: '', version: 13 }] }),
    broken(/no graph/),
  ),
  raw('a model of nothing', () => encode('ModelProto', { graph: {} }), broken(/version/)),
]
