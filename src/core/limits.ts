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

/** Building the graph: what a small file can expand to. */
export const graphLimits = {
  /** Nodes after all functions are inlined; a node takes about 1 KB in all later stages. */
  inlinedNodes: 1_000_000,
  /** Functions that call one another, one inside the next. */
  functionDepth: 100,
  /** Bodies of If, Loop and Scan, one inside the next, functions inlined: the only recursion in later stages. */
  bodyDepth: 64,
} as const

/** Inference and constant folding. */
export const inferenceLimits = {
  /** Largest constant, in elements, that shape rules read and that is kept for good. */
  smallElements: 4096,
  /** Elements of one folded tensor: at most 2 GiB. */
  tensorElements: 2 ** 28,
  /** Elements read and written by all foldings of one model together, besides what its parameters pay for. */
  totalElements: 2 ** 31,
  /** The same for each parameter: chains of a few operators, asked for by a few readers. */
  elementsPerParameter: 64,
  /** Bytes of large constants kept because they were used last. */
  recentBytes: 64 * 2 ** 20,
  /** Nodes inferred, counting a node in a body once for every time that the body is inferred. */
  inferredNodes: 3_000_000,
} as const

/** Bounds. */
export const boundLimits = {
  /** Nodes of bodies that are walked, each as often as a loop repeats it: a few seconds. */
  walkedNodes: 300_000,
  /** Steps of one loop. */
  loopSteps: 10_000,
} as const
