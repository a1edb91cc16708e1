import fc from 'fast-check'
import { describe, it } from 'vitest'
import { expectExact, type Linear } from '../../helpers/linear-case.ts'
import { float, int64s, tensor } from '../../helpers/onnx-builder.ts'

const between = (min: number, max: number) => fc.integer({ min, max })
const size = between(1, 5)
const number = fc.double({ min: -1.4, max: 1.4, noNaN: true })
const floats = (dims: readonly number[], values: readonly number[]) =>
  tensor(
    dims,
    Array.from(
      { length: dims.reduce((product, dim) => product * dim, 1) },
      (_, i) => values[i % values.length],
    ),
  )

const gridSample = fc
  .record({
    spatial: fc.tuple(size, size),
    channels: between(1, 2),
    points: fc.tuple(between(1, 3), between(1, 4)),
    positions: fc.array(number, { minLength: 24, maxLength: 24 }),
    mode: fc.constantFrom('bilinear', 'nearest', 'bicubic'),
    padding_mode: fc.constantFrom('zeros', 'border', 'reflection'),
    align_corners: between(0, 1),
  })
  .map(({ spatial, channels, points, positions, ...attributes }): Linear => {
    const grid = floats([1, ...points, 2], positions)
    return {
      op: 'GridSample',
      x: [1, channels, ...spatial],
      inputs: ['x', 'g'],
      constants: { g: grid },
      attributes,
      opset: 16,
      // negative weights of cubic kernels count with their size
      slack: attributes.mode === 'bicubic' ? 1.3 : 1,
    }
  })

const affineGrid = fc
  .record({ spatial: fc.array(between(2, 6), { minLength: 2, maxLength: 3 }), align_corners: between(0, 1) })
  .map(({ spatial, align_corners }): Linear => {
    const axes = spatial.length
    return {
      op: 'AffineGrid',
      x: [1, axes, axes + 1],
      inputs: ['x', 's'],
      constants: { s: int64s([1, 1, ...spatial]) },
      attributes: { align_corners },
      opset: 20,
    }
  })

const roiAlign = fc
  .record({
    x: fc.tuple(between(3, 7), between(3, 7)),
    corners: fc.array(between(0, 29), { minLength: 8, maxLength: 8 }),
    output_height: between(1, 3),
    output_width: between(1, 3),
    sampling_ratio: between(0, 2),
    spatial_scale: fc.constantFrom(0.7, 1, 1.3),
    coordinate_transformation_mode: fc.constantFrom('half_pixel', 'output_half_pixel'),
  })
  .map(({ x, corners, spatial_scale, ...attributes }): Linear => {
    const [a, b, c, d, e, f, g, h] = corners.map((corner) => corner / 10 + 0.0173)
    const rois = tensor([2, 4], [a, b, a + c, b + d, e, f, e + g, f + h])
    return {
      op: 'RoiAlign',
      x: [1, 1, ...x],
      inputs: ['x', 'r', 'i'],
      constants: { r: rois, i: int64s([0, 0]) },
      attributes: { ...attributes, spatial_scale: float(spatial_scale) },
      opset: 16,
    }
  })

const col2Im = fc
  .record({
    image: fc.tuple(between(3, 7), between(3, 7)),
    block: fc.tuple(between(1, 3), between(1, 3)),
    strides: fc.tuple(between(1, 3), between(1, 3)),
    dilations: fc.tuple(between(1, 2), between(1, 2)),
    pads: fc.tuple(between(0, 1), between(0, 1), between(0, 1), between(0, 1)),
  })
  .filter(({ image, block, dilations }) => image.every((length, i) => length > dilations[i] * (block[i] - 1)))
  .map(({ image, block, ...attributes }): Linear => {
    const { strides, dilations, pads } = attributes
    const windows = image.map(
      (length, i) =>
        Math.floor((length + pads[i] + pads[i + 2] - dilations[i] * (block[i] - 1) - 1) / strides[i]) + 1,
    )
    return {
      op: 'Col2Im',
      x: [1, block[0] * block[1], windows[0] * windows[1]],
      inputs: ['x', 'i', 'b'],
      constants: { i: int64s(image), b: int64s(block) },
      attributes,
    }
  })

const dft = fc
  .record({
    length: between(1, 7),
    complex: fc.boolean(),
    given: fc.option(between(1, 9)),
    inverse: between(0, 1),
    onesided: between(0, 1),
  })
  .filter(({ complex, inverse, onesided }) => onesided === 0 || (inverse === 0 && !complex))
  .map(({ length, complex, given, inverse, onesided }): Linear => {
    return {
      op: 'DFT',
      x: [1, length, complex ? 2 : 1],
      inputs: given === null ? ['x'] : ['x', 'n'],
      constants: given === null ? {} : { n: tensor([], [given], 'int64') },
      attributes: { axis: 1, inverse, onesided },
      opset: 17,
      // cropped and padded signals need not reach the norm
      slack: 1,
    }
  })

const stft = fc
  .record({ length: between(6, 14), frame: between(2, 6), step: between(1, 4), onesided: between(0, 1) })
  .map(({ length, frame, step, onesided }): Linear => {
    const window = tensor(
      [frame],
      Array.from({ length: frame }, (_, i) => 0.3 + Math.sin((Math.PI * (i + 0.5)) / frame)),
    )
    return {
      op: 'STFT',
      x: [1, length, 1],
      inputs: ['x', 's', 'w'],
      constants: { s: tensor([], [step], 'int64'), w: window },
      attributes: { onesided },
      opset: 17,
      // at the rim fewer frames overlap; half of the frequencies hold at least half of the squares
      slack: onesided === 1 ? 2 : 1.5,
    }
  })

const extractor = fc.array(between(0, 4), { minLength: 1, maxLength: 6 }).map(
  (positions): Linear => ({
    op: 'ArrayFeatureExtractor',
    domain: 'ai.onnx.ml',
    x: [3, 5],
    inputs: ['x', 'i'],
    constants: { i: int64s(positions) },
  }),
)

const scaler = fc.array(between(-9, 9), { minLength: 4, maxLength: 4 }).map(
  (entries): Linear => ({
    op: 'Scaler',
    domain: 'ai.onnx.ml',
    x: [2, 4],
    attributes: { scale: entries.map((entry) => entry / 7 + 0.01), offset: [0.5, 1, 1.5, 2] },
  }),
)

describe('bounds of operators that interpolate, transform and add up are their norms', () => {
  const families = { gridSample, affineGrid, roiAlign, col2Im, dft, stft, extractor, scaler }
  it.each(Object.entries(families))('%s', async (_, linear) => {
    await fc.assert(fc.asyncProperty(linear, expectExact), { numRuns: 25 })
  })
})
