import type { Algebra, Variable } from '../algebra.ts'
import type { Calculus, Definition, EvaluationContext } from '../calculus.ts'
import type { LinearMap } from '../linear-map.ts'
import { createAlgebra } from './algebra.ts'
import { constantSlope } from './secants.ts'

export type { Definition, DefinitionContext } from '../calculus.ts'

function run(definition: Definition, context: EvaluationContext, varies: (i: number) => boolean) {
  const algebra = createAlgebra()
  const variables = context.values.map((tensor, i) => tensor && algebra.input(tensor, varies(i)))
  return { algebra, variables, outputs: definition({ ...context, algebra, variables }) }
}

/** Value and derivative of an operator from its definition. */
export function defined(definition: Definition): Calculus {
  return {
    definition,
    evaluate: (context) => {
      const { outputs } = run(definition, context, () => false)
      return outputs?.map((output) => output && Float64Array.from(output.data)) ?? null
    },
    derivative: (context): LinearMap | null => {
      const { algebra, variables, outputs } = run(definition, context, context.varies)
      return outputs && algebra.derivative(variables, outputs)
    },
  }
}

/** Operations that definitions share. */
export const multiplied = {
  value: (x: number, y: number) => x * y,
  first: (_: number, y: number) => y,
  second: (x: number) => x,
}
export const summed = { value: (x: number, y: number) => x + y, first: () => 1, second: () => 1 }
export const subtracted = { value: (x: number, y: number) => x - y, first: () => 1, second: () => -1 }
export const divided = {
  value: (x: number, y: number) => x / y,
  first: (_: number, y: number) => 1 / y,
  second: (_: number, y: number, result: number) => -result / y,
}

export const larger = {
  value: Math.max,
  first: (x: number, y: number) => (x >= y ? 1 : 0),
  second: (x: number, y: number) => (x >= y ? 0 : 1),
}
export const smaller = {
  value: Math.min,
  first: (x: number, y: number) => (x <= y ? 1 : 0),
  second: (x: number, y: number) => (x <= y ? 0 : 1),
}

/** factor · x + offset for constants. */
export function scaled(algebra: Algebra, x: Variable, factor: number, offset = 0): Variable {
  return algebra.map(
    x,
    (value) => factor * value + offset,
    () => factor,
    constantSlope(factor),
  )
}

/** Dims without the axes of length 1 that reductions leave. */
export function withoutAxes(dims: readonly number[], axes: readonly number[]): number[] {
  return dims.filter((_, axis) => !axes.includes(axis))
}
