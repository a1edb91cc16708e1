import type { Binary, Variable } from '../algebra.ts'
import type { Calculus, Definition, DerivativeRule, PointContext } from '../calculus.ts'
import { divided, larger, multiplied, smaller } from './definition.ts'
import { alignedDims } from './elementwise.ts'
import { type BroadcastTerm, broadcastMap, repeated } from './terms.ts'

/** ∂f/∂x and ∂f/∂y at the operands' elements. */
type Partial = (x: number, y: number) => number

function partials(first: Partial, second: Partial): DerivativeRule {
  return (context) => {
    const output = context.results[0]?.dims ?? null
    const [a, b] = context.values
    const [aDims, bDims] = [alignedDims(context, 0), alignedDims(context, 1)]
    if (output === null || !a || !b || aDims === null || bDims === null) return null
    const [x, y] = [repeated(a.data, aDims, output), repeated(b.data, bDims, output)]
    const terms: BroadcastTerm[] = []
    for (const [input, dims, partial] of [
      [0, aDims, first],
      [1, bDims, second],
    ] as const) {
      if (!context.varies(input)) continue
      terms.push({ input, dims, factor: Float64Array.from(x, (value, i) => partial(value, y[i])) })
    }
    return broadcastMap(context.inputs.length, output, terms)
  }
}

/** The operand that gives each element of a maximum or minimum: the first of equal ones. */
const extreme: DerivativeRule = (context: PointContext) => {
  const result = context.results[0]
  if (!result) return null
  const taken = new Uint8Array(result.data.length)
  const terms: BroadcastTerm[] = []
  for (const [input, tensor] of context.values.entries()) {
    if (tensor === null) return null
    const data = repeated(tensor.data, tensor.dims, result.dims)
    const factor = Float64Array.from(data, (value, i) => {
      const isTaken = taken[i] === 0 && value === result.data[i]
      if (isTaken) taken[i] = 1
      return isTaken ? 1 : 0
    })
    if (context.varies(input)) terms.push({ input, dims: tensor.dims, factor })
  }
  return broadcastMap(context.inputs.length, result.dims, terms)
}

/** Slopes of PRelu, which repeats its second operand along the first. */
const prelu = partials(
  (x, slope) => (x < 0 ? slope : 1),
  (x) => Math.min(x, 0),
)

/** Operand after operand, as versions from 7 on broadcast. */
const folded =
  (join: Binary): Definition =>
  ({ algebra, node, variables }) => {
    const [first, ...rest] = variables
    if (node.version < 7 || !first || rest.includes(null)) return null
    return [rest.reduce<Variable>((joined, x) => algebra.zip(joined, x as Variable, join), first)]
  }

/** Operators of two operands that may both vary. */
export const arithmeticCalculus: Readonly<Record<string, Calculus>> = {
  Mul: {
    derivative: partials(
      (_, y) => y,
      (x) => x,
    ),
    definition: folded(multiplied),
  },
  Div: {
    derivative: partials(
      (_, y) => 1 / y,
      (x, y) => -x / (y * y),
    ),
    definition: folded(divided),
  },
  Pow: {
    derivative: partials(
      (x, y) => (y === 0 ? 0 : y * x ** (y - 1)),
      (x, y) => (x > 0 ? Math.log(x) * x ** y : x === 0 && y > 0 ? 0 : Number.NaN),
    ),
  },
  Max: { derivative: extreme, definition: folded(larger) },
  Min: { derivative: extreme, definition: folded(smaller) },
  PRelu: {
    derivative: (context) => (context.node.version < 7 ? null : prelu(context)),
    kinks: () => [0],
  },
}
