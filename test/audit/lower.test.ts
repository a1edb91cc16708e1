import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { model, node, tensor, writeTemporary } from '../helpers/onnx-builder.ts'

/** y = |W·x|: its constant is ‖W‖₂ = 2. */
const path = writeTemporary(
  model({
    inputs: { x: [1, 2] },
    outputs: { y: { type: 'float32', shape: null } },
    initializers: { w: tensor([2, 2], Float32Array.of(2, 0, 0, 1)) },
    nodes: [node('MatMul', ['x', 'w'], ['z']), node('Abs', ['z'], ['y'])],
  }),
)

const auditWith = async (options: Parameters<typeof audit>[1]) =>
  (await audit(path, { threads: 1, ...options })).models[0]

describe('the lower bound of an audit', () => {
  it('is in the report, of the network and of its one output', async () => {
    const { lipschitz, outputs } = await auditWith({})
    expect(lipschitz.lower).toMatchObject({ method: 'jacobian' })
    expect(lipschitz.lower!.value).toBeGreaterThan(2 - 1e-6)
    expect(lipschitz.lower!.value).toBeLessThanOrEqual(2)
    expect(outputs[0].lipschitz!.lower).toEqual(lipschitz.lower)
  })

  it('makes a limit below it fail, and one above it pass or stay open', async () => {
    expect((await auditWith({ maxLipschitz: 1.9 })).gates[0]).toMatchObject({
      rule: 'max-lipschitz',
      verdict: 'fail',
    })
    expect((await auditWith({ maxLipschitz: 2.1 })).gates[0]).toMatchObject({ verdict: 'pass' })
  })

  it('is of the domain alone', async () => {
    // within [1, 2] the first element is above 0, and so is all that Abs sees
    const { lipschitz } = await auditWith({ inputRanges: [{ input: null, lo: 1, hi: 2 }] })
    expect(lipschitz.lower!.value).toBeLessThanOrEqual(2)
  })

  it('is that of the norm, reached by its own directions', async () => {
    // y = (x₁, x₂ − 3x₁): the second row and the first column add up to 4
    const skewed = writeTemporary(
      model({
        inputs: { x: [1, 2] },
        outputs: { y: { type: 'float32', shape: null } },
        initializers: { w: tensor([2, 2], Float32Array.of(1, -3, 0, 1)) },
        nodes: [node('MatMul', ['x', 'w'], ['z']), node('Abs', ['z'], ['y'])],
      }),
    )
    for (const [norm, constant] of [
      ['linf', 4],
      ['l1', 4],
    ] as const) {
      const { lipschitz } = (await audit(skewed, { threads: 1, norm })).models[0]
      expect(lipschitz.lower!.value).toBeLessThanOrEqual(constant)
      expect(lipschitz.lower!.value).toBeGreaterThan(constant * (1 - 1e-6))
      expect(lipschitz.lower!.value).toBeLessThanOrEqual(lipschitz.upper.value!)
    }
  })

  it('is given for each output by the same points', async () => {
    const two = writeTemporary(
      model({
        inputs: { x: [1, 2] },
        outputs: { y: { type: 'float32', shape: null }, z: { type: 'float32', shape: null } },
        initializers: {
          w: tensor([2, 2], Float32Array.of(2, 0, 0, 1)),
          v: tensor([2, 2], Float32Array.of(0.5, 0, 0, 0.5)),
        },
        nodes: [node('MatMul', ['x', 'w'], ['y']), node('MatMul', ['x', 'v'], ['z'])],
      }),
    )
    const { lipschitz, outputs } = (await audit(two, { threads: 1 })).models[0]
    expect(lipschitz.lower!.value).toBeCloseTo(Math.sqrt(4.25), 6)
    expect(outputs.map((output) => output.lipschitz!.lower!.value)).toEqual([
      expect.closeTo(2, 6),
      expect.closeTo(0.5, 6),
    ])
  })
})
