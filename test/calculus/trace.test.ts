import { readFileSync } from 'node:fs'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { createNetwork, type Network } from '../../src/calculus/network.ts'
import { type Trace, traceAt } from '../../src/calculus/trace.ts'
import { LipschitzError } from '../../src/core/errors.ts'
import { createRandom, gaussianVector } from '../../src/core/random.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { conformanceCases, conformanceDataExists } from '../helpers/conformance.ts'

/** Models whose example lies at a kink or at the end of the domain: no difference gives the derivative there. */
const kinks = new Set([
  'test_acosh_example',
  'test_dynamicquantizelinear_min_adjusted_expanded',
  'test_elu_example',
  'test_leakyrelu_example',
  'test_pow',
  'test_reduce_min_default_axes_keepdims_example',
  'test_selu_example',
  'test_operator_sqrt',
  'test_operator_pow',
  'test_thresholdedrelu_example',
])

interface Example {
  readonly name: string
  readonly operators: readonly string[]
  readonly bytes: Uint8Array
  readonly dims: readonly number[]
  readonly value: Float32Array
  readonly network: Network
  readonly trace: Trace
}

/** The models of the collection that can be followed, at the inputs that come with them. */
function examples(): Example[] {
  return conformanceCases().flatMap(({ name, operators, withOneInput }) => {
    try {
      const one = withOneInput()
      if (one === null) return []
      const bytes = readFileSync(one.path)
      const typed = inferModel(readModel(one.path))
      const { inputs, outputs } = typed.graph
      const floats = outputs.filter((output) => typed.operand(output).type === 'float32' && output.producer)
      if (floats.length === 0) return []
      const network = createNetwork(typed, inputs, floats)
      const trace = traceAt(network, [Float64Array.from(one.value)])
      return [{ name, operators, bytes, dims: one.dims, value: one.value, network, trace }]
    } catch (error) {
      // Operators without a value or a derivative here are refused; anything else is a bug.
      if (error instanceof LipschitzError) return []
      throw error
    }
  })
}

const followed = examples()
const inner = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0)

describe.skipIf(!conformanceDataExists)('traces of the conformance models', () => {
  it('follow most operators', () => {
    const operators = new Set(followed.flatMap((example) => example.operators))
    expect(followed.length).toBeGreaterThan(500)
    const expected =
      'LSTM GRU RNN Softmax LogSoftmax LayerNormalization MaxPool Max Min Pow Scan PRelu Clip LRN'
    for (const op of expected.split(' ')) expect(operators).toContain(op)
  })

  it('have the values that onnxruntime computes', async () => {
    let compared = 0
    for (const { name, bytes, dims, value, network, trace } of followed) {
      const options = { logSeverityLevel: 4, intraOpNumThreads: 1 } as const
      const session = await InferenceSession.create(bytes, options).catch(() => null)
      const feed = () => ({ [session!.inputNames[0]]: new RuntimeTensor('float32', value, dims) })
      // A few models of the collection are too new for this runtime, or do not fit their own inputs.
      const results = session && (await session.run(feed()).catch(() => null))
      await session?.release()
      if (results === null) continue
      network.outputs.forEach((output, i) => {
        const expected = results[output.name].data as Float32Array
        if (expected.some(Number.isNaN)) return
        const actual = trace.outputs[i].data
        expect(actual.length, name).toBe(expected.length)
        const error = expected.reduce(
          (most, x, at) => Math.max(most, Math.abs(x - actual[at]) / (1 + Math.abs(x))),
          0,
        )
        expect(error, name).toBeLessThan(1e-3)
      })
      compared++
    }
    expect(compared).toBeGreaterThan(450)
  })

  it('have the derivatives that differences give, and their adjoints', () => {
    for (const { name, value, network, trace } of followed) {
      if (kinks.has(name)) continue
      const x = Float64Array.from(value)
      const direction = gaussianVector(x.length, createRandom(3))
      const step = 1e-6
      const [ahead, behind] = [step, -step].map((h) =>
        traceAt(network, [x.map((e, i) => e + h * direction[i])]),
      )
      const image = trace.jacobian.apply([direction])
      const weights = trace.outputs.map(({ data }, i) => gaussianVector(data.length, createRandom(4 + i)))
      const pulled = trace.jacobian.applyAdjoint(weights)
      let left = 0
      trace.outputs.forEach(({ data }, i) => {
        const slopes = Float64Array.from(data, (_, k) => {
          return (ahead.outputs[i].data[k] - behind.outputs[i].data[k]) / (2 * step)
        })
        const own = image[i] ?? new Float64Array(data.length)
        const error = slopes.reduce(
          (most, s, k) => Math.max(most, Math.abs(s - own[k]) / (1 + Math.abs(s))),
          0,
        )
        expect(error, name).toBeLessThan(1e-4)
        left += inner(own, weights[i])
      })
      const right = pulled[0] === null ? 0 : inner(pulled[0], direction)
      expect(Math.abs(left - right), name).toBeLessThan(1e-8 * (1 + Math.abs(left)))
    }
  })
})
