import { describe, expect, it } from 'vitest'
import { boundModel, constantOf } from '../../helpers/bounds.ts'
import { float, type ModelSpec, model, node } from '../../helpers/onnx-builder.ts'
import { openNetwork, steepest, steepestSecants } from '../../helpers/slope.ts'

/** Normalisations whose parameters are inputs, too. */
const cases = [
  { op: 'LayerNormalization', shapes: { x: [3, 6], g: [6], b: [6] }, tight: 0.2 },
  { op: 'LayerNormalization', shapes: { x: [2, 3, 4], g: [4], b: [4] }, tight: 0.2 },
  { op: 'InstanceNormalization', shapes: { x: [2, 3, 5], g: [3], b: [3] }, tight: 0.1 },
] satisfies readonly { op: string; shapes: Record<string, readonly number[]>; tight: number }[]

const specOf = (op: string, inputs: ModelSpec['inputs']): ModelSpec => ({
  inputs,
  nodes: [node(op, ['x', 'g', 'b'], ['y'], { epsilon: float(0.05) })],
  outputs: { y: { type: 'float32', shape: null } },
  opset: 18,
})

const domain = (reach: number, inputs: object) =>
  new Map(Object.keys(inputs).map((name) => [name, { lo: -reach, hi: reach }]))

describe('normalisations whose scales and shifts vary', () => {
  it.each(cases)('$op of $shapes.x: no secant is steeper than the bound', async ({ op, shapes, tight }) => {
    const spec = specOf(op, shapes)
    const claimed = constantOf((await boundModel(spec, { inputRanges: domain(1, shapes) })).best.joint)
    const network = await openNetwork(model(spec), shapes)
    const found = [
      ...(await steepestSecants(network, { seed: 4, points: 12, scale: 0.1, center: 0.1 })),
      ...(await steepestSecants(network, { seed: 5, points: 6, scale: 0.1, center: 0.1, flat: true })),
    ]
    await network.release()
    expect(steepest(found)).toBeLessThanOrEqual(claimed)
    expect(steepest(found)).toBeGreaterThan(tight * claimed)
  })

  it('has no bound where the scale has none', async () => {
    const { best } = await boundModel(specOf('LayerNormalization', { x: [3, 6], g: [6], b: [6] }))
    expect(best.joint.refusal?.reason).toContain('without proven bounds')
  })

  it('counts a shift as often as it is added', async () => {
    const spec = specOf('LayerNormalization', { x: [3, 6], g: [6], b: [6] })
    const options = { inputs: ['b'], inputRanges: domain(1, { b: [6] }) }
    const { best } = await boundModel(spec, options)
    // the scale is held fixed, and nothing is known of it: only the shift varies
    expect(Math.abs(constantOf(best.joint) - Math.sqrt(3))).toBeLessThan(1e-9)
  })
})
