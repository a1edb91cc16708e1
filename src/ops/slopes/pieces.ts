import { sizeOf } from '../../core/tensor.ts'
import { floatAttribute } from '../../graph/attribute.ts'
import type { LinearContext } from '../calculus.ts'
import { repeated } from '../maps/terms.ts'

/** A straight part slope·z + offset of a function: numbers as they are, not rounded. */
export interface StraightPiece {
  readonly slope: number
  readonly offset: number
}

/**
 * The straight pieces of a continuous function from left to right, for each element; neighbours have different slopes, so
 * that they meet in one point.
 */
export type PiecesOf = (element: number) => readonly StraightPiece[]

/** The pieces of a node that applies a piecewise linear function to each element of its first input; null where it is none. */
type PieceRule = (context: LinearContext) => PiecesOf | null

const line = (slope: number, offset = 0): StraightPiece => ({ slope, offset })

/** Joins pieces that are one line. */
function meeting(pieces: readonly StraightPiece[]): readonly StraightPiece[] {
  return pieces.filter(({ slope }, i) => i === 0 || slope !== pieces[i - 1].slope)
}

const everywhere = (...pieces: readonly StraightPiece[]): PiecesOf => {
  const joined = meeting(pieces)
  return () => joined
}

const number = ({ node }: LinearContext, name: string, fallback: number) =>
  floatAttribute(node, name, Math.fround(fallback))

/** The limits of Clip: attributes, or constant inputs since version 11. */
const clip: PieceRule = (context) => {
  if (context.varies(1) || context.varies(2)) return null
  const limit = (name: 'min' | 'max', i: number, open: number) => {
    if (context.node.version < 11) return floatAttribute(context.node, name, open)
    const input = context.inputs[i]
    return input == null ? open : (input.smallConstant()?.data[0] ?? Number.NaN)
  }
  const [lo, hi] = [limit('min', 1, -Infinity), limit('max', 2, Infinity)]
  if (!(lo < hi)) return lo === hi ? everywhere(line(0, lo)) : null
  const ends = [lo > -Infinity ? [line(0, lo)] : [], [line(1)], hi < Infinity ? [line(0, hi)] : []]
  return everywhere(...ends.flat())
}

/** Slopes that are repeated along the data. */
const prelu: PieceRule = (context) => {
  const [data, slopes] = context.inputs
  const constant = context.varies(1) || slopes == null ? null : slopes.constant()
  const [dims, written] = [data?.shape ?? null, context.outputs[0]?.shape ?? null]
  const size = dims && sizeOf(dims)
  if (constant === null || size === null || written === null || sizeOf(written) !== size) return null
  if (context.node.version < 7 && constant.data.length > 1) return null
  const below = repeated(constant.data, constant.dims, dims as readonly number[])
  return (element) => meeting([line(below[element]), line(1)])
}

const rules: Readonly<Record<string, PieceRule>> = {
  Relu: () => everywhere(line(0), line(1)),
  Abs: () => everywhere(line(-1), line(1)),
  LeakyRelu: (context) => everywhere(line(number(context, 'alpha', 0.01)), line(1)),
  PRelu: prelu,
  Clip: clip,
  HardSigmoid: (context) => {
    const [slope, offset] = [number(context, 'alpha', 0.2), number(context, 'beta', 0.5)]
    return slope > 0 ? everywhere(line(0, 0), line(slope, offset), line(0, 1)) : null
  },
  ThresholdedRelu: (context) => (number(context, 'alpha', 1) === 0 ? everywhere(line(0), line(1)) : null),
  Shrink: (context) => {
    const [bias, threshold] = [number(context, 'bias', 0), number(context, 'lambd', 0.5)]
    if (bias !== threshold || !(threshold > 0)) return null
    return everywhere(line(1, threshold), line(0), line(1, -threshold))
  },
}

/** The straight pieces of a node's function; null where it is not piecewise linear in its first input alone. */
export function piecesOf(context: LinearContext): PiecesOf | null {
  const { domain, op } = context.node
  if (domain !== '' || !Object.hasOwn(rules, op) || !context.varies(0)) return null
  return rules[op](context)
}

/** Names of the operators that are piecewise linear. */
export const piecewiseLinearOperators = Object.keys(rules)
