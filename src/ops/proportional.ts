import { floatAttribute } from '../graph/attribute.ts'
import type { Node } from '../graph/graph.ts'

/**
 * What has to be multiplied by a number so that a result is multiplied by it: for constants, which are scaled where
 * the file has them. The tables list operators for which this holds exactly, whatever their attributes are.
 */

/** An input that the first output is proportional to, with all others as they are; `inverse`: to its inverse. */
export interface Proportion {
  readonly input: number
  readonly inverse: boolean
}

const to = (...inputs: number[]): readonly Proportion[] => inputs.map((input) => ({ input, inverse: false }))

/** Names of ai.onnx. Factors are above 0, so that lengths count, too. */
const proportional: ReadonlyMap<string, readonly Proportion[]> = new Map([
  ['Identity', to(0)],
  ['Cast', to(0)],
  ['CastLike', to(0)],
  ['Dropout', to(0)],
  ['Reshape', to(0)],
  ['Flatten', to(0)],
  ['Squeeze', to(0)],
  ['Unsqueeze', to(0)],
  ['Transpose', to(0)],
  ['Slice', to(0)],
  ['Gather', to(0)],
  ['Expand', to(0)],
  ['Tile', to(0)],
  ['DepthToSpace', to(0)],
  ['SpaceToDepth', to(0)],
  ['Neg', to(0)],
  ['Abs', to(0)],
  ['ReduceSum', to(0)],
  ['ReduceMean', to(0)],
  ['ReduceL1', to(0)],
  ['ReduceL2', to(0)],
  ['Mul', to(0, 1)],
  ['MatMul', to(0, 1)],
  ['Div', [...to(0), { input: 1, inverse: true }]],
  ['Reciprocal', [{ input: 0, inverse: true }]],
  ['DequantizeLinear', to(1)],
])

/** Inputs of a node that its first output is proportional to; empty where none is known to be. */
export function proportionsOf(node: Node): readonly Proportion[] {
  return node.domain === '' || isDequantizer(node) ? (proportional.get(node.op) ?? []) : []
}

/** Whether the node reads integers as multiples of a scale. */
export function isDequantizer({ op, domain }: Node): boolean {
  return op === 'DequantizeLinear' && (domain === '' || domain === 'com.microsoft')
}

/** How a node that multiplies by quantised weights knows what they stand for. */
export interface QuantizedWeight {
  /** Input that holds the integers. */
  readonly weight: number
  /** Input that holds their scales; null: the node has none. */
  readonly scale: number | null
  /** Input that holds a bias of integers in units of that scale. */
  readonly bias?: number
}

const quantized: ReadonlyMap<string, readonly QuantizedWeight[]> = new Map<
  string,
  readonly QuantizedWeight[]
>([
  ['QLinearConv', [{ weight: 3, scale: 4, bias: 8 }]],
  [
    'QLinearMatMul',
    [
      { weight: 3, scale: 4 },
      { weight: 0, scale: 1 },
    ],
  ],
  ['QGemm', [{ weight: 3, scale: 4, bias: 6 }]],
  [
    'MatMulIntegerToFloat',
    [
      { weight: 1, scale: 3 },
      { weight: 0, scale: 2 },
    ],
  ],
  ['DynamicQuantizeMatMul', [{ weight: 1, scale: 2 }]],
  ['MatMulNBits', [{ weight: 1, scale: 2 }]],
  ['MatMulBnb4', [{ weight: 1, scale: 2 }]],
  ['MatMulInteger', [0, 1].map((weight) => ({ weight, scale: null }))],
  ['MatMulInteger16', [0, 1].map((weight) => ({ weight, scale: null }))],
  ['ConvInteger', [{ weight: 1, scale: null }]],
])

/** The quantised weight that a node has at this input; null where the input holds the real numbers themselves. */
export function quantizedWeight({ op }: Node, input: number): QuantizedWeight | null {
  return quantized.get(op)?.find(({ weight }) => weight === input) ?? null
}

/**
 * The input with the bias that runtimes add in units of the weight's scale once they fuse the node with its
 * dequantised operands; null where there is none.
 */
export function fusedBias({ op, domain }: Node): number | null {
  return domain === '' && ['Conv', 'ConvTranspose', 'Gemm'].includes(op) ? 2 : null
}

/** What the node multiplies that bias by, in size. */
export function biasFactor(node: Node): number {
  return node.op === 'Gemm' ? Math.abs(floatAttribute(node, 'beta', 1)) : 1
}
