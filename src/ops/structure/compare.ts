import type { ElementType, Tensor } from '../../core/tensor.ts'
import { intAttribute, stringAttribute } from '../../graph/attribute.ts'
import { isIntegerType } from '../fold/element.ts'
import { mapElements, zipElements } from '../fold/elementwise.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { decides, jumps } from '../rules/jumps.ts'
import { broadcastShapes } from '../shape/broadcast.ts'
import { alignedShape, alignedTensor } from '../shape/old-broadcast.ts'
import {
  commonType,
  infoOf,
  knownOutput,
  likeFirstInput,
  requiredInput,
  requiredTensor,
} from '../shape/operands.ts'

/** Comparisons, logic and bits: elementwise operators whose values jump. Unknown entries (NaN) stay unknown. */

type Binary = (a: number, b: number) => number

/** Applies a comparison only where both sides are known. */
function known(compare: (a: number, b: number) => boolean): Binary {
  return (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : compare(a, b) ? 1 : 0)
}

/** A bit operation on integers as wide as JavaScript's BigInt lets them be. */
function bitwise(operate: (a: bigint, b: bigint) => bigint): Binary {
  return (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Number(operate(BigInt(a), BigInt(b))))
}

/** One side alone may decide a logical operation. */
function deciding(value: 0 | 1): Binary {
  return (a, b) => {
    if (a === value || b === value) return value
    return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 1 - value
  }
}

function resultType(context: InferenceContext, type: ElementType | 'same'): ElementType | null {
  const operands = commonType(context, [0, 1])
  return type === 'same' ? operands : type
}

/** Broadcasts its operands; before opset 7 the way that the old attributes say. */
function binary(op: string, since: number, type: ElementType | 'same', operate: Binary): Operator {
  return {
    op,
    since,
    bound: type === 'bool' ? decides : jumps,
    infer(context) {
      const [first, second] = [0, 1].map((i) => requiredInput(context, i).shape)
      const shape = broadcastShapes(context, [first, alignedShape(context, first, second)])
      return [infoOf(resultType(context, type), shape)]
    },
    fold(context) {
      const second = alignedTensor(context, requiredTensor(context, 0), requiredTensor(context, 1))
      return foldBinary(context, second, operate)
    },
  }
}

function foldBinary(context: FoldingContext, second: Tensor, operate: Binary): Tensor[] | null {
  const output = knownOutput(context)
  if (output === null) return null
  const target = context.allocate(output.type, output.dims)
  return [zipElements(requiredTensor(context, 0), second, target, operate)]
}

function unary(
  op: string,
  since: number,
  type: 'bool' | 'same',
  foldElement: (x: number, context: FoldingContext) => number,
): Operator {
  return {
    op,
    since,
    bound: type === 'bool' ? decides : jumps,
    infer: (context) =>
      type === 'same' ? likeFirstInput(context) : [infoOf('bool', requiredInput(context, 0).shape)],
    fold(context) {
      const source = requiredTensor(context, 0)
      const target = context.allocate(type === 'same' ? source.type : 'bool', source.dims)
      return [mapElements(source, target, (x) => foldElement(x, context))]
    },
  }
}

/** Shifts of unsigned integers; bits that leave the type are lost. */
const shift: Operator = {
  op: 'BitShift',
  bound: jumps,
  since: 11,
  infer(context) {
    const shapes = [0, 1].map((i) => requiredInput(context, i).shape)
    return [infoOf(commonType(context, [0, 1]), broadcastShapes(context, shapes))]
  },
  fold(context) {
    const { type } = requiredTensor(context, 0)
    const left = stringAttribute(context.node, 'direction', 'LEFT') === 'LEFT'
    const width = isIntegerType(type) ? Number.parseInt(type.replace(/\D/g, ''), 10) : 64
    const operate = bitwise((a, b) => BigInt.asUintN(width, left ? a << (b < 64n ? b : 64n) : a >> b))
    return foldBinary(context, requiredTensor(context, 1), operate)
  },
}

const equal = known((a, b) => a === b)
const greater = known((a, b) => a > b)
const less = known((a, b) => a < b)
const and = deciding(0)
const or = deciding(1)
const xor = known((a, b) => a !== b)

/** Infinite, of the signs that the attributes `detect_positive` and `detect_negative` ask for. */
function isInfinite(x: number, { node }: FoldingContext): number {
  if (Number.isNaN(x)) return x
  if (x === Number.POSITIVE_INFINITY) return intAttribute(node, 'detect_positive', 1) !== 0 ? 1 : 0
  if (x === Number.NEGATIVE_INFINITY) return intAttribute(node, 'detect_negative', 1) !== 0 ? 1 : 0
  return 0
}

/** A NaN may also be an unknown entry, so only what is certainly a number is answered. */
const isNotNumber = (x: number) => (Number.isNaN(x) ? x : 0)

export const compareOperators: readonly Operator[] = [
  binary('Equal', 1, 'bool', equal),
  binary('Greater', 1, 'bool', greater),
  binary('Less', 1, 'bool', less),
  binary('And', 1, 'bool', and),
  binary('Or', 1, 'bool', or),
  binary('Xor', 1, 'bool', xor),
  binary(
    'GreaterOrEqual',
    12,
    'bool',
    known((a, b) => a >= b),
  ),
  binary(
    'LessOrEqual',
    12,
    'bool',
    known((a, b) => a <= b),
  ),
  binary(
    'BitwiseAnd',
    18,
    'same',
    bitwise((a, b) => a & b),
  ),
  binary(
    'BitwiseOr',
    18,
    'same',
    bitwise((a, b) => a | b),
  ),
  binary(
    'BitwiseXor',
    18,
    'same',
    bitwise((a, b) => a ^ b),
  ),
  unary('BitwiseNot', 18, 'same', (x) => (Number.isNaN(x) ? x : -1 - x)),
  unary('Not', 1, 'bool', (x) => (Number.isNaN(x) ? x : x === 0 ? 1 : 0)),
  unary('IsNaN', 9, 'bool', isNotNumber),
  unary('IsInf', 10, 'bool', isInfinite),
  shift,
]
