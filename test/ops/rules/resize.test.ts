import { float, tensor } from '../../helpers/onnx-builder.ts'
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

describeCases('interpolation', cases)
