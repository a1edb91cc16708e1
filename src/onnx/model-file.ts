import { LipschitzError } from '../core/errors.ts'
import type { ModelProto, SparseTensorProto, TensorProto } from './generated/onnx.js'
import type { StoredTensor } from './stored-tensor.ts'

export interface ReadOptions {
  /** Reads tensors that stand in other files; otherwise such a tensor is an error. */
  readonly externalData?: boolean
  /** Accepts external data files with more than one hard link. */
  readonly hardLinks?: boolean
}

/**
 * An ONNX file, scanned and decoded but for its tensor data. Names and structure are as in the file: strict UTF-8,
 * every message well formed, within the limits; what they mean (versions, names that refer to nothing, types of
 * attributes) is not checked here.
 */
export interface ModelFile {
  /** The path as it was given. */
  readonly path: string
  readonly bytes: number
  readonly proto: ModelProto
  /** Fields that this version of the format does not have, as `Message.number`, and how often they occur. */
  readonly unknownFields: ReadonlyMap<string, number>
  /** SHA-256 of the file in hex; reads the file anew. */
  sha256(): string
  /** Checks dims, type and stored bytes of a tensor of this file, wherever its elements stand. */
  tensor(proto: TensorProto): StoredTensor
  /** The same for a sparse tensor, which loads as a dense one. Its name is that of its values. */
  sparseTensor(proto: SparseTensorProto): StoredTensor
}

/**
 * Reads an ONNX file by position, its tensor data left in place.
 * @throws LipschitzError not-found, unreadable, not-onnx (names the real format), malformed, limit
 */
export function readModelFile(path: string, _options: ReadOptions = {}): ModelFile {
  throw new LipschitzError('internal', 'the reader is not there yet', { model: path })
}
