import { LipschitzError } from '../core/errors.ts'
import type { Shape } from '../core/tensor.ts'
import type { Value } from '../graph/graph.ts'
import type { ValueInfo } from '../ops/operand.ts'

/**
 * Holds what the file declares of a value against what it is. Only numbers contradict each other: a symbol or a
 * missing shape claims nothing. Throws `shape`, or `malformed` for element types.
 */
export function checkDeclared(value: Value, info: ValueInfo): void {
  const { declared, producer } = value
  const found = producer === null ? 'the initializer has' : `${producer.op} computes`
  const facts = producer === null ? { tensor: value.name } : { node: producer.name, tensor: value.name }
  if (declared.type !== null && info.type !== null && declared.type !== info.type) {
    throw new LipschitzError('malformed', `the file declares ${declared.type}, ${found} ${info.type}`, facts)
  }
  if (declared.shape === null || info.shape === null || agree(declared.shape, info.shape)) return
  const shapes = `the file declares shape ${format(declared.shape)}, ${found} ${format(info.shape)}`
  throw new LipschitzError('shape', shapes, facts)
}

function agree(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === null || b[axis] === null || dim === b[axis])
}

function format(shape: Shape): string {
  return `[${shape.map((dim) => dim ?? '?').join(',')}]`
}
