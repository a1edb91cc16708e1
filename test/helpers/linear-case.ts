/** Holds the bound of one linear operator against the norm of the matrix that onnxruntime computes with. */
import { expect } from 'vitest'
import { bestOf, boundModel } from './bounds.ts'
import { linearPart, type Matrix } from './linear-part.ts'
import { type AttributeValue, type Message, type ModelSpec, model, node } from './onnx-builder.ts'

/** A linear operator with random attributes on data of a random shape. */
export interface Linear {
  readonly op: string
  readonly x: readonly number[]
  readonly inputs?: readonly string[]
  readonly constants?: Readonly<Record<string, Message>>
  readonly attributes?: Record<string, AttributeValue>
  readonly domain?: string
  readonly opset?: number
  /** Bound over norm at most; 1 where the rule is exact. */
  readonly slack?: number
}

/** ‖A‖₂ by power iteration. */
export function spectralNorm({ rows, columns, data }: Matrix): number {
  let x = Float64Array.from({ length: columns }, (_, i) => 1 + 0.3 * Math.sin(i + 1))
  let squared = 0
  for (let step = 0; step < 400; step++) {
    const image = Float64Array.from({ length: rows }, (_, i) =>
      x.reduce((sum, value, j) => sum + value * data[i * columns + j], 0),
    )
    const back = Float64Array.from({ length: columns }, (_, j) =>
      image.reduce((sum, value, i) => sum + value * data[i * columns + j], 0),
    )
    squared = Math.sqrt(back.reduce((sum, value) => sum + value * value, 0))
    if (squared === 0) return 0
    x = back.map((value) => value / squared)
  }
  return Math.sqrt(squared)
}

export async function expectExact({
  op,
  x,
  inputs = ['x'],
  constants,
  attributes,
  slack = 1,
  domain = '',
  opset = 19,
}: Linear): Promise<void> {
  const spec: ModelSpec = {
    opset,
    inputs: { x },
    outputs: { out: { type: 'float32', shape: null } },
    initializers: constants,
    nodes: [node(op, inputs, ['out'], attributes, { domain })],
  }
  const bound = bestOf(await boundModel(spec))
  const norm = spectralNorm(await linearPart(model(spec), x))
  expect(bound).toBeGreaterThanOrEqual(norm * (1 - 1e-5))
  expect(bound).toBeLessThanOrEqual(norm * slack * (1 + 1e-3) + 1e-6)
}
