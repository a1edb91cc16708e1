import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../../helpers/bounds.ts'
import { int64s, model, node } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases } from '../../helpers/rule-cases.ts'
import { openNetwork, steepest, steepestSecants } from '../../helpers/slope.ts'

const domain = 'ai.onnx.ml'
const machine = {
  n_supports: 3,
  coefficients: [0.7, -1.2, 0.5],
  support_vectors: [0.1, 0.2, -0.3, 0.4, 0.5, -0.6, -0.7, 0.8, 0.9],
  rho: [0.25],
}

describeCases('support vector machines', [
  {
    name: 'of a linear kernel',
    op: 'SVMRegressor',
    domain,
    x: [2, 3],
    attributes: { ...machine, kernel_type: 'LINEAR', kernel_params: [0.5, 0.5, 3] },
    exact: Math.hypot(0.07 - 0.48 - 0.35, 0.14 - 0.6 + 0.4, -0.21 + 0.72 + 0.45),
    tight: 0.95,
  },
  {
    name: 'without support vectors',
    op: 'SVMRegressor',
    domain,
    x: [2, 3],
    attributes: { coefficients: [0.6, -0.8, 0.1], rho: [0.5], kernel_params: [0.5, 0.5, 3] },
    exact: Math.hypot(0.6, 0.8, 0.1),
    tight: 0.95,
  },
  ...(['RBF', 'SIGMOID'] as const).map((kernel_type) => ({
    name: `of kernel ${kernel_type}`,
    op: 'SVMRegressor',
    domain,
    x: [1, 3],
    attributes: { ...machine, kernel_type, kernel_params: [0.5, 0.25, 3.5] },
    tight: 0.2,
  })),
  {
    name: 'of one support vector and RBF, whose constant is attained',
    op: 'SVMRegressor',
    domain,
    x: [1, 3],
    attributes: {
      n_supports: 1,
      coefficients: [2.5],
      support_vectors: [0.1, 0.2, 0.3],
      rho: [0.5],
      kernel_type: 'RBF',
      kernel_params: [0.5, 0.5, 3.5],
    },
    exact: 2.5 * Math.sqrt(1 / Math.E),
    tight: 0.9,
  },
  {
    name: 'of a polynomial kernel',
    op: 'SVMRegressor',
    domain,
    x: [1, 3],
    attributes: {
      ...machine,
      kernel_type: 'POLY',
      kernel_params: [0.5, 0.25, 3.0001].map((v, i) => (i === 2 ? 3 : v)),
    },
    range: [-1.5, 1.5],
    tight: 0.02,
  },
] satisfies readonly Case[])

describe('features', () => {
  const boundOf = async (op: string, attributes: Record<string, number | number[]>, inputs = ['x']) =>
    bestOf(
      await boundModel({
        inputs: { x: [2, 3] },
        outputs: ['y'],
        initializers: { i: int64s([0, 2, 0]) },
        nodes: [node(op, inputs, ['y'], attributes, { domain })],
        opsets: { '': 15, [domain]: 3 },
      }),
    )

  it('are mended where they are NaN, which changes no number', async () => {
    const imputed = { imputed_value_floats: [0.5] }
    expect(await boundOf('Imputer', { ...imputed, replaced_value_float: Number.NaN })).toBe(1)
    expect(await boundOf('Imputer', { ...imputed, replaced_value_float: -0.5 })).toBe(Infinity)
  })

  it('are taken several times', async () => {
    expect(await boundOf('ArrayFeatureExtractor', {}, ['x', 'i'])).toBeCloseTo(Math.SQRT2, 12)
  })
})

describe('classifiers by support vectors', () => {
  const spec = (attributes: Record<string, number | string | number[]>) => ({
    inputs: { x: [1, 2] },
    outputs: { label: { type: 'int64', shape: null }, scores: { type: 'float32', shape: null } } as const,
    nodes: [node('SVMClassifier', ['x'], ['label', 'scores'], attributes, { domain })],
    opsets: { '': 15, [domain]: 3 },
  })
  const attributes = {
    kernel_type: 'LINEAR',
    kernel_params: [0.5, 0.5, 3],
    classlabels_ints: [0, 1],
    vectors_per_class: [1, 1],
    support_vectors: [1.5, 0.5, -0.5, 1.25],
    coefficients: [1.5, -0.5],
    rho: [0.25],
  }

  it('have no bound of their labels, but one of their scores', async () => {
    const all = await boundModel(spec(attributes), { outputs: ['label'] })
    expect(bestOf(all)).toBe(Infinity)
    expect(bestOf(await boundModel(spec(attributes)))).toBeCloseTo(
      Math.SQRT2 * Math.hypot(1.5 * 1.5 + 0.25, 0.75 - 0.625),
      5,
    )
  })

  it('change no more between three classes, as onnxruntime decides', async () => {
    const three = {
      kernel_type: 'RBF',
      kernel_params: [0.5, 0.5, 3.5],
      classlabels_ints: [0, 1, 2],
      vectors_per_class: [2, 1, 1],
      support_vectors: [1.5, 0.5, -0.5, 1.25, 0.25, -0.75, -1.5, 0.5],
      coefficients: [1.5, 0.5, -2.5, -0.5, 0.25, 1.75, 2.25, -3.5],
      rho: [0.25, -0.5, 0.125],
    }
    const bound = bestOf(await boundModel(spec(three)))
    const network = await openNetwork(model(spec(three)), { x: [1, 2] }, { outputs: ['scores'] })
    const secants = await steepestSecants(network, { seed: 5, points: 6, scale: 1 })
    await network.release()
    expect(steepest(secants)).toBeLessThanOrEqual(bound)
    expect(steepest(secants)).toBeGreaterThan(0.1 * bound)
  })

  it('have none of probabilities, which an iteration couples', async () => {
    expect(bestOf(await boundModel(spec({ ...attributes, prob_a: [-1.5], prob_b: [0.25] })))).toBe(Infinity)
  })
})
