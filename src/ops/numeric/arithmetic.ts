import type { ElementType, Tensor } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import { isIntegerType } from '../fold/element.ts'
import { mapElements, zipElements } from '../fold/elementwise.ts'
import type { FoldingContext, InferenceContext, LayerContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { arithmeticRules } from '../rules/arithmetic.ts'
import { growth } from '../rules/broadcast.ts'
import { jumps } from '../rules/jumps.ts'
import { rangedRules } from '../rules/ranged.ts'
import { broadcastShapes } from '../shape/broadcast.ts'
import { alignedShape, alignedTensor } from '../shape/old-broadcast.ts'
import {
  allInputs,
  commonType,
  infoOf,
  knownOutput,
  requiredInput,
  requiredTensor,
} from '../shape/operands.ts'
import { divisorLayers, multiplierLayers } from './scale-layers.ts'

const bounds = { ...arithmeticRules, Pow: rangedRules.Pow, Mod: jumps }

type Binary = (x: number, y: number) => number
/** What a node computes of two elements of the given type. */
type BinaryRule = (node: Node, type: ElementType) => Binary

/** Shape by broadcasting, type of the first operand; before version 7 the second one is aligned by `axis`. */
function inferBinary(context: InferenceContext): ValueInfo[] {
  const first = requiredInput(context, 0)
  const second = requiredInput(context, 1)
  const type = context.node.op === 'Pow' ? first.type : commonType(context, [0, 1])
  return [
    infoOf(type, broadcastShapes(context, [first.shape, alignedShape(context, first.shape, second.shape)])),
  ]
}

function inferVariadic(context: InferenceContext): ValueInfo[] {
  const shapes = allInputs(context).map((i) => requiredInput(context, i).shape)
  if (shapes.length === 0) context.fail(`${context.node.op} without inputs`)
  return [infoOf(commonType(context, allInputs(context)), broadcastShapes(context, shapes))]
}

function binary(op: keyof typeof bounds, rule: BinaryRule, rest: Partial<Operator> = {}): Operator {
  return {
    op,
    bound: bounds[op],
    infer: inferBinary,
    fold: (context) => {
      const output = knownOutput(context)
      if (output === null) return null
      const first = requiredTensor(context, 0)
      const second = alignedTensor(context, first, requiredTensor(context, 1))
      const target = context.allocate(output.type, output.dims)
      return [zipElements(first, second, target, rule(context.node, output.type))]
    },
    ...rest,
  }
}

/** `finish` is applied to the result of all operands, given how many there are. */
function variadic(
  op: keyof typeof bounds,
  combine: Binary,
  finish?: (x: number, count: number) => number,
): Operator {
  return {
    op,
    bound: bounds[op],
    infer: inferVariadic,
    fold: (context) => {
      const output = knownOutput(context)
      if (output === null) return null
      const tensors = context.inputs.map((_, i) => requiredTensor(context, i))
      const [first, ...others] = tensors
      // The first operand alone, broadcast, is where the sum starts.
      const start = combineInto(context, output, first, first, (x) => x)
      const total = others.reduce((sum, tensor) => combineInto(context, output, sum, tensor, combine), start)
      return [finish === undefined ? total : mapElements(total, total, (x) => finish(x, tensors.length))]
    },
  }
}

function combineInto(
  context: FoldingContext,
  output: { readonly type: ElementType; readonly dims: readonly number[] },
  a: Tensor,
  b: Tensor,
  combine: Binary,
): Tensor {
  return zipElements(a, b, context.allocate(output.type, output.dims), combine)
}

/** Mod: the result has the divisor's sign; with `fmod` the dividend's, as in C. */
function modulo(node: Node): Binary {
  return intAttribute(node, 'fmod', 0) === 1 ? (x, y) => x % y : (x, y) => x - y * Math.floor(x / y)
}

/** Adding a constant that repeats nothing of the data, or subtracting one from the other. */
function translates(context: LayerContext): number | null {
  const [first, second] = [context.input(0), context.input(1)]
  if (first === null || second === null || first.isConstant === second.isConstant) return null
  const index = first.isConstant ? 1 : 0
  const [data, output] = [context.input(index)?.shape ?? null, context.output(0)?.shape ?? null]
  return data?.length === output?.length && growth(data, output) === 1 ? index : null
}

/** Arithmetic of numbers; results are rounded to the output's type, integers towards zero. */
export const arithmetic: readonly Operator[] = [
  binary('Add', () => (x, y) => x + y, { translates }),
  binary('Sub', () => (x, y) => x - y, { translates }),
  binary('Mul', () => (x, y) => x * y, { layers: multiplierLayers }),
  binary('Div', (_, type) => (isIntegerType(type) ? wholeQuotient : (x, y) => x / y), {
    layers: divisorLayers,
  }),
  binary('Pow', () => (x, y) => x ** y),
  binary('Mod', modulo, { since: 10 }),
  variadic('Sum', (x, y) => x + y),
  variadic(
    'Mean',
    (x, y) => x + y,
    (x, count) => x / count,
  ),
  variadic('Max', Math.max),
  variadic('Min', Math.min),
]

/** Towards zero; NaN, an unknown entry, for a division by zero. */
function wholeQuotient(x: number, y: number): number {
  return y === 0 ? Number.NaN : Math.trunc(x / y)
}
