import { LipschitzError, named } from '../core/errors.ts'
import { beyondLimit, type Limits, limitsWith } from '../core/limits.ts'
import { externalFiles } from './external-data.ts'
import { recognizeFormat } from './file-format.ts'
import type { ModelProto, SparseTensorProto, TensorProto } from './generated/onnx.js'
import type { ReadOptions } from './read-options.ts'
import { decodeSkeleton } from './skeleton.ts'
import { storedSparseTensor } from './sparse-tensor.ts'
import { openStoredFile, type StoredFile } from './stored-file.ts'
import type { StoredTensor } from './stored-tensor.ts'
import { storedTensor, type TensorSource } from './tensor-data.ts'
import { type Scan, scanWire } from './wire-scan.ts'

/**
 * An ONNX file, scanned and decoded but for its tensor data. Names and structure are as in the file: strict UTF-8,
 * every message well formed, within the limits; what they mean (versions, names that refer to nothing, types of
 * attributes) is not checked here. No file stays open.
 */
export interface ModelFile {
  /** The path as it was given. */
  readonly path: string
  readonly bytes: number
  readonly proto: ModelProto
  /** What this model is held against, here and in all later stages. */
  readonly limits: Limits
  /** Fields that this version of the format does not have, as `Message.number`, and how often they occur. */
  readonly unknownFields: ReadonlyMap<string, number>
  /** SHA-256 of the file in hex; reads the file anew. */
  sha256(): string
  /** Checks dims, type and stored bytes of a tensor of this file, wherever its elements stand. */
  tensor(proto: TensorProto): StoredTensor
  /** The same for a sparse tensor, which loads as a dense one. Its name is that of its values. */
  sparseTensor(proto: SparseTensorProto): StoredTensor
}

/** The error for a file that is no model: names its format where the file tells. */
function notOnnx(file: StoredFile, limits: Limits, otherwise: LipschitzError): LipschitzError {
  const format = recognizeFormat(file, limits)
  if (format === null) return otherwise
  return new LipschitzError('not-onnx', `this is ${format.name}, not an ONNX model`, { hint: format.hint })
}

function scanFile(file: StoredFile, limits: Limits): Scan {
  if (file.bytes === 0) throw new LipschitzError('not-onnx', 'the file is empty')
  if (file.bytes > limits.fileBytes) {
    const tooLarge = beyondLimit(
      'fileBytes',
      `the file has ${file.bytes} bytes, more than ${limits.fileBytes}`,
    )
    throw notOnnx(file, limits, tooLarge)
  }
  try {
    return file.use(({ descriptor }) => scanWire(descriptor, file.bytes, limits))
  } catch (error) {
    if (!(error instanceof LipschitzError && error.code === 'malformed')) throw error
    throw notOnnx(
      file,
      limits,
      error.with({ hint: 'the file is damaged or not complete; fetch or export it again' }),
    )
  }
}

/**
 * Reads an ONNX file by position, its tensor data left in place.
 * @throws LipschitzError not-found, unreadable, not-onnx (names the real format), malformed, limit
 */
export function readModelFile(path: string, options: ReadOptions = {}): ModelFile {
  const facts = { model: path }
  return named(facts, () => {
    const limits = limitsWith(options.limits)
    const file = openStoredFile(path)
    const { skeleton, payloads, unknownFields } = scanFile(file, limits)
    const proto = decodeSkeleton(skeleton)
    if (proto.graph === null)
      throw notOnnx(file, limits, new LipschitzError('malformed', 'the model holds no graph'))
    const external = options.externalData === false ? null : externalFiles(path, options.hardLinks ?? false)
    const source: TensorSource = { file, payloads, external, limits }
    return {
      path,
      bytes: file.bytes,
      proto,
      limits,
      unknownFields,
      sha256: () => named(facts, () => file.digest('sha256', 0, file.bytes)),
      tensor: (tensor) => named(facts, () => storedTensor(tensor, source)),
      sparseTensor: (tensor) => named(facts, () => storedSparseTensor(tensor, source)),
    }
  })
}
