import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../../helpers/bounds.ts'
import { float, model, node, tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases, numbers } from '../../helpers/rule-cases.ts'

const range = [-2, 2] as const
const angles = [1, 2, 3, 4, 5, 6]

describeCases('attention', [
  {
    name: 'Attention with one input for all three',
    op: 'Attention',
    opset: 23,
    x: [1, 1, 3, 4],
    inputs: ['x', 'x', 'x'],
    range,
  },
  {
    name: 'Attention of three inputs with heads side by side, scaled',
    op: 'Attention',
    opset: 23,
    x: [1, 3, 4],
    more: { k: [1, 5, 4], v: [1, 5, 2] },
    attributes: { q_num_heads: 2, kv_num_heads: 2, scale: float(2) },
    range,
    tight: 0.01,
  },
  {
    name: 'Attention whose heads share keys and values',
    op: 'Attention',
    opset: 23,
    x: [1, 4, 2, 3],
    more: { k: [1, 2, 4, 3], v: [1, 2, 4, 3] },
    attributes: { is_causal: 1 },
    range,
    tight: 0.01,
  },
  {
    name: 'MultiHeadAttention with a bias',
    op: 'MultiHeadAttention',
    domain: 'com.microsoft',
    x: [1, 3, 4],
    more: { k: [1, 3, 4], v: [1, 3, 4] },
    constants: { bias: numbers([12]) },
    attributes: { num_heads: 2 },
    range,
    tight: 0.01,
  },
  {
    name: 'Attention with a merged weight',
    op: 'Attention',
    domain: 'com.microsoft',
    x: [1, 3, 4],
    constants: { w: numbers([4, 12]), b: numbers([12]) },
    attributes: { num_heads: 2 },
    range,
    tight: 0.005,
  },
  {
    name: 'RotaryEmbedding',
    op: 'RotaryEmbedding',
    opset: 23,
    x: [1, 1, 3, 4],
    constants: {
      cosines: tensor([1, 3, 2], angles.map(Math.cos)),
      sines: tensor([1, 3, 2], angles.map(Math.sin)),
    },
    exact: 1,
    tight: 0.9,
  },
  {
    name: 'RotaryEmbedding by tables that are no angles',
    op: 'RotaryEmbedding',
    opset: 23,
    x: [1, 1, 3, 4],
    constants: { cosines: tensor([1, 3, 2], angles), sines: tensor([1, 3, 2], angles) },
    exact: Math.SQRT2 * 6,
    tight: 0.9,
  },
] satisfies readonly Case[])

describe('attention', () => {
  it('has no bound on all inputs, but behind a normalisation', async () => {
    const nodes = [node('Attention', ['x', 'x', 'x'], ['y'])]
    const spec = { opset: 23, inputs: { x: [1, 1, 3, 4] }, outputs: ['y'], nodes }
    expect(bestOf(await boundModel(spec))).toBe(Infinity)
    const normalized = [
      node('LayerNormalization', ['x', 'g'], ['n']),
      node('Attention', ['n', 'n', 'n'], ['y']),
    ]
    const bounded = { ...spec, nodes: normalized, initializers: { g: [1, 1, 1, 1] } }
    expect(model(bounded).length).toBeGreaterThan(0)
    expect(bestOf(await boundModel(bounded))).toBeLessThan(1e5)
  })
})
