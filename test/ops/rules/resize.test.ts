import { float, int64s, tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases, variants } from '../../helpers/rule-cases.ts'

const cases: readonly Case[] = [
  ...variants([
    { mode: 'nearest' },
    { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
    { mode: 'linear' },
    { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
    { mode: 'linear', coordinate_transformation_mode: 'asymmetric' },
    { mode: 'linear', coordinate_transformation_mode: 'pytorch_half_pixel' },
    { mode: 'cubic' },
    { mode: 'cubic', exclude_outside: 1, cubic_coeff_a: float(-0.5) },
  ]).flatMap((attributes) =>
    [
      [1, 1, 2, 2],
      [1, 1, 1.5, 0.6],
    ].map(
      (scales): Case => ({
        name: `Resize ${JSON.stringify(attributes)} by ${scales.slice(2)}`,
        op: 'Resize',
        x: [1, 1, 5, 6],
        constants: { s: tensor([4], scales) },
        inputs: ['x', '', 's'],
        attributes,
        tight: 0.8,
      }),
    ),
  ),
  {
    name: 'Upsample',
    op: 'Upsample',
    x: [1, 1, 3, 4],
    constants: { s: tensor([4], [1, 1, 2, 3]) },
    opset: 9,
    exact: Math.sqrt(6),
    tight: 0.999,
  },
]

const more: readonly Case[] = [
  ...variants([
    { mode: 'linear', antialias: 1 },
    { mode: 'cubic', antialias: 1 },
    { mode: 'linear', antialias: 1, exclude_outside: 1 },
  ]).flatMap((attributes) =>
    [
      [1, 1, 0.6, 0.5],
      [1, 1, 0.3, 1.5],
    ].map(
      (scales): Case => ({
        name: `Resize ${JSON.stringify(attributes)} by ${scales.slice(2)}`,
        op: 'Resize',
        opset: 19,
        x: [1, 1, 7, 8],
        constants: { s: tensor([4], scales) },
        inputs: ['x', '', 's'],
        attributes,
        tight: 0.8,
      }),
    ),
  ),
  ...['not_larger', 'not_smaller'].map(
    (keep_aspect_ratio_policy): Case => ({
      name: `Resize that keeps the aspect ratio, ${keep_aspect_ratio_policy}`,
      op: 'Resize',
      opset: 19,
      x: [1, 1, 5, 7],
      constants: { n: int64s([9, 8]) },
      inputs: ['x', '', '', 'n'],
      attributes: { mode: 'linear', keep_aspect_ratio_policy, axes: [2, 3] },
      tight: 0.8,
    }),
  ),
  ...variants([{ mode: 'linear' }, { mode: 'nearest' }]).map(
    (attributes): Case => ({
      name: `Resize of a region, ${JSON.stringify(attributes)}`,
      op: 'Resize',
      opset: 13,
      x: [1, 1, 5, 6],
      constants: { r: tensor([8], [0, 0, 0.21, -0.3, 1, 1, 0.83, 0.6]), n: int64s([1, 1, 4, 7]) },
      inputs: ['x', 'r', '', 'n'],
      attributes: {
        ...attributes,
        coordinate_transformation_mode: 'tf_crop_and_resize',
        extrapolation_value: float(0.5),
      },
      tight: 0.8,
    }),
  ),
]

describeCases('interpolation', [...cases, ...more])
