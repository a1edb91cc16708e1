import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compiledMap } from '../../../src/bounds/slope/compiled.ts'
import { partsOf } from '../../../src/bounds/slope/parts.ts'
import { createRandom, gaussianVector } from '../../../src/core/random.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { scoped } from '../../../src/linalg/arena.ts'
import { type ModelSpec, model, node, tensor, writeTemporary } from '../../helpers/onnx-builder.ts'

/** The one node of a model as the slope bounds see it, with its input that varies. */
function partOf(spec: ModelSpec) {
  const typed = inferModel(readModel(writeTemporary(model(spec), 'node.onnx')))
  const parts = partsOf(
    typed,
    () => 1,
    (value) => !typed.operand(value).isConstant,
  )
  const [only] = typed.graph.nodes
  const part = parts.partOf(only)
  if (part?.kind !== 'linear') throw new Error('the node is not linear')
  const inputs = only.inputs.map((value) => (value !== null && parts.varies(value) ? 0 : -1))
  const step = { ...part, inputs, outputs: [1], rounding: 0, split: null }
  const sizes = [only.inputs[inputs.indexOf(0)]!, only.outputs[0]!].map(
    (value) => parts.sizeOf(value) as number,
  )
  return { step, at: inputs.indexOf(0), sizes, count: only.inputs.length }
}

/** Whether the compiled products are those of the node's own map, both ways, several times over. */
function expectTwins(spec: ModelSpec, seed: number): void {
  const { step, at, sizes, count } = partOf(spec)
  const random = createRandom(seed)
  scoped(() => {
    const map = compiledMap(step)
    for (let round = 0; round < 3; round++) {
      const [x, y] = sizes.map((size) => gaussianVector(size, random))
      const given = Array.from({ length: count }, (_, i) => (i === at ? x : null))
      const [forward, twin] = [map.apply(given)[0]!, step.map.apply(given)[0]!]
      expect(forward.length).toBe(twin.length)
      forward.forEach((value, i) => {
        expect(value).toBeCloseTo(twin[i], 9)
      })
      const [back, backTwin] = [map.applyAdjoint([y])[at]!, step.map.applyAdjoint([y])[at]!]
      expect(back.length).toBe(backTwin.length)
      back.forEach((value, i) => {
        expect(value).toBeCloseTo(backTwin[i], 9)
      })
    }
  })
}

const numbers = (dims: readonly number[], seed: number) => {
  const random = createRandom(seed)
  const size = dims.reduce((product, dim) => product * dim, 1)
  return tensor(dims, Float32Array.from(gaussianVector(size, random)))
}

describe('compiled maps', () => {
  it.each(['Conv', 'ConvTranspose'])('of %s equal those of the node', (op) => {
    const small = fc.integer({ min: 1, max: 3 })
    const shape = fc.record({
      groups: fc.integer({ min: 1, max: 2 }),
      into: small,
      made: fc.integer({ min: 3, max: 6 }),
      kernel: small,
      stride: small,
      dilation: fc.integer({ min: 1, max: 2 }),
      pad: fc.integer({ min: 0, max: 1 }),
      side: fc.integer({ min: 7, max: 9 }),
      seed: fc.nat(),
    })
    const property = fc.property(
      shape,
      ({ groups, into, made, kernel, stride, dilation, pad, side, seed }) => {
        const channels = into * groups
        const dims = op === 'Conv' ? [made * groups, into, kernel, kernel] : [channels, made, kernel, kernel]
        expectTwins(
          {
            inputs: { x: [1, channels, side, side - 1] },
            outputs: { y: { type: 'float32', shape: null } },
            initializers: { w: numbers(dims, seed) },
            nodes: [
              node(op, ['x', 'w'], ['y'], {
                strides: [stride, stride],
                dilations: [dilation, dilation],
                pads: [pad, 0, pad, pad],
                group: groups,
                kernel_shape: [kernel, kernel],
              }),
            ],
          },
          seed,
        )
      },
    )
    fc.assert(property, { numRuns: 25 })
  })

  it('of matrices equal those of the node, on whichever side they stand', () => {
    const size = fc.integer({ min: 1, max: 9 })
    const layout = fc.constantFrom('gemm', 'gemmT', 'alpha', 'right', 'left')
    const property = fc.property(size, size, layout, fc.nat(), (columns, rows, kind, seed) => {
      const weights = numbers(kind === 'right' || kind === 'gemm' ? [columns, rows] : [rows, columns], seed)
      const attributes: Record<string, number> =
        kind === 'gemmT' ? { transB: 1 } : kind === 'alpha' ? { transB: 1, alpha: -2.5 } : {}
      const isProduct = kind === 'left' || kind === 'right'
      expectTwins(
        {
          inputs: { x: kind === 'left' ? [columns, 1] : [1, columns] },
          outputs: { y: { type: 'float32', shape: null } },
          initializers: { w: weights },
          nodes: [
            node(isProduct ? 'MatMul' : 'Gemm', kind === 'left' ? ['w', 'x'] : ['x', 'w'], ['y'], attributes),
          ],
        },
        seed,
      )
    })
    fc.assert(property, { numRuns: 80 })
  })
})
