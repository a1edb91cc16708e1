import type { Node, Value } from '../../graph/graph.ts'
import type { BoundContext } from '../bound.ts'
import { sourceOf } from '../rules/source.ts'

/**
 * What recognisers of decomposed forms ask of the graph behind a node. Values are compared behind nodes that pass
 * them on; constants are read exactly, and nothing is taken for equal that is not.
 */

/** The ai.onnx node that writes the value, if it is one of these operators. */
export function producerOf(value: Value | null, ...ops: readonly string[]): Node | null {
  const producer = value === null ? null : sourceOf(value).producer
  return producer !== null && producer.domain === '' && ops.includes(producer.op) ? producer : null
}

export function isSame(a: Value | null, b: Value | null): boolean {
  return a !== null && b !== null && sourceOf(a) === sourceOf(b)
}

/** The finite number that a constant of one element holds; null for anything else. */
export function numberIn(context: BoundContext, value: Value | null): number | null {
  const number = value === null ? null : context.numberIn(value)
  return number !== null && Number.isFinite(number) ? number : null
}

/** The two operands in both orders: what a commutative operator may have. */
export function orders({ inputs }: Node): readonly (readonly [Value, Value])[] {
  const [a, b] = inputs
  if (inputs.length !== 2 || !a || !b) return []
  return [
    [a, b],
    [b, a],
  ]
}

/** The operand beside a constant number, and that number; null where there is none. */
export function besideNumber(context: BoundContext, node: Node): { value: Value; number: number } | null {
  for (const [value, constant] of orders(node)) {
    const number = numberIn(context, constant)
    if (number !== null) return { value, number }
  }
  return null
}

/** value = scale·root + shift, for numbers scale and shift. */
export interface Line {
  readonly root: Value
  readonly scale: number
  readonly shift: number
  /** How far rounding may have taken `shift` off: large where its terms have cancelled. */
  readonly error: number
}

/** Steps taken back at most: exporters write a handful. */
const mostSteps = 16

/** Takes multiplications, divisions, additions and subtractions of constant numbers off a value. */
export function stripped(context: BoundContext, value: Value): Line {
  let [root, scale, shift, terms] = [sourceOf(value), 1, 0, 0]
  for (let step = 0; step < mostSteps; step++) {
    const taken = oneStep(context, root)
    if (taken === null) break
    const product = scale * taken.scale
    // what underflows is not 0, and may be scaled up again
    if (!isNormal(product) && taken.scale !== 0) break
    // value = scale·(a·inner + b) + shift
    shift += scale * taken.shift
    terms += Math.abs(scale * taken.shift)
    scale = product
    root = sourceOf(taken.root)
  }
  return { root, scale, shift, error: terms * 2 ** -46 }
}

function isNormal(x: number): boolean {
  return Math.abs(x) > 1e-290 && Math.abs(x) < 1e290
}

function oneStep(context: BoundContext, value: Value): Omit<Line, 'error'> | null {
  const node = producerOf(value, 'Mul', 'Add', 'Sub', 'Div', 'Neg')
  if (node === null) return null
  const [first, second] = node.inputs
  if (node.op === 'Neg') return first ? { root: first, scale: -1, shift: 0 } : null
  const beside = besideNumber(context, node)
  if (beside === null) return null
  const { value: root, number } = beside
  const isFirst = root === first && numberIn(context, second) !== null
  switch (node.op) {
    case 'Mul':
      return { root, scale: number, shift: 0 }
    case 'Add':
      return { root, scale: 1, shift: number }
    case 'Sub':
      return isFirst ? { root, scale: 1, shift: -number } : { root, scale: -1, shift: number }
    default:
      return isFirst && number !== 0 ? { root, scale: 1 / number, shift: 0 } : null
  }
}

/** Coefficients of a polynomial, that of degree i at index i. */
export type Polynomial = readonly number[]

const highestDegree = 3

/**
 * The value as a polynomial in another: sums, products and small powers of it and of constant numbers. Null where
 * it is none, or of a degree above 3.
 */
export function polynomialIn(context: BoundContext, value: Value, variable: Value): Polynomial | null {
  return expand(context, value, sourceOf(variable), mostSteps)
}

/** Recursion of bounded depth; `steps` is what is left of it. */
function expand(context: BoundContext, value: Value, variable: Value, steps: number): Polynomial | null {
  if (sourceOf(value) === variable) return [0, 1]
  const number = numberIn(context, value)
  if (number !== null) return [number]
  const node = producerOf(value, 'Add', 'Sub', 'Mul', 'Div', 'Pow', 'Neg')
  if (node === null || steps === 0) return null
  const [first, second] = node.inputs
  if (!first) return null
  const a = expand(context, first, variable, steps - 1)
  if (a === null) return null
  if (node.op === 'Neg') return a.map((coefficient) => -coefficient)
  const exponent = numberIn(context, second ?? null)
  if (node.op === 'Pow') {
    if (exponent === 2) return times(a, a)
    const square = exponent === 3 ? times(a, a) : null
    return square && times(square, a)
  }
  if (node.op === 'Div') return exponent ? times(a, [1 / exponent]) : null
  const b = second ? expand(context, second, variable, steps >> 1) : null
  if (b === null) return null
  if (node.op === 'Mul') return times(a, b)
  const sign = node.op === 'Sub' ? -1 : 1
  const sum = Array.from(
    { length: Math.max(a.length, b.length) },
    (_, degree) => (a[degree] ?? 0) + sign * (b[degree] ?? 0),
  )
  return sum.some((total, degree) => cancels(total, a[degree] ?? 0, b[degree] ?? 0)) ? null : sum
}

/** Whether a sum has lost what its rounding is small against; exporters write no such polynomials. */
function cancels(sum: number, a: number, b: number): boolean {
  return Math.abs(sum) < Math.max(Math.abs(a), Math.abs(b)) / 2
}

function times(a: Polynomial, b: Polynomial): Polynomial | null {
  if (a.length + b.length - 2 > highestDegree) return null
  const product = new Array<number>(a.length + b.length - 1).fill(0)
  let exact = true
  a.forEach((left, i) => {
    b.forEach((right, j) => {
      const term = left * right
      if (left !== 0 && right !== 0 && !isNormal(term)) exact = false
      if (cancels(product[i + j] + term, product[i + j], term)) exact = false
      product[i + j] += term
    })
  })
  return exact ? product : null
}
