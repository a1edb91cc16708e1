import type { FloatArray } from '../core/tensor.ts'
import { floatAttribute, intAttribute } from '../graph/attribute.ts'
import type { Node } from '../graph/graph.ts'
import type { Interval } from './bound.ts'

/**
 * What nodes of quantised networks stand for: operators on real numbers, each number written as scale·(code − zero
 * point) and rounded to such a number. Serves the comparison of a network with a quantised copy of it.
 */

/** An operand that is written in codes: the inputs that hold the codes, their scale and their zero point. */
export interface CodedOperand {
  readonly at: number
  readonly scale: number
  readonly zero: number
}

/** The operator on real numbers that a node stands for. */
export interface FloatForm {
  readonly op: string
  readonly domain: string
  /** For each input of that operator where the node has it; null for a weight that the node's layer tells. */
  readonly operands: readonly (CodedOperand | null)[]
  /** Scale and zero point that the result is rounded to; null where it is a real number. */
  readonly result: { readonly scale: number; readonly zero: number } | null
  /** A bias of integers, in units of the product of these scales. */
  readonly bias?: { readonly at: number; readonly scales: readonly [number, number] }
}

const triple = (at: number): CodedOperand => ({ at, scale: at + 1, zero: at + 2 })

const unary = (op: string) => (): FloatForm => ({
  ...{ op, domain: '' },
  operands: [triple(0)],
  result: { scale: 3, zero: 4 },
})

const binary = (op: string) => (): FloatForm => ({
  ...{ op, domain: '' },
  operands: [triple(0), triple(3)],
  result: { scale: 6, zero: 7 },
})

const forms: ReadonlyMap<string, (node: Node) => FloatForm | null> = new Map<
  string,
  (node: Node) => FloatForm | null
>([
  [
    'QLinearConv',
    () => ({
      ...{ op: 'Conv', domain: '' },
      operands: [triple(0), null],
      result: { scale: 6, zero: 7 },
      bias: { at: 8, scales: [1, 4] },
    }),
  ],
  ['QLinearMatMul', binary('MatMul')],
  [
    'QGemm',
    (node) => ({
      ...{ op: 'Gemm', domain: '' },
      operands: [triple(0), null],
      result: node.inputs[7] == null ? null : { scale: 7, zero: 8 },
      bias: { at: 6, scales: [1, 4] },
    }),
  ],
  ['QLinearAdd', binary('Add')],
  ['QLinearMul', binary('Mul')],
  ['QLinearSigmoid', unary('Sigmoid')],
  ['QLinearLeakyRelu', unary('LeakyRelu')],
  ['QLinearAveragePool', unary('AveragePool')],
  ['QLinearGlobalAveragePool', unary('GlobalAveragePool')],
  [
    'QLinearConcat',
    ({ inputs }) => ({
      ...{ op: 'Concat', domain: '' },
      operands: Array.from({ length: Math.floor((inputs.length - 2) / 3) }, (_, i) => triple(2 + 3 * i)),
      result: { scale: 0, zero: 1 },
    }),
  ],
])

/** The operator on real numbers that a node on codes stands for; null for all others. */
export function floatForm(node: Node): FloatForm | null {
  if (intAttribute(node, 'channels_last', 0) !== 0) return null
  return forms.get(node.op)?.(node) ?? null
}

/** A node whose weights are quantised and whose data are not: what it is with the weights' real values. */
export function weightOnlyForm(node: Node): { readonly op: string; readonly domain: string } | null {
  return node.op === 'MatMulNBits' && node.domain === 'com.microsoft' ? { op: 'MatMul', domain: '' } : null
}

const microsoft = new Set(['', 'com.microsoft'])

/** Whether the node writes real numbers as codes, with scale and zero point at inputs 1 and 2. */
export function isQuantizer({ op, domain }: Node): boolean {
  return op === 'QuantizeLinear' && microsoft.has(domain)
}

/** Whether the node hands its input on as it is, but for the type that floating-point numbers are stored in. */
export function isPass(node: Node, floats: boolean): boolean {
  if (node.domain !== '') return false
  return node.op === 'Identity' || (floats && (node.op === 'Cast' || node.op === 'CastLike'))
}

/** Operators that move or choose elements by their order: on codes of one positive scale as on what they stand for. */
const movements = new Set([
  ...['Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze', 'Slice', 'Gather', 'Concat', 'Split'],
  ...['DepthToSpace', 'SpaceToDepth', 'MaxPool'],
])

export function actsOnCodes({ op, domain }: Node): boolean {
  return domain === '' && movements.has(op)
}

/**
 * The interval that the node cuts its input to, where it does nothing else.
 * @param constantAt the elements of an input; null where they are not constant
 */
export function clampOf(node: Node, constantAt: (input: number) => FloatArray | null): Interval | null {
  if (node.domain !== '') return null
  if (node.op === 'Relu') return { lo: 0, hi: Infinity }
  if (node.op !== 'Clip') return null
  if (node.version < 11) {
    return { lo: floatAttribute(node, 'min', -Infinity), hi: floatAttribute(node, 'max', Infinity) }
  }
  const end = (input: number, fallback: number): number | null => {
    if (node.inputs[input] == null) return fallback
    const data = constantAt(input)
    return data?.length === 1 ? data[0] : null
  }
  const [lo, hi] = [end(1, -Infinity), end(2, Infinity)]
  return lo !== null && hi !== null && lo <= hi ? { lo, hi } : null
}
