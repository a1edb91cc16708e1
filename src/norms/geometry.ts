import type { LayerSpec } from '../ops/layer.ts'

/** Everything but the weights that a layer's norms depend on, as text: equal weights and geometry are measured once. */
export function geometryKey(spec: LayerSpec): string {
  const { load: _load, ...geometry } = spec.operator
  return JSON.stringify([spec.role, spec.kind, spec.inputShape, geometry])
}

/**
 * On how many vectors of one batch element a dense layer acts: a MatMul over T rows is the map I_T ⊗ W. Null where
 * the shape is not known. Recurrent and embedding layers count as one step.
 */
export function copiesPerElement(spec: LayerSpec): number | null {
  const { operator, kind, inputShape } = spec
  if (operator.form !== 'matrix' || kind !== 'dense') return 1
  if (inputShape === null) return null
  const rest = inputShape.length > 1 ? inputShape.slice(1) : inputShape
  const elements = rest.reduce<number | null>(
    (size, dim) => (size === null || dim === null ? null : size * dim),
    1,
  )
  if (elements === null) return null
  const blocks = operator.arrangement === 'diagonal' ? operator.blocks : 1
  const last = inputShape[inputShape.length - 1]
  const sides = last === operator.rows ? [operator.rows, operator.columns] : [operator.columns, operator.rows]
  const side = sides.find((size) => elements % (size * blocks) === 0 && elements > 0)
  return side === undefined ? null : elements / (side * blocks)
}
