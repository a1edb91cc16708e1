/**
 * What a model may cost before it is refused. A file is not trusted: every size in it is held against this table
 * before memory or time is spent on it.
 */
export interface Limits {
  readonly fileBytes: number
  readonly messageDepth: number
  readonly skeletonBytes: number
  readonly messages: number
  readonly nodes: number
  readonly tensors: number
  readonly strings: number
  readonly numbers: number
  readonly rank: number
  readonly tensorElements: number
  readonly sparseElements: number
}

export const limits: Limits = {
  /** Protobuf itself ends at 2 GiB; models beyond it keep their weights in external files, which have no limit. */
  fileBytes: 2 ** 31 - 1,
  /** The nesting at which every protobuf library stops by default: about 30 body graphs inside one another. */
  messageDepth: 100,
  /** A model without its tensor data: the largest known language models stay below 30 MB. Below 2^28, see wire-scan. */
  skeletonBytes: 2 ** 27,
  /** A decoded message takes 300 to 500 bytes of heap, so that this many stay below 1 GB. */
  messages: 2_000_000,
  /** Ten times the largest real graphs; a decoded node with its values takes about 1 KB in all later stages. */
  nodes: 500_000,
  /** Initializers, constants and attribute tensors together. */
  tensors: 500_000,
  /** Names and byte strings: eight a node are usual. */
  strings: 8_000_000,
  /** Numbers outside tensor data (dims, attributes): 8 to 16 bytes of heap each. */
  numbers: 16_000_000,
  /** ONNX Runtime and numpy end at or below this; real tensors at 8. */
  rank: 64,
  /** 2^31 elements: the largest typed array that decodes to less than 16 GiB. */
  tensorElements: 2 ** 31,
  /** A sparse tensor is loaded as a dense one, whose size its few stored bytes do not pay for. */
  sparseElements: 2 ** 28,
}
