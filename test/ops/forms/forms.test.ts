import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../../helpers/bounds.ts'
import {
  int64s,
  type Message,
  type ModelSpec,
  model,
  node,
  scalar,
  tensor,
} from '../../helpers/onnx-builder.ts'
import { openNetwork, steepest, steepestSecants } from '../../helpers/slope.ts'

/** A network in lines 'y = Op a b', with attributes by name of the output. */
interface Case {
  readonly name: string
  readonly lines: readonly string[]
  /** Constants by name; numbers in the lines are constants of their own. */
  readonly constants?: Readonly<Record<string, Message>>
  readonly attributes?: Readonly<Record<string, Record<string, number | readonly number[]>>>
  readonly x?: readonly number[]
  readonly opset?: number
  /** The constant that the form has; Infinity where nothing may be claimed. */
  readonly bound: number
  /** Measured over bound at least. */
  readonly tight?: number
  readonly scale?: number
}

function specOf({ lines, constants = {}, attributes = {}, x = [1, 8], opset = 17 }: Case): ModelSpec {
  const numbers: Record<string, Message> = {}
  const nodes = lines.map((line) => {
    const [output, , op, ...inputs] = line.split(' ')
    for (const input of inputs) if (!Number.isNaN(Number(input))) numbers[input] = scalar(Number(input))
    return node(op, inputs, [output], attributes[output])
  })
  return {
    opset,
    inputs: { x },
    outputs: { y: { type: 'float32', shape: null } },
    initializers: { ...numbers, ...constants },
    nodes,
  }
}

const gelu = 1.128904145
const swish = 1.09983932
const mean = { axes: [-1] }
const epsilon = 1e-5
const slope = 1 / Math.sqrt(Math.fround(epsilon))
const gamma = tensor([8], [1, -2, 3, 0.5, 1, 1, 1, 1])

