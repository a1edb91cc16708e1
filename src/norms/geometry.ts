import type { LinearOperator } from '../linalg/linear-operator.ts'
import type { LayerSpec } from '../ops/layer.ts'

type WithoutLoad<Operator> = Operator extends unknown ? Omit<Operator, 'load'> : never

/** A linear operator without its weights: what one thread tells another. */
export type Geometry = WithoutLoad<LinearOperator>

export type OperatorOf<Form extends LinearOperator['form']> = Extract<Geometry, { form: Form }>

/**
 * On how many vectors of one batch element a dense layer acts: a MatMul over T rows is the map I_T ⊗ W. Null where
 * the shape is not known. Recurrent and embedding layers count as one step.
 */
export function copiesPerElement(spec: LayerSpec): number | null {
  const { operator, kind, inputShape } = spec
  if (operator.form !== 'matrix' || kind !== 'dense') return 1
  if (inputShape === null) return null
  const { rows, columns, blocks, arrangement, input } = operator
  const alongRows = input === undefined ? inputShape[inputShape.length - 1] === rows : input === 'rows'
  const size = (alongRows ? rows : columns) * (arrangement === 'diagonal' ? blocks : 1)
  // The first axis is the batch, but where the weight stands on the left of a matrix, the matrix is one element.
  for (const shape of [inputShape.slice(1), inputShape]) {
    const elements = shape.reduce<number | null>((n, dim) => (n === null || dim === null ? null : n * dim), 1)
    if (elements !== null && elements > 0 && elements % size === 0) return elements / size
  }
  return null
}
