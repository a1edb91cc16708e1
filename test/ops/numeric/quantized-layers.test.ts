import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { layersOf } from '../../../src/infer/layers.ts'
import type { LayerSpec } from '../../../src/ops/layer.ts'
import { blockMatrix } from '../../helpers/dense-operator.ts'
import { layersOfNode, mapOfNode, type OneNode } from '../../helpers/one-node.ts'
import { float, modelFile, node, scalar, tensor } from '../../helpers/onnx-builder.ts'

function onlyLayer(one: OneNode): LayerSpec {
  const layers = layersOfNode(one)
  expect(layers.length).toBe(1)
  expect(layers[0].stored).toBeNull()
  return layers[0]
}

const elements = (layer: LayerSpec) => Array.from(layer.operator.load())
const bytes = { type: 'uint8' as const }

describe('MatMulNBits', () => {
  const packed = fc
    .record({
      rows: fc.integer({ min: 1, max: 4 }),
      columns: fc.integer({ min: 1, max: 40 }),
      bits: fc.constantFrom(4, 8),
      zeroPoints: fc.constantFrom('none', 'packed', 'floats'),
    })
    .chain((shape) => {
      const blocks = Math.ceil(shape.columns / 16)
      const codes = shape.rows * blocks * 2 * shape.bits
      const byteArray = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
      const positive = fc.double({ min: 0.01, max: 1, noNaN: true })
      return fc.record({
        shape: fc.constant({ ...shape, blocks }),
        codes: byteArray(codes),
        scales: fc.array(positive, { minLength: shape.rows * blocks, maxLength: shape.rows * blocks }),
        zeros: byteArray(shape.rows * Math.ceil((blocks * shape.bits) / 8)),
      })
    })

  it('is the map that onnxruntime computes', async () => {
    await fc.assert(
      fc.asyncProperty(packed, async ({ shape, codes, scales, zeros }) => {
        // The runtime has zero points in floats for 4 bits alone.
        fc.pre(shape.bits === 4 || shape.zeroPoints !== 'floats')
        const { rows, columns, bits, blocks } = shape
        const floats = scales.map((scale) => 4 * scale)
        const zeroPoints =
          shape.zeroPoints === 'packed'
            ? tensor([rows, zeros.length / rows], zeros, 'uint8')
            : tensor([rows, blocks], floats)
        const one: OneNode = {
          op: 'MatMulNBits',
          domain: 'com.microsoft',
          inputs: shape.zeroPoints === 'none' ? ['x', 'codes', 'scales'] : ['x', 'codes', 'scales', 'zeros'],
          attributes: { K: columns, N: rows, bits, block_size: 16 },
          data: [1, columns],
          constants: {
            codes: tensor([rows, blocks, 2 * bits], codes, 'uint8'),
            scales: tensor([rows, blocks], scales),
            ...(shape.zeroPoints === 'none' ? {} : { zeros: zeroPoints }),
          },
        }
        const [matrix] = blockMatrix(onlyLayer(one).operator)
        const map = await mapOfNode(one)
        expect([matrix.rows, matrix.columns]).toEqual([map.rows, map.columns])
        const scale = Math.max(1, ...map.data.map(Math.abs))
        for (let i = 0; i < map.data.length; i++) {
          expect(Math.abs(matrix.data[i] - map.data[i])).toBeLessThan(1e-4 * scale)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('is no layer where its codes are in an order of the runtime', () => {
    const one: OneNode = {
      op: 'MatMulNBits',
      domain: 'com.microsoft',
      inputs: ['x', 'codes', 'scales'],
      attributes: { K: 16, N: 1, bits: 4, block_size: 16, weight_prepacked: 1 },
      data: [1, 16],
      constants: { codes: tensor([1, 1, 8], new Uint8Array(8), 'uint8'), scales: tensor([1, 1], [1]) },
    }
    expect(layersOfNode(one)).toEqual([])
  })

  it('refuses codes that are too few', () => {
    const one: OneNode = {
      op: 'MatMulNBits',
      domain: 'com.microsoft',
      inputs: ['x', 'codes', 'scales'],
      attributes: { K: 32, N: 1, bits: 4, block_size: 16 },
      data: [1, 32],
      constants: { codes: tensor([1, 1, 8], new Uint8Array(8), 'uint8'), scales: tensor([1, 1], [1]) },
    }
    expect(() => onlyLayer(one).operator.load()).toThrow(/8 bytes and 1 scales do not hold 1×32/)
  })
})

describe('quantised weights', () => {
  const weight = tensor([2, 3], [1, 2, 3, 4, 5, 6], 'int8')
  const scales = tensor([3], [0.5, 1, 2])
  const zeros = tensor([3], [1, 0, 2], 'int8')
  const input = { ...bytes, shape: [1, 2] }
  const quantised = { one: scalar(1), zero: tensor([], [0], 'uint8') }

  it('of QLinearMatMul are dequantised column by column', () => {
    const layer = onlyLayer({
      op: 'QLinearMatMul',
      inputs: ['x', 'one', 'zero', 'w', 'scales', 'zeros', 'one', 'zero'],
      data: input,
      constants: { ...quantised, w: weight, scales, zeros },
    })
    expect(layer).toMatchObject({ kind: 'dense', weightName: 'w', weightShape: [2, 3] })
    expect(elements(layer)).toEqual([0, 2, 2, 1.5, 5, 8])
  })

  it('of MatMulInteger are the integers less the zero point', () => {
    const constants = { w: weight, zero: tensor([], [0], 'uint8'), zeros }
    const layer = onlyLayer({
      op: 'MatMulInteger',
      inputs: ['x', 'w', 'zero', 'zeros'],
      data: input,
      constants,
    })
    expect(elements(layer)).toEqual([0, 2, 1, 3, 5, 4])
  })

  it('of QGemm follow its transposition and count alpha', () => {
    const layer = onlyLayer({
      op: 'QGemm',
      domain: 'com.microsoft',
      inputs: ['x', 'one', 'zero', 'w', 'scales', 'zeros', '', 'one', 'zero'],
      attributes: { transB: 1, alpha: float(-2) },
      data: { ...bytes, shape: [1, 2] },
      constants: { ...quantised, w: tensor([3, 2], [1, 4, 2, 5, 3, 6], 'int8'), scales, zeros },
    })
    expect(elements(layer)).toEqual([0, 1.5, 2, 5, 2, 8])
    expect(layer.operator).toMatchObject({ form: 'matrix', rows: 3, columns: 2, factor: 2 })
  })

  const kernel = tensor([2, 1, 1, 2], [1, 2, 3, 4], 'int8')
  const image = { ...bytes, shape: [1, 1, 3, 3] }

  it('of QLinearConv are dequantised channel by channel', () => {
    const layer = onlyLayer({
      op: 'QLinearConv',
      inputs: ['x', 'one', 'zero', 'w', 'scales', 'zeros', 'one', 'zero'],
      attributes: { strides: [1, 2] },
      data: image,
      constants: {
        ...quantised,
        w: kernel,
        scales: tensor([2], [0.5, 2]),
        zeros: tensor([2], [0, 1], 'int8'),
      },
    })
    expect(layer).toMatchObject({ kind: 'conv', weightShape: [2, 1, 1, 2] })
    expect(layer.operator).toMatchObject({ form: 'convolution', strides: [1, 2], outputSize: [3, 1] })
    expect(elements(layer)).toEqual([0.5, 1, 4, 6])
  })

  it('of ConvInteger are the integers less the zero point', () => {
    const constants = { w: kernel, zero: tensor([], [0], 'uint8'), shift: tensor([], [1], 'int8') }
    const layer = onlyLayer({
      op: 'ConvInteger',
      inputs: ['x', 'w', 'zero', 'shift'],
      data: image,
      constants,
    })
    expect(elements(layer)).toEqual([0, 1, 2, 3])
  })

  it('are refused where scales are neither one nor one for each channel', () => {
    const layer = onlyLayer({
      op: 'QLinearMatMul',
      inputs: ['x', 'one', 'zero', 'w', 'scales', 'zeros', 'one', 'zero'],
      data: input,
      constants: { ...quantised, w: weight, scales: tensor([2], [1, 2]), zeros },
    })
    expect(() => layer.operator.load()).toThrow(/'scales' has 2 elements for an axis of 3/)
  })
})

describe('recurrences', () => {
  const numbers = (length: number, start = 1) => Array.from({ length }, (_, i) => start + i)

  it.each([
    ['RNN', ['h']],
    ['GRU', ['z', 'r', 'h']],
    ['LSTM', ['i', 'o', 'f', 'c']],
  ] as const)('%s has a layer for each gate, direction and matrix', (op, gates) => {
    const rows = 2 * gates.length
    const layers = layersOfNode({
      op,
      inputs: ['x', 'W', 'R'],
      attributes: { hidden_size: 2, direction: 'bidirectional' },
      data: [5, 1, 3],
      constants: {
        W: tensor([2, rows, 3], numbers(2 * rows * 3)),
        R: tensor([2, rows, 2], numbers(2 * rows * 2, 1000)),
      },
    })
    const directions = ['forward', 'backward']
    const roles = ['W', 'R'].flatMap((matrix) =>
      directions.flatMap((direction) => gates.map((gate) => `${matrix}.${gate}.${direction}`)),
    )
    expect(layers.map((layer) => layer.role)).toEqual(roles)
    layers.forEach((layer, i) => {
      const isInput = i < roles.length / 2
      const columns = isInput ? 3 : 2
      expect(layer).toMatchObject({ kind: 'recurrent', weightName: isInput ? 'W' : 'R', stored: null })
      expect(layer.inputShape).toEqual(isInput ? [5, 1, 3] : [1, 2])
      expect(layer.operator).toMatchObject({ form: 'matrix', rows: 2, columns, blocks: 1 })
      const position = (i % (roles.length / 2)) * 2 * columns
      expect(elements(layer)).toEqual(numbers(2 * columns, (isInput ? 1 : 1000) + position))
    })
  })

  it('with one direction has roles without it', () => {
    const constants = { W: tensor([1, 2, 3], numbers(6)), R: tensor([1, 2, 2], numbers(4)) }
    const layers = layersOfNode({ op: 'RNN', inputs: ['x', 'W', 'R'], data: [5, 1, 3], constants })
    expect(layers.map((layer) => layer.role)).toEqual(['W.h', 'R.h'])
  })

  it('DynamicQuantizeLSTM is dequantised from its transposed weights', () => {
    const layers = layersOfNode({
      op: 'DynamicQuantizeLSTM',
      domain: 'com.microsoft',
      inputs: ['x', 'W', 'R', '', '', '', '', '', 'ws', 'wz', 'rs', 'rz'],
      attributes: { hidden_size: 1 },
      data: [5, 1, 2],
      constants: {
        W: tensor([1, 2, 4], numbers(8), 'int8'),
        R: tensor([1, 1, 4], numbers(4), 'int8'),
        ws: tensor([1, 4], [1, 2, 3, 4]),
        wz: tensor([1, 4], [1, 1, 1, 1], 'int8'),
        rs: tensor([1], [0.5]),
        rz: tensor([1], [0], 'int8'),
      },
    })
    expect(layers.map((layer) => [layer.role, elements(layer)])).toEqual([
      ['W.i', [0, 4]],
      ['W.o', [2, 10]],
      ['W.f', [6, 18]],
      ['W.c', [12, 28]],
      ['R.i', [0.5]],
      ['R.o', [1]],
      ['R.f', [1.5]],
      ['R.c', [2]],
    ])
  })
})

describe('Attention of ONNX Runtime', () => {
  const one: OneNode = {
    op: 'Attention',
    domain: 'com.microsoft',
    inputs: ['x', 'w'],
    attributes: { num_heads: 1, qkv_hidden_sizes: [1, 1, 2] },
    data: [1, 5, 2],
    constants: { w: tensor([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]) },
  }

  it('has a layer for each projection', () => {
    const found = layersOfNode(one).map((layer) => [layer.role, elements(layer)])
    expect(found).toEqual([
      ['q', [1, 5]],
      ['k', [2, 6]],
      ['v', [3, 4, 7, 8]],
    ])
  })

  it('refuses widths that do not make up the weight', () => {
    expect(() => layersOfNode({ ...one, attributes: { num_heads: 1, qkv_hidden_sizes: [1, 1, 1] } })).toThrow(
      /1\+1\+1/,
    )
  })
})

describe('weights behind DequantizeLinear', () => {
  const graph = {
    inputs: { x: [1, 2] },
    outputs: ['y'],
    initializers: {
      q: tensor([2, 2], [3, 1, 0, 4], 'int8'),
      s: tensor([2], [0.5, 2]),
      z: tensor([2], [1, 0], 'int8'),
    },
    nodes: [node('DequantizeLinear', ['q', 's', 'z'], ['w'], { axis: 0 }), node('Gemm', ['x', 'w'], ['y'])],
  }

  it('are folded into the real numbers that they stand for', () => {
    const [{ spec }] = layersOf(inferModel(readModel(modelFile(graph))))
    expect(spec).toMatchObject({ kind: 'dense', weightName: 'w', weightShape: [2, 2], stored: null })
    expect(elements(spec)).toEqual([1, 0, 0, 8])
  })
})
