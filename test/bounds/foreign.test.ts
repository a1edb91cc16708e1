import { describe, expect, it } from 'vitest'
import { float, type ModelSpec, model, node, tensor, writeTemporary } from '../helpers/onnx-builder.ts'
import { generator } from '../helpers/seeded.ts'
import { judgeModel } from '../helpers/soundness/soundness.ts'

/** Operators of ONNX Runtime, and of newer or other sets than random graphs draw from. */

const random = generator(5)
const nums = (dims: readonly number[], size = 1) =>
  tensor(
    dims,
    Float32Array.from(
      { length: dims.reduce((product, dim) => product * dim, 1) },
      () => size * (2 * random() - 1),
    ),
  )

const ms = { domain: 'com.microsoft' }
const base = { opset: 17, irVersion: 8, opsets: { 'com.microsoft': 1 } }
const specs: Readonly<Record<string, Omit<ModelSpec, 'outputs'>>> = {
  MultiHeadAttention: {
    ...base,
    inputs: { q: [1, 3, 4], k: [1, 5, 4], v: [1, 5, 4] },
    nodes: [node('MultiHeadAttention', ['q', 'k', 'v'], ['y'], { num_heads: 2 }, ms)],
  },
  'MultiHeadAttention with a bias': {
    ...base,
    inputs: { q: [1, 3, 4] },
    initializers: { b: nums([12]) },
    nodes: [node('MultiHeadAttention', ['q', 'q', 'q', 'b'], ['y'], { num_heads: 2, scale: float(2) }, ms)],
  },
  'causal MultiHeadAttention': {
    ...base,
    inputs: { q: [2, 3, 4] },
    nodes: [node('MultiHeadAttention', ['q', 'q', 'q'], ['y'], { num_heads: 1, unidirectional: 1 }, ms)],
  },
  'Attention with merged weights': {
    ...base,
    inputs: { x: [1, 4, 3] },
    initializers: { w: nums([3, 12], 2), b: nums([12]) },
    nodes: [node('Attention', ['x', 'w', 'b'], ['y'], { num_heads: 2 }, ms)],
  },
  'Attention with merged weights of several sizes': {
    ...base,
    inputs: { x: [1, 4, 3] },
    initializers: { w: nums([3, 10], 2), b: nums([10]) },
    nodes: [node('Attention', ['x', 'w', 'b'], ['y'], { num_heads: 2, qkv_hidden_sizes: [4, 4, 2] }, ms)],
  },
  GroupQueryAttention: {
    ...base,
    inputs: { q: [1, 3, 32], k: [1, 3, 16], v: [1, 3, 16] },
    initializers: {
      pk: tensor([1, 2, 0, 8], []),
      pv: tensor([1, 2, 0, 8], []),
      sl: tensor([1], [2], 'int32'),
      tl: tensor([1], [3], 'int32'),
    },
    nodes: [
      node(
        'GroupQueryAttention',
        ['q', 'k', 'v', 'pk', 'pv', 'sl', 'tl'],
        ['y', 'ok', 'ov'],
        { num_heads: 4, kv_num_heads: 2 },
        ms,
      ),
    ],
  },
  Attention: {
    opset: 23,
    irVersion: 10,
    inputs: { q: [1, 3, 4], k: [1, 5, 4], v: [1, 5, 6] },
    nodes: [node('Attention', ['q', 'k', 'v'], ['y'], { q_num_heads: 2, kv_num_heads: 2 })],
  },
  'Attention that shares keys and values': {
    opset: 23,
    irVersion: 10,
    inputs: { q: [1, 4, 3, 2], k: [1, 2, 5, 2], v: [1, 2, 5, 2] },
    nodes: [node('Attention', ['q', 'k', 'v'], ['y'], { softcap: float(2), is_causal: 1 })],
  },
  SkipLayerNormalization: {
    ...base,
    inputs: { x: [1, 2, 4], s: [1, 2, 4] },
    initializers: { g: nums([4]), b: nums([4]) },
    nodes: [node('SkipLayerNormalization', ['x', 's', 'g', 'b'], ['y'], { epsilon: float(1e-2) }, ms)],
  },
  'FusedMatMul of transposed operands': {
    ...base,
    inputs: { x: [2, 3, 4] },
    initializers: { w: nums([2, 5, 3]) },
    nodes: [node('FusedMatMul', ['x', 'w'], ['y'], { transA: 1, transB: 1, alpha: float(-2) }, ms)],
  },
  'FusedMatMul with the batch of the data behind its rows': {
    ...base,
    inputs: { x: [3, 2, 4] },
    initializers: { w: nums([2, 4, 5]) },
    nodes: [node('FusedMatMul', ['x', 'w'], ['y'], { transBatchA: 1, alpha: float(0.7) }, ms)],
  },
  'FusedMatMul with the batch of the weights behind their rows': {
    ...base,
    inputs: { x: [2, 3, 4] },
    initializers: { w: nums([4, 2, 5]) },
    nodes: [node('FusedMatMul', ['x', 'w'], ['y'], { transBatchB: 1, alpha: float(0.7) }, ms)],
  },
  FusedGemm: {
    ...base,
    inputs: { x: [2, 3] },
    initializers: { w: nums([3, 4]), c: nums([4]) },
    nodes: [
      node(
        'FusedGemm',
        ['x', 'w', 'c'],
        ['y'],
        { activation: 'LeakyRelu', activation_alpha: float(2.5), alpha: float(2) },
        ms,
      ),
    ],
  },
  FusedConv: {
    ...base,
    inputs: { x: [1, 2, 4, 4], z: [1, 2, 4, 4] },
    initializers: { w: nums([2, 2, 1, 1]), b: nums([2]) },
    nodes: [node('FusedConv', ['x', 'w', 'b', 'z'], ['y'], { activation: 'Relu' }, ms)],
  },
  BiasGelu: {
    ...base,
    inputs: { x: [2, 4] },
    initializers: { b: nums([4]) },
    nodes: [node('BiasGelu', ['x', 'b'], ['y'], {}, ms)],
  },
  FastGelu: {
    ...base,
    inputs: { x: [2, 4] },
    initializers: { b: nums([4]) },
    nodes: [node('FastGelu', ['x', 'b'], ['y'], {}, ms)],
  },
  QuickGelu: {
    ...base,
    inputs: { x: [2, 4] },
    nodes: [node('QuickGelu', ['x'], ['y'], { alpha: float(-3) }, ms)],
  },
  'MatMulNBits with a padded last block': {
    ...base,
    inputs: { x: [2, 20] },
    initializers: {
      w: tensor(
        [3, 2, 8],
        Array.from({ length: 48 }, (_, i) => (i * 37) % 256),
        'uint8',
      ),
      s: nums([6]),
    },
    nodes: [node('MatMulNBits', ['x', 'w', 's'], ['y'], { K: 20, N: 3, bits: 4, block_size: 16 }, ms)],
  },
  'MatMulNBits with zero points': {
    ...base,
    inputs: { x: [2, 32] },
    initializers: {
      w: tensor(
        [3, 2, 8],
        Array.from({ length: 48 }, (_, i) => (i * 37) % 256),
        'uint8',
      ),
      s: nums([6]),
      z: tensor([3], [0x31, 0x75, 0xf0], 'uint8'),
    },
    nodes: [node('MatMulNBits', ['x', 'w', 's', 'z'], ['y'], { K: 32, N: 3, bits: 4, block_size: 16 }, ms)],
  },
  GroupNormalization: {
    opset: 21,
    irVersion: 10,
    inputs: { x: [1, 4, 3] },
    initializers: { g: nums([4]), b: nums([4]) },
    nodes: [node('GroupNormalization', ['x', 'g', 'b'], ['y'], { num_groups: 2, epsilon: float(1e-2) })],
  },
  'GroupNormalization with a scale per group': {
    opset: 18,
    irVersion: 8,
    inputs: { x: [1, 4, 3] },
    initializers: { g: nums([2]), b: nums([2]) },
    nodes: [node('GroupNormalization', ['x', 'g', 'b'], ['y'], { num_groups: 2, epsilon: float(1e-2) })],
  },
  RMSNormalization: {
    opset: 23,
    irVersion: 10,
    inputs: { x: [2, 4] },
    initializers: { g: nums([4]) },
    nodes: [node('RMSNormalization', ['x', 'g'], ['y'], { epsilon: float(1e-2) })],
  },
  SimplifiedLayerNormalization: {
    ...base,
    inputs: { x: [2, 4] },
    initializers: { g: nums([4]) },
    nodes: [node('SimplifiedLayerNormalization', ['x', 'g'], ['y'], { epsilon: float(1e-2), axis: -1 })],
  },
  QGemm: {
    ...base,
    inputs: { x: [2, 3] },
    initializers: {
      s: tensor([], [0.05]),
      z: tensor([], [100], 'uint8'),
      w: tensor([3, 4], [1, 20, 3, 200, 5, 60, 7, 8, 9, 10, 11, 12], 'uint8'),
      ws: tensor([], [0.02]),
      wz: tensor([], [30], 'uint8'),
    },
    nodes: [
      node('QuantizeLinear', ['x', 's', 'z'], ['q']),
      node('QGemm', ['q', 's', 'z', 'w', 'ws', 'wz'], ['y'], { alpha: float(3) }, ms),
    ],
  },
  Trilu: { ...base, inputs: { x: [3, 3] }, nodes: [node('Trilu', ['x'], ['y'], {}, ms)] },
  LinearRegressor: {
    ...base,
    opset: 17,
    opsets: { 'ai.onnx.ml': 3 },
    inputs: { x: [2, 3] },
    nodes: [
      node(
        'LinearRegressor',
        ['x'],
        ['y'],
        { coefficients: [1.5, -2.5, 0.5, 1.25, 2.75, -0.25], intercepts: [0.5, 0.25], targets: 2 },
        { domain: 'ai.onnx.ml' },
      ),
    ],
  },
  Celu: {
    opset: 12,
    irVersion: 7,
    inputs: { x: [5] },
    nodes: [node('Celu', ['x'], ['y'], { alpha: float(2) })],
  },
}

/** Attention has a bound over bounded data alone. */
const needsBox = (name: string) => /Attention/.test(name)

describe('bounds of operators beyond the standard of random graphs', () => {
  it.each(Object.keys(specs))('%s drives no pair of points further apart than claimed', async (name) => {
    const outputs = { y: { type: 'float32' as const, shape: null } }
    const path = writeTemporary(model({ ...specs[name], outputs }), 'foreign.onnx')
    const { verdicts, skipped } = await judgeModel(path, {
      runs: 500,
      ...(needsBox(name) && { box: [-1.5, 1.5] }),
    })
    expect(skipped).toBeNull()
    expect(verdicts).toMatchObject([{ refusal: null, holds: true }])
    expect(verdicts[0].measured).toBeGreaterThan(needsBox(name) ? 0 : 0.9 * verdicts[0].claimed)
  })

  it.each(Object.keys(specs).filter(needsBox))('%s has no bound over unbounded data', async (name) => {
    const path = writeTemporary(model({ ...specs[name], outputs: ['y'] }), 'foreign.onnx')
    const { verdicts } = await judgeModel(path)
    expect(verdicts[0].refusal).toMatch(/no proven bounds/)
  })
})
