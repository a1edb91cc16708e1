import { describe, expect, it } from 'vitest'
import { linearContext } from '../../../src/calculus/node-context.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { extremeOf } from '../../../src/ops/slopes/candidates.ts'
import { piecesOf, piecewiseLinearOperators, type StraightPiece } from '../../../src/ops/slopes/pieces.ts'
import {
  type AttributeValue,
  float,
  type Message,
  model,
  node,
  tensor,
  writeTemporary,
} from '../../helpers/onnx-builder.ts'
import { openNetwork } from '../../helpers/slope.ts'

const size = 41
const points = Float32Array.from({ length: size }, (_, i) => (i - 20) / 4)

interface Case {
  readonly op: string
  readonly attributes?: Record<string, AttributeValue>
  readonly constants?: Readonly<Record<string, Message>>
  readonly opset?: number
}

const cases: readonly Case[] = [
  { op: 'Relu' },
  { op: 'Abs' },
  { op: 'LeakyRelu' },
  { op: 'LeakyRelu', attributes: { alpha: float(-1.5) } },
  { op: 'LeakyRelu', attributes: { alpha: float(1) } },
  {
    op: 'PRelu',
    constants: {
      s: tensor(
        [size],
        Array.from(points, (x) => x / 3),
      ),
    },
  },
  { op: 'PRelu', constants: { s: tensor([1], [0.75]) } },
  { op: 'Clip', constants: { lo: tensor([], [-1.25]), hi: tensor([], [2]) } },
  { op: 'Clip', constants: { lo: tensor([], [0.5]) } },
  { op: 'Clip', attributes: { min: float(-2), max: float(0.5) }, opset: 6 },
  { op: 'Clip', constants: { lo: tensor([], [1]), hi: tensor([], [1]) } },
  { op: 'HardSigmoid' },
  { op: 'HardSigmoid', attributes: { alpha: float(0.75), beta: float(0.125) } },
  { op: 'ThresholdedRelu', attributes: { alpha: float(0) } },
  { op: 'Shrink', attributes: { bias: float(1.5), lambd: float(1.5) } },
]

function specOf({ op, attributes = {}, constants = {}, opset }: Case) {
  return {
    inputs: { x: [1, size] },
    outputs: { y: [1, size] },
    initializers: constants,
    nodes: [node(op, ['x', ...Object.keys(constants)], ['y'], attributes)],
    ...(opset === undefined ? {} : { opset }),
  }
}

function contextOf(bytes: Uint8Array) {
  const typed = inferModel(readModel(writeTemporary(bytes, 'node.onnx'), {}), {})
  const context = linearContext(typed, typed.graph.nodes[0], (value) => typed.graph.inputs.includes(value))
  if (context === null) throw new Error('the operator is not known')
  return context
}

/** The function by its pieces: neighbours meet where both have the same value. */
function valueAt(pieces: readonly StraightPiece[], z: number): number {
  let at = 0
  while (at < pieces.length - 1) {
    const [left, right] = [pieces[at], pieces[at + 1]]
    if (z < (left.offset - right.offset) / (right.slope - left.slope)) break
    at++
  }
  return pieces[at].slope * z + pieces[at].offset
}

describe('piecewise linear functions', () => {
  it.each(cases)('$op $attributes is what onnxruntime computes', async (one) => {
    const bytes = model(specOf(one))
    const pieces = piecesOf(contextOf(bytes))
    const network = await openNetwork(bytes, { x: [1, size] })
    const results = await network.run(points)
    await network.release()
    results.forEach((result, i) => {
      expect(valueAt(pieces!(i), points[i])).toBeCloseTo(result, 5)
    })
  })

  it('are all of those that are listed', () => {
    expect([...new Set(cases.map(({ op }) => op))].sort()).toEqual([...piecewiseLinearOperators].sort())
  })

  it.each<Case>([
    { op: 'ThresholdedRelu', attributes: { alpha: float(1) } },
    { op: 'Shrink', attributes: { bias: float(0), lambd: float(0.5) } },
    { op: 'HardSigmoid', attributes: { alpha: float(-1) } },
    { op: 'HardSwish' },
    { op: 'Elu' },
  ])('$op $attributes is none', (one) => {
    expect(piecesOf(contextOf(model(specOf(one))))).toBeNull()
  })
})

describe('maxima of single elements', () => {
  it('are those of windows, without their padding', async () => {
    const bytes = model({
      inputs: { x: [1, 2, 4, 5] },
      outputs: { y: [1, 2, 3, 2] },
      nodes: [
        node('MaxPool', ['x'], ['y'], {
          kernel_shape: [2, 3],
          strides: [2, 2],
          pads: [1, 0, 1, 0],
          dilations: [1, 1],
        }),
      ],
    })
    const extreme = extremeOf(contextOf(bytes))
    const x = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i * i))
    const network = await openNetwork(bytes, { x: [1, 2, 4, 5] })
    const results = await network.run(x)
    await network.release()
    expect(extreme?.candidates.map((list) => Math.max(...list.map(({ element }) => x[element])))).toEqual([
      ...results,
    ])
  })

  it('repeat operands as the node does', () => {
    const bytes = model({
      inputs: { x: [2, 3] },
      outputs: ['y'],
      initializers: { c: tensor([3], [1, 2, 3]) },
      nodes: [node('Min', ['x', 'c'], ['y'])],
    })
    expect(extremeOf(contextOf(bytes))).toMatchObject({
      kind: 'smallest',
      candidates: [0, 1, 2, 3, 4, 5].map((element) => [
        { input: 0, element },
        { input: 1, element: element % 3 },
      ]),
    })
  })
})
