import { floatAttribute } from '../../graph/attribute.ts'
import type { LinearContext } from '../calculus.ts'

type Test = (context: LinearContext) => boolean

const always: Test = () => true

/** Multiplying by ±2ᵏ does not round. */
const isPowerOfTwo = (x: number) => x !== 0 && Number.isInteger(Math.log2(Math.abs(x)))

const constants = (context: LinearContext) =>
  context.inputs.filter((input, i) => input !== null && !context.varies(i)).length

const rules: Readonly<Record<string, Test>> = {
  Identity: always,
  Dropout: always,
  Reshape: always,
  Flatten: always,
  Squeeze: always,
  Unsqueeze: always,
  Transpose: always,
  DepthToSpace: always,
  SpaceToDepth: always,
  Slice: always,
  Split: always,
  Concat: always,
  Pad: always,
  Gather: always,
  GatherElements: always,
  GatherND: always,
  Expand: always,
  Tile: always,
  Cast: always,
  Neg: always,
  Add: always,
  Sub: always,
  /** Two constants would be added up. */
  Sum: (context) => constants(context) < 2,
  Mul: always,
  /** By powers of two. */
  Div: (context) => context.inputs[1]?.smallConstant()?.data.every(isPowerOfTwo) === true,
  ReduceSum: always,
  MatMul: always,
  /** The product of two constants would be a sum. */
  Gemm: ({ node, varies }) =>
    (varies(0) || varies(1)) &&
    ['alpha', 'beta'].every((name) => isPowerOfTwo(floatAttribute(node, name, 1))),
  Conv: always,
}

/**
 * Whether the linear map of an affine node gives its coefficients without rounding when it is applied to unit vectors, and
 * its value at zero is no sum of several numbers: they are numbers of the file, negated or scaled by a power of two.
 */
export function hasStoredCoefficients(context: LinearContext): boolean {
  const { domain, op } = context.node
  return domain === '' && Object.hasOwn(rules, op) && rules[op](context)
}
