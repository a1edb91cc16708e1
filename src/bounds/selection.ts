import { LipschitzError } from '../core/errors.ts'
import { isFloatType } from '../core/tensor.ts'
import type { Value } from '../graph/graph.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { type Cut, cutsOf } from './cut.ts'

export interface Selection {
  /** Names of the inputs that vary; null: all floating-point inputs. */
  readonly inputs: readonly string[] | null
  /** Names of the outputs; null: all floating-point outputs. */
  readonly outputs: readonly string[] | null
}

/** The inputs and outputs between which a bound is asked for. Throws `usage` for names that the model does not have. */
export interface Selected {
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** What takes the place of inputs where all are integers: then `inputs` are these tensors. */
  readonly cuts: readonly Cut[]
  /** Inputs that are held fixed: those that are not audited. */
  readonly held: readonly Value[]
}

export function select(typed: TypedGraph, selection: Selection): Selected {
  const isFloat = (value: Value) => value.declared.kind === 'tensor' && isFloatType(typed.operand(value).type)
  const inputs = chosen(typed.graph.inputs, selection.inputs, isFloat, 'input')
  const untyped = (value: Value) => value.declared.kind === 'tensor' && typed.operand(value).type === null
  const outputs = chosen(
    typed.graph.outputs,
    selection.outputs,
    (value) => isFloat(value) || untyped(value),
    'output',
  )
  for (const input of inputs) {
    if (!isFloat(input)) {
      const type = typed.operand(input).type ?? input.declared.kind
      throw new LipschitzError(
        'usage',
        `input '${input.name}' is of type ${type}; only floating-point inputs can vary`,
        {
          tensor: input.name,
        },
      )
    }
  }
  const cuts = inputs.length === 0 ? cutsOf(typed) : []
  const held = typed.graph.inputs.filter((input) => !inputs.includes(input))
  return { inputs: cuts.length > 0 ? cuts.map(({ value }) => value) : inputs, outputs, cuts, held }
}

function chosen(
  values: readonly Value[],
  names: readonly string[] | null,
  isDefault: (value: Value) => boolean,
  role: string,
): Value[] {
  if (names === null) return [...new Set(values.filter(isDefault))]
  return [...new Set(names)].map((name) => {
    const found = values.find((value) => value.name === name)
    if (found !== undefined) return found
    const known = values.map((value) => `'${value.name}'`).join(', ')
    throw new LipschitzError('usage', `the model has no ${role} '${name}'`, {
      hint: `it has ${known || 'none'}`,
    })
  })
}
