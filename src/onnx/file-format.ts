import { isUtf8 } from 'node:buffer'
import { LipschitzError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { MessageName } from './fields.ts'
import type { StoredFile } from './stored-file.ts'
import { scanWire } from './wire-scan.ts'

/** What a file that is no ONNX model may be instead, and what to do about it. */
export interface FileFormat {
  readonly name: string
  readonly hint: string
}

interface Signature extends FileFormat {
  matches(head: Buffer, text: string): boolean
}

const exportHint = 'export the model to ONNX and give that file'
const startsWith =
  (magic: string, at = 0) =>
  (head: Buffer) =>
    head.toString('latin1', at, at + magic.length) === magic
const textStart = (pattern: RegExp) => (_: Buffer, text: string) => pattern.test(text)

/** Text in UTF-8 without control characters; the head may end in the middle of a character. */
function isText(head: Buffer): boolean {
  let end = head.length
  while (end > 0 && end > head.length - 4 && head[end - 1] >= 128) end--
  const hasControls = head.some((byte) => byte < 32 && byte !== 9 && byte !== 10 && byte !== 13)
  return end > 0 && !hasControls && isUtf8(head.subarray(0, end))
}

/** First match wins; `text` is the head as latin1 without a byte order mark and leading white space. */
const signatures: readonly Signature[] = [
  {
    name: 'a git-LFS pointer',
    hint: 'fetch the file itself with `git lfs pull`',
    matches: textStart(/^version https:\/\/git-lfs/),
  },
  {
    name: 'an HTML page',
    hint: 'the download went to a web page instead of the file; use the raw link',
    matches: textStart(/^<(!doctype html|html|head|body)/i),
  },
  {
    name: 'a zip archive that looks like a PyTorch file',
    hint: 'export the model with torch.onnx.export and give that file',
    matches: (head) =>
      startsWith('PK\x03\x04')(head) &&
      /data\.pkl|\.data\/|constants\.pkl|byteorder/.test(head.toString('latin1')),
  },
  { name: 'a zip archive', hint: 'unpack it and give the .onnx file in it', matches: startsWith('PK') },
  { name: 'a gzip archive', hint: 'unpack it first', matches: startsWith('\x1f\x8b') },
  { name: 'a zstd archive', hint: 'unpack it first', matches: startsWith('\x28\xb5\x2f\xfd') },
  { name: 'an xz archive', hint: 'unpack it first', matches: startsWith('\xfd7zXZ') },
  { name: 'a 7z archive', hint: 'unpack it first', matches: startsWith('7z\xbc\xaf') },
  {
    name: 'a tar archive',
    hint: 'unpack it and give the .onnx file in it',
    matches: startsWith('ustar', 257),
  },
  {
    name: 'a Python pickle (PyTorch or scikit-learn)',
    hint: exportHint,
    matches: (head) => head[0] === 0x80 && head[1] >= 2 && head[1] <= 5,
  },
  { name: 'a GGUF file', hint: exportHint, matches: startsWith('GGUF') },
  {
    name: 'an ORT file (flatbuffer)',
    hint: 'give the ONNX model that it was made from',
    matches: startsWith('ORTM', 4),
  },
  {
    name: 'a TensorFlow Lite file',
    hint: 'convert it with tf2onnx and give that file',
    matches: startsWith('TFL3', 4),
  },
  {
    name: 'an HDF5 file (Keras)',
    hint: 'convert it with tf2onnx and give that file',
    matches: startsWith('\x89HDF'),
  },
  { name: 'a NumPy file', hint: exportHint, matches: startsWith('\x93NUMPY') },
  {
    name: 'a safetensors file',
    hint: `it holds weights without a network; ${exportHint}`,
    matches: (head) => head.length > 9 && head[8] === 0x7b && head.readUInt32LE(4) === 0,
  },
  {
    name: 'an XML file',
    hint: `if it is an OpenVINO model, ${exportHint}`,
    matches: textStart(/^<\?xml|^<net /),
  },
  {
    name: 'ONNX in protobuf text format',
    hint: 'convert it to binary: onnx.save(onnx.load(path, format="textproto"), "model.onnx")',
    matches: (head, text) =>
      isText(head) && /^(#[^\n]*\n\s*)*(ir_version|graph|producer_name|opset_import)\s*[:{]/.test(text),
  },
  {
    name: 'ONNX in text syntax',
    hint: 'convert it to binary: onnx.save(onnx.parser.parse_model(text), "model.onnx")',
    matches: (head, text) => isText(head) && /^<?\s*ir_version|^\w+\s*\([^)]*\)\s*=>/.test(text),
  },
  {
    name: 'JSON',
    hint: 'convert it to a binary ONNX file',
    matches: (head, text) => isText(head) && /^[{[]\s*["{[\]}\d]/.test(text),
  },
  { name: 'a text file', hint: 'give a binary ONNX file', matches: isText },
]

const headBytes = 1024

/** Parts of a model that stand alone in a file, as tools save them, and a field that tells each from the others. */
const parts: readonly (FileFormat & { readonly message: MessageName; readonly field: string })[] = [
  {
    message: 'GraphProto',
    field: 'node',
    name: 'a bare graph (GraphProto)',
    hint: 'wrap it in a model: onnx.helper.make_model(graph)',
  },
  {
    message: 'TensorProto',
    field: 'dataType',
    name: 'a bare tensor (TensorProto)',
    hint: 'give the model that it belongs to',
  },
]

function isMessage(file: StoredFile, limits: Limits, message: MessageName, field: string): boolean {
  try {
    const { unknownFields, fields } = file.use(({ descriptor }) =>
      scanWire(descriptor, file.bytes, limits, message),
    )
    return unknownFields.size === 0 && fields.has(field)
  } catch (error) {
    if (error instanceof LipschitzError) return false
    throw error
  }
}

/**
 * Names the format of a file that cannot be read as an ONNX model; null when nothing in it tells. Not for files that
 * can be read: a model may begin with bytes that look like another format's.
 */
export function recognizeFormat(file: StoredFile, limits: Limits): FileFormat | null {
  const head = Buffer.alloc(Math.min(file.bytes, headBytes))
  file.use(({ read }) => read(head, 0))
  const text = head
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
  const signature = signatures.find(({ matches }) => matches(head, text))
  if (signature !== undefined) return signature
  const rest = file.bytes - 4
  if (rest > 0 && (head.readUInt32LE(0) === rest || head.readUInt32BE(0) === rest)) {
    return { name: 'a message behind its length', hint: 'remove the first four bytes' }
  }
  return parts.find(({ message, field }) => isMessage(file, limits, message, field)) ?? null
}