const cases: readonly Case[] = [
  {
    name: 'GELU as PyTorch writes it',
    lines: ['a = Div x 1.4142135', 'b = Erf a', 'c = Add b 1', 'd = Mul x c', 'y = Mul d 0.5'],
    bound: gelu,
    tight: 0.95,
  },
  {
    name: 'GELU with ½ at the data',
    lines: ['h = Mul x 0.5', 'a = Mul x 0.70710677', 'b = Erf a', 'c = Add 1 b', 'y = Mul h c'],
    bound: gelu,
  },
  {
    name: 'GELU with ½ at the gate',
    lines: ['a = Div x 1.4142135', 'b = Erf a', 'c = Add b 1', 'd = Mul 0.5 c', 'y = Mul x d'],
    bound: gelu,
  },
  {
    name: 'a look-alike of GELU, 100 times as steep, which has the same constant',
    lines: ['a = Mul x 70', 'b = Erf a', 'c = Add b 1', 'd = Mul x c', 'y = Mul d 0.5'],
    bound: gelu,
    tight: 0.9,
    scale: 0.02,
  },
  {
    name: 'a look-alike of GELU with a shift inside',
    lines: ['s = Add x 3', 'a = Mul s 2', 'b = Erf a', 'c = Add b 1', 'd = Mul x c', 'y = Mul d 0.5'],
    bound: gelu + (6 * 1.1283792) / 2,
    tight: 0.5,
    scale: 4,
  },
  {
    name: 'a look-alike of GELU that adds 5 to the gate',
    lines: ['b = Erf x', 'c = Add b 5', 'd = Mul x c', 'y = Mul d 0.5'],
    bound: (1.2578083 + 5) / 2,
    tight: 0.95,
    scale: 2,
  },
  {
    name: 'GELU by tanh with Pow',
    lines: [
      'p = Pow x 3',
      'q = Mul p 0.044715',
      'r = Add x q',
      's = Mul r 0.7978846',
      't = Tanh s',
      'u = Add t 1',
      'v = Mul x u',
      'y = Mul v 0.5',
    ],
    bound: 1.1289931,
    tight: 0.95,
    scale: 3,
  },
  {
    name: 'GELU by tanh with x(k + mx²)',
    lines: [
      'p = Mul x x',
      'q = Mul p 0.035677407',
      'r = Add q 0.7978846',
      's = Mul x r',
      't = Tanh s',
      'u = Add t 1',
      'h = Mul x 0.5',
      'y = Mul h u',
    ],
    bound: 1.1289931,
  },
  {
    name: 'a look-alike of GELU by tanh with a cube 100 times as large',
    lines: [
      'p = Mul x x',
      'p3 = Mul p x',
      'q = Mul p3 4.4715',
      'r = Add x q',
      's = Mul r 0.7978846',
      't = Tanh s',
      'u = Add t 1',
      'v = Mul x u',
      'y = Mul v 0.5',
    ],
    bound: 1.36,
    tight: 0.9,
  },
  { name: 'SiLU', lines: ['a = Sigmoid x', 'y = Mul x a'], bound: swish, tight: 0.9, scale: 3 },
  {
    name: 'QuickGelu',
    lines: ['i = Mul x 1.702', 'a = Sigmoid i', 'y = Mul a x'],
    bound: swish,
    tight: 0.9,
    scale: 3,
  },
  {
    name: 'SiLU of a shifted tensor',
    lines: ['b = Add x 7', 'a = Sigmoid b', 'y = Mul b a'],
    bound: swish,
    tight: 0.9,
    scale: 12,
  },
  {
    name: 'SiLU with the logistic function written out',
    lines: ['n = Neg x', 'e = Exp n', 'd = Add e 1', 'y = Reciprocal d'],
    bound: 0.25,
    tight: 0.95,
  },
  {
    name: 'a product of different tensors',
    lines: ['t = Tanh x', 'a = Sigmoid x', 'b = Softplus x', 'y = Mul b a'],
    bound: Infinity,
  },
  {
    name: 'HardSwish by Clip',
    lines: ['a = Add x 3', 'b = Clip a 0 6', 'c = Mul x b', 'y = Div c 6'],
    bound: 1.5,
    tight: 0.9,
    scale: 6,
  },
  {
    name: 'HardSwish of an affine tensor, as Paddle writes it',
    lines: ['m = Mul x 2', 's = Add m 0.5', 'a = Add s 3', 'b = Clip a 0 6', 'c = Mul s b', 'y = Div c 6'],
    bound: 3,
    tight: 0.9,
    scale: 4,
  },
  {
    name: 'HardSwish by HardSigmoid',
    lines: ['a = HardSigmoid x', 'y = Mul x a'],
    attributes: { a: { alpha: 1 / 6, beta: 0.5 } },
    bound: 1.5,
    tight: 0.9,
    scale: 6,
  },
  {
    name: 'a look-alike of HardSwish that clips at 60',
    lines: ['a = Add x 3', 'b = Clip a 0 60', 'c = Mul x b', 'y = Div c 6'],
    bound: 19.5,
    tight: 0.8,
    scale: 70,
  },
  {
    name: 'Mish',
    lines: ['a = Softplus x', 'b = Tanh a', 'y = Mul x b'],
    bound: 1.0884982,
    tight: 0.9,
    scale: 3,
  },
  {
    name: 'Mish by exponentials',
    lines: ['e = Exp x', 'o = Add e 1', 'a = Log o', 'b = Tanh a', 'y = Mul x b'],
    bound: 1.0884982,
  },
  { name: 'softplus', lines: ['e = Exp x', 'o = Add 1 e', 'y = Log o'], bound: 1, tight: 0.6, scale: 3 },
  {
    name: 'softmax with the maximum taken off',
    lines: ['m = ReduceMax x', 's = Sub x m', 'e = Exp s', 't = ReduceSum e axes', 'y = Div e t'],
    attributes: { m: { axes: [1] } },
    constants: { axes: int64s([1]) },
    bound: 0.5,
    tight: 0.5,
    scale: 3,
  },
  {
    name: 'a look-alike of softmax that divides by sums along another axis',
    lines: ['e = Exp x', 't = ReduceSum e axes', 'f = Reshape t shape', 'y = Div e f'],
    constants: { axes: int64s([1]), shape: int64s([1, 4]) },
    attributes: { t: { keepdims: 0 } },
    x: [4, 4],
    bound: Infinity,
  },
  {
    name: 'LayerNorm as PyTorch writes it',
    lines: [
      'm = ReduceMean x',
      'd = Sub x m',
      'p = Pow d 2',
      'v = ReduceMean p',
      'w = Add v 0.00001',
      's = Sqrt w',
      'n = Div d s',
      'g = Mul n gamma',
      'y = Add g 1',
    ],
    attributes: { m: mean, v: mean },
    constants: { gamma },
    bound: 3 * slope,
    tight: 0.9,
    scale: 1e-3,
  },
  {
    name: 'LayerNorm with a second difference and a product',
    lines: [
      'm = ReduceMean x',
      'd = Sub x m',
      'd2 = Sub x m',
      'p = Mul d2 d2',
      'v = ReduceMean p',
      'w = Add v 0.00001',
      's = Sqrt w',
      'r = Reciprocal s',
      'y = Mul d r',
    ],
    attributes: { m: mean, v: mean },
    bound: slope,
    tight: 0.9,
    scale: 1e-3,
  },
  {
    name: 'LayerNorm as TensorFlow writes it',
    lines: [
      'm = ReduceMean x',
      'd = Sub x m',
      'p = Mul d d',
      'v = ReduceMean p',
      'w = Add v 0.00001',
      's = Sqrt w',
      'r = Reciprocal s',
      'k = Mul r gamma',
      'xs = Mul x k',
      'ms = Mul m k',
      'b = Sub gamma ms',
      'y = Add xs b',
    ],
    attributes: { m: mean, v: mean },
    constants: { gamma },
    bound: 3 * slope,
    tight: 0.9,
    scale: 1e-3,
  },
  {
    name: 'LayerNorm by sums, the variance as a difference of means',
    lines: [
      't = ReduceSum x axes',
      'm = Mul t 0.125',
      'sq = Mul x x',
      't2 = ReduceSum sq axes',
      'm2 = Mul t2 0.125',
      'mm = Mul m m',
      'v = Sub m2 mm',
      'v0 = Max v 0',
      'v1 = Reshape v0 shape',
      'm1 = Reshape m shape',
      'w = Add v1 0.00001',
      's = Sqrt w',
      'r = Reciprocal s',
      'd = Sub x m1',
      'y = Mul d r',
    ],
    attributes: { t: { keepdims: 0 }, t2: { keepdims: 0 } },
    constants: { axes: int64s([1]), shape: int64s([1, 1]) },
    bound: slope,
    tight: 0.9,
    scale: 1e-3,
  },
  {
    name: 'a look-alike of LayerNorm whose variance is that of another axis',
    lines: [
      'm = ReduceMean x',
      'd = Sub x m',
      'p = Pow d 2',
      'v = ReduceMean p',
      'w = Add v 0.00001',
      's = Sqrt w',
      'n = Div d s',
      'y = Mul n 1',
    ],
    attributes: { m: mean, v: { axes: [0] } },
    x: [1, 8],
    bound: slope,
    scale: 1e-3,
  },
  {
    name: 'a look-alike of LayerNorm with an ε below 0',
    lines: [
      'm = ReduceMean x',
      'd = Sub x m',
      'p = Pow d 2',
      'v = ReduceMean p',
      'w = Add v -0.00001',
      's = Sqrt w',
      'y = Div d s',
    ],
    attributes: { m: mean, v: mean },
    bound: Infinity,
  },
  {
    name: 'a look-alike of LayerNorm with the squares of another tensor',
    lines: [
      'm = ReduceMean x',
      'd = Sub x m',
      'z = Softplus x',
      'p = Pow z 2',
      'v = ReduceMean p',
      'w = Add v 0.00001',
      's = Sqrt w',
      'y = Div d s',
    ],
    attributes: { m: mean, v: mean },
    bound: Infinity,
  },
  {
    name: 'RMSNorm',
    lines: [
      'p = Pow x 2',
      'v = ReduceMean p',
      'w = Add v 0.00001',
      's = Sqrt w',
      'r = Div 1 s',
      'n = Mul x r',
      'y = Mul gamma n',
    ],
    attributes: { v: mean },
    constants: { gamma },
    bound: 3 * slope,
    tight: 0.9,
    scale: 1e-3,
  },
  {
    name: 'RMSNorm with a power of −½',
    lines: ['p = Mul x x', 'v = ReduceMean p', 'w = Add v 0.00001', 'r = Pow w -0.5', 'y = Mul x r'],
    attributes: { v: mean },
    bound: slope,
    tight: 0.9,
    scale: 1e-3,
  },
  {
    name: 'standardisation by σ + ε with an unbiased σ',
    lines: [
      'm = ReduceMean x',
      'd = Sub x m',
      'p = Mul d d',
      'v0 = ReduceMean p',
      'v = Mul v0 1.1428571',
      's = Sqrt v',
      'e = Add s 0.01',
      'y = Div d e',
    ],
    attributes: { m: mean, v0: mean },
    bound: 100,
    tight: 0.5,
    scale: 1e-3,
  },
  {
    name: 'L2-normalise as PyTorch writes it',
    lines: ['n = ReduceL2 x', 'c = Clip n 0.001', 'e = Expand c shape', 'y = Div x e'],
    attributes: { n: mean },
    constants: { shape: int64s([1, 8]) },
    bound: 1000,
    tight: 0.9,
    scale: 1e-4,
  },
  {
    name: 'L2-normalise by a sum of squares',
    lines: [
      'p = Mul x x',
      't = ReduceSum p axes',
      'c = Max t 0.0001',
      's = Sqrt c',
      'r = Reciprocal s',
      'y = Mul x r',
    ],
    constants: { axes: int64s([1]) },
    bound: 100,
    tight: 0.9,
    scale: 1e-3,
  },
  {
    name: 'the inverse of a standard deviation',
    lines: [
      'm = ReduceMean x',
      'd = Sub x m',
      'p = Pow d 2',
      'v = ReduceMean p',
      'w = Add v 0.25',
      's = Sqrt w',
      'y = Reciprocal s',
    ],
    attributes: { m: mean, v: mean },
    bound: Math.sqrt(1 / 8) / 0.25,
    tight: 0.2,
  },
  {
    name: 'the inverse of a norm that is repeated',
    lines: ['n = ReduceL2 x', 'c = Clip n 0.5', 'e = Expand c shape', 'y = Reciprocal e'],
    attributes: { n: mean },
    constants: { shape: int64s([1, 8]) },
    bound: 4 * Math.sqrt(8),
    tight: 0.2,
  },
  {
    name: 'a standard deviation',
    lines: ['m = ReduceMean x', 'd = Sub x m', 'p = Pow d 2', 'v = ReduceMean p', 'y = Sqrt v'],
    attributes: { m: mean, v: mean },
    bound: Math.sqrt(1 / 8),
    tight: 0.8,
  },
  {
    name: 'a magnitude of two tensors',
    lines: [
      'a = Slice x 0i 4i 1i',
      'b = Slice x 4i 8i 1i',
      'p = Mul a a',
      'q = Pow b 2',
      's = Add p q',
      'e = Add s 0.000001',
      'y = Sqrt e',
    ],
    constants: { '0i': int64s([0]), '4i': int64s([4]), '8i': int64s([8]), '1i': int64s([1]) },
    bound: Math.SQRT2,
    tight: 0.6,
  },
  {
    name: 'a look-alike of a magnitude that takes a number off',
    lines: ['p = Mul x x', 'q = Mul x x', 's = Add p q', 'e = Add s -0.5', 'y = Sqrt e'],
    bound: Infinity,
  },
  {
    name: 'L2-normalise without a limit',
    lines: ['n = ReduceL2 x', 'y = Div x n'],
    attributes: { n: mean },
    bound: Infinity,
  },
]

describe('decomposed forms', () => {
  it.each(cases)('$name', async (one) => {
    const spec = specOf(one)
    const bound = bestOf(await boundModel(spec))
    if (one.bound === Infinity) return expect(bound).toBe(Infinity)
    expect(bound).toBeLessThanOrEqual(one.bound * 1.002)
    const network = await openNetwork(model(spec), { x: one.x ?? [1, 8] })
    const secants = await steepestSecants(network, { seed: 5, points: 8, scale: one.scale ?? 1 })
    await network.release()
    expect(steepest(secants)).toBeLessThanOrEqual(bound * (1 + 1e-4))
    expect(steepest(secants)).toBeGreaterThanOrEqual((one.tight ?? 0.3) * bound)
  })
})
