import { type ElementType, isFloatType, type Tensor } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import { integerRange, isIntegerType } from '../fold/element.ts'
import { mapElements } from '../fold/elementwise.ts'
import type { FoldingContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { mixedRules } from '../rules/mixed.ts'
import { elementTypeOf } from '../shape/element-codes.ts'
import { infoOf, requiredInput, requiredTensor } from '../shape/operands.ts'

/**
 * How an element of one type becomes one of another, before it is rounded to the target's type. A float outside
 * the range of an integer type has no defined result: it becomes unknown.
 */
function conversion(from: ElementType, to: ElementType): (x: number) => number {
  if (to === 'bool') return (x) => (Number.isNaN(x) ? x : x === 0 ? 0 : 1)
  if (isFloatType(from) && isIntegerType(to)) {
    const { lowest, highest } = integerRange(to)
    return (x) => (x > lowest - 1 && x < highest + 1 ? x : Number.NaN)
  }
  return (x) => x
}

/** Whether every value of one type is a value of the other, and stands in the same kind of array or a wider one. */
function widens(from: ElementType, to: ElementType): boolean {
  return isFloatType(from) && (to === 'float64' || (to === 'float32' && from !== 'float64'))
}

/** Null where the result depends on rounding modes that are not modelled: float8e8m0, and float8 without saturation. */
function castTensor(context: FoldingContext, source: Tensor, to: ElementType): readonly Tensor[] | null {
  if (source.type === to) return [source]
  const saturates = intAttribute(context.node, 'saturate', 1) !== 0
  if (to === 'string' || to.startsWith('complex') || to === 'float8e8m0') return null
  if (to.startsWith('float8') && !saturates) return null
  const target = context.allocate(to, source.dims)
  if (!widens(source.type, to)) return [mapElements(source, target, conversion(source.type, to))]
  target.data.set(source.data)
  return [target]
}

function foldToOutputType(context: FoldingContext) {
  const { type } = context.outputs[0]
  return type === null ? null : castTensor(context, requiredTensor(context, 0), type)
}

/** Names of element types as the attribute `to` of Cast-1 spells them. */
const legacyNames: ReadonlyMap<string, ElementType> = new Map([
  ['FLOAT', 'float32'],
  ['DOUBLE', 'float64'],
  ['FLOAT16', 'float16'],
  ['INT8', 'int8'],
  ['INT16', 'int16'],
  ['INT32', 'int32'],
  ['INT64', 'int64'],
  ['UINT8', 'uint8'],
  ['UINT16', 'uint16'],
  ['UINT32', 'uint32'],
  ['UINT64', 'uint64'],
  ['BOOL', 'bool'],
  ['STRING', 'string'],
])

export const castOperators = [
  {
    op: 'Cast',
    bound: mixedRules.Cast,
    infer(context) {
      const to = context.node.attributes.get('to')
      const name = to?.kind === 'string' ? legacyNames.get(to.value.toUpperCase()) : undefined
      const type = name ?? elementTypeOf(context, intAttribute(context.node, 'to', 0))
      return [infoOf(type, requiredInput(context, 0).shape)]
    },
    fold: foldToOutputType,
  },
  {
    op: 'CastLike',
    bound: mixedRules.Cast,
    since: 15,
    infer: (context) => [infoOf(requiredInput(context, 1).type, requiredInput(context, 0).shape)],
    fold: foldToOutputType,
    foldsFrom: 'first',
  },
] satisfies readonly Operator[]
