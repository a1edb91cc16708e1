import { readFileSync } from 'node:fs'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { isObstacle, linearRegion } from '../../src/calculus/linear-region.ts'
import { createRandom, gaussianVector } from '../../src/core/random.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { conformanceCases, conformanceDataExists } from '../helpers/conformance.ts'

const affine = conformanceCases()
  .filter(({ operators }) => operators.length <= 3)
  .flatMap((example) => {
    const one = example.withOneInput()
    if (one === null) return []
    try {
      const typed = inferModel(readModel(one.path))
      const outputs = typed.graph.outputs.filter((output) => typed.operand(output).type === 'float32')
      const region = outputs.length === 0 ? null : linearRegion(typed, typed.graph.inputs, outputs)
      const { dims, value } = one
      // The next case writes to the same file.
      const bytes = readFileSync(one.path)
      return region === null || isObstacle(region)
        ? []
        : [{ ...example, bytes, dims, value, region, outputs }]
    } catch {
      return []
    }
  })

const inner = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0)

describe.skipIf(!conformanceDataExists)('linear regions of the conformance models', () => {
  it('are many', () => {
    const operators = new Set(affine.flatMap((example) => example.operators))
    expect(affine.length).toBeGreaterThan(200)
    for (const op of 'Add Sub Mul Div MatMul Gemm Conv ConvTranspose AveragePool Resize Concat Split'.split(
      ' ',
    ))
      expect(operators).toContain(op)
  })

  it('have the adjoint that they should', () => {
    for (const { name, region } of affine) {
      const random = createRandom(1)
      const x = region.sourceSizes.map((size) => gaussianVector(size, random))
      const y = region.targetSizes.map((size) => gaussianVector(size, random))
      const image = region.apply(x)
      const pulled = region.applyAdjoint(y)
      const left = image.reduce((sum, part, i) => sum + (part === null ? 0 : inner(part, y[i])), 0)
      const right = pulled.reduce((sum, part, i) => sum + (part === null ? 0 : inner(part, x[i])), 0)
      expect(Math.abs(left - right), name).toBeLessThan(1e-9 * (1 + Math.abs(left)))
    }
  })

  it('are the differences that onnxruntime computes', async () => {
    let compared = 0
    for (const { name, bytes, region, value, dims, outputs, ...example } of affine) {
      const session = await InferenceSession.create(bytes, {
        logSeverityLevel: 4,
        intraOpNumThreads: 1,
      }).catch(() => null)
      if (session === null) continue
      const run = async (x: Float32Array) =>
        session.run({ [session.inputNames[0]]: new RuntimeTensor('float32', x, dims) })
      const change = Float32Array.from(gaussianVector(value.length, createRandom(2)))
      try {
        const before = await run(value).catch(() => null)
        // A few models of the collection do not fit their own inputs.
        if (before === null) continue
        const after = await run(value.map((x, i) => x + change[i]))
        const image = region.apply([Float64Array.from(change)])
        outputs.forEach((output, i) => {
          const [a, b] = [before, after].map((results) => results[output.name].data as Float32Array)
          const expected = Float64Array.from(a, (_, at) => b[at] - a[at])
          const scale = 1e-4 * a.reduce((most, x, at) => Math.max(most, Math.abs(x), Math.abs(b[at])), 1)
          const actual = image[i] ?? new Float64Array(expected.length)
          expect(actual.length, name).toBe(expected.length)
          const error = actual.reduce((most, x, at) => Math.max(most, Math.abs(x - expected[at])), 0)
          expect(error, `${name} ${example.operators}`).toBeLessThan(scale)
        })
        compared++
      } finally {
        await session.release()
      }
    }
    expect(compared).toBeGreaterThan(180)
  })
})
