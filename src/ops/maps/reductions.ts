import { floatAttribute, intAttribute } from '../../graph/attribute.ts'
import type { Algebra, Variable } from '../algebra.ts'
import type { Calculus } from '../calculus.ts'
import { type Definition, defined, multiplied, scaled } from './definition.ts'
import { reducedOf, spatialAxes } from './reduction.ts'
import * as secants from './secants.ts'
import { logSumExpOver } from './softmax.ts'

type Reduction = (algebra: Algebra, x: Variable, axes: readonly number[]) => Variable

/** A reduction that is not linear, over the axes that the node names. */
function reduced(reduce: Reduction): Calculus {
  return defined((context) => {
    const [x] = context.variables
    const reduction = reducedOf(context)
    if (!x || reduction === null) return null
    const axes = x.dims.flatMap((dim, axis) => (dim !== reduction.kept[axis] || dim === 1 ? [axis] : []))
    const output = context.outputs[0]?.shape as readonly number[]
    return [context.algebra.reshape(reduce(context.algebra, x, axes), output)]
  })
}

/** A reduction over all spatial axes. */
function overSpace(
  reduce: (context: Parameters<Definition>[0], x: Variable, axes: readonly number[]) => Variable | null,
): Calculus {
  return defined((context) => {
    const [x] = context.variables
    return x ? [reduce(context, x, spatialAxes(x.dims))] : null
  })
}

const log = (algebra: Algebra, x: Variable) => algebra.map(x, Math.log, (value) => 1 / value, secants.log)
const square = (algebra: Algebra, x: Variable) => algebra.zip(x, x, multiplied)
const squareRoot = (algebra: Algebra, x: Variable) =>
  // ‖·‖₂ has no derivative at 0; 0 lies between its slopes.
  algebra.map(x, Math.sqrt, (_, result) => (result === 0 ? 0 : 0.5 / result), secants.sqrt)
export const absolute = (algebra: Algebra, x: Variable) =>
  algebra.map(x, Math.abs, Math.sign, secants.leakySlopes(-1))

export const lengthOver: Reduction = (algebra, x, axes) =>
  squareRoot(algebra, algebra.sum(square(algebra, x), axes))

/** ‖·‖_p over the axes. */
export function normOver(algebra: Algebra, x: Variable, axes: readonly number[], p: number): Variable {
  if (p === 1) return algebra.sum(absolute(algebra, x), axes)
  if (p === 2) return lengthOver(algebra, x, axes)
  const powers = algebra.map(
    x,
    (value) => Math.abs(value) ** p,
    (value) => p * Math.sign(value) * Math.abs(value) ** (p - 1),
    secants.power(p),
  )
  return algebra.map(
    algebra.sum(powers, axes),
    (value) => value ** (1 / p),
    (value, result) => (value === 0 ? 0 : result / (p * value)),
  )
}

const negated = (algebra: Algebra, x: Variable) => scaled(algebra, x, -1)

export const reductionCalculus: Readonly<Record<string, Calculus>> = {
  ReduceMax: reduced((algebra, x, axes) => algebra.max(x, axes)),
  ReduceMin: reduced((algebra, x, axes) => negated(algebra, algebra.max(negated(algebra, x), axes))),
  ReduceL1: reduced((algebra, x, axes) => algebra.sum(absolute(algebra, x), axes)),
  ReduceL2: reduced(lengthOver),
  ReduceSumSquare: reduced((algebra, x, axes) => algebra.sum(square(algebra, x), axes)),
  ReduceLogSum: reduced((algebra, x, axes) => log(algebra, algebra.sum(x, axes))),
  ReduceLogSumExp: reduced(logSumExpOver),
  GlobalMaxPool: overSpace(({ algebra }, x, axes) => algebra.max(x, axes)),
  GlobalLpPool: overSpace(({ algebra, node }, x, axes) => {
    const p = node.version < 2 ? floatAttribute(node, 'p', 2) : intAttribute(node, 'p', 2)
    return normOver(algebra, x, axes, p)
  }),
}
