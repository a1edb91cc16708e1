import type { LayerSpec } from '../ops/layer.ts'

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
  const { rows, columns, input } = operator
  const blocks = operator.arrangement === 'diagonal' ? operator.blocks : 1
  const alongRows = input === undefined ? inputShape[inputShape.length - 1] === rows : input === 'rows'
  const copies = elements / ((alongRows ? rows : columns) * blocks)
  return Number.isInteger(copies) && copies > 0 ? copies : null
}
