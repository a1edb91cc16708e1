import { LipschitzError } from '../core/errors.ts'
import type { Shape } from '../core/tensor.ts'
import type { Value } from '../graph/graph.ts'
import type { ValueInfo } from '../ops/operator.ts'

/**
 * Holds what the file declares of a computed value against what was inferred. Only numbers contradict each
 * other: a symbol or a missing shape claims nothing. Throws `shape`, or `malformed` for element types.
 * `boundBatch` tells whether a dynamic batch axis was bound, which a stale number in the file can contradict.
 */
export function checkDeclared(value: Value, info: ValueInfo, boundBatch: boolean): void {
  const { declared } = value
  if (declared.type !== null && info.type !== null && declared.type !== info.type) {
    throw new LipschitzError(
      'malformed',
      `the file declares ${declared.type}, the node computes ${info.type}`,
      {
        node: value.producer?.name,
        tensor: value.name,
      },
    )
  }
  if (declared.shape === null || info.shape === null || agree(declared.shape, info.shape)) return
  throw new LipschitzError(
    'shape',
    `the file declares shape ${format(declared.shape)}, the node computes ${format(info.shape)}`,
    {
      node: value.producer?.name,
      tensor: value.name,
      hint: boundBatch ? 'the batch was taken as 1; give the real one with --input-shape' : undefined,
    },
  )
}

function agree(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === null || b[axis] === null || dim === b[axis])
}

function format(shape: Shape): string {
  return `[${shape.map((dim) => dim ?? '?').join(',')}]`
}
