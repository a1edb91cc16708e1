import { intsAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import { integersOf } from './integers.ts'
import type { Refusing } from './refusing.ts'

/**
 * Integer parameters of a node (axes, pads, sizes), read the same way by inference and by folding.
 * `'absent'`: the optional input is not given. `null`: given, but its elements are not known. Entries may be NaN.
 */
export type IntegerParameter = readonly number[] | 'absent' | null

export interface Parameters extends Refusing {
  readonly node: Node
  integers(i: number): IntegerParameter
}

export function inferredParameters(context: InferenceContext): Parameters {
  return {
    node: context.node,
    fail: (message) => context.fail(message),
    integers(i) {
      const operand = context.input(i)
      return operand === null ? 'absent' : integersOf(operand)
    },
  }
}

export function foldedParameters(context: FoldingContext): Parameters {
  return {
    node: context.node,
    fail: (message) => context.fail(message),
    integers(i) {
      const tensor = context.inputs[i] ?? null
      return tensor === null ? 'absent' : Array.from(tensor.data)
    },
  }
}

/** Input i, which must be given; null where its elements are not known. */
export function requiredIntegers(parameters: Parameters, i: number): readonly number[] | null {
  const entries = parameters.integers(i)
  return entries === 'absent' ? parameters.fail(`input ${i} is missing`) : entries
}

/** An attribute, as a parameter. */
export function attributeIntegers(parameters: Parameters, name: string): readonly number[] | 'absent' {
  return intsAttribute(parameters.node, name, null) ?? 'absent'
}

/** Whether every entry is known. */
export function allKnown(entries: readonly number[]): boolean {
  return !entries.some(Number.isNaN)
}
