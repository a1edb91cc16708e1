import { float, int64s, ints, tensor } from '../onnx-builder.ts'
import type { Draft, Drawn, Maker } from './random-graph.ts'

/** Operators that slide windows over spatial axes, or resize and pad them. */

const spatial = (x: Drawn) => x.shape.slice(2)

interface Window {
  readonly kernel: number[]
  readonly strides: number[]
  readonly dilations: number[]
  readonly pads: number[]
}

function windowOf(draft: Draft, x: Drawn, dilated: boolean): Window {
  const size = spatial(x)
  const kernel = size.map((dim) => draft.whole(1, Math.min(3, dim + 1)))
  const strides = size.map(() => draft.whole(1, 3))
  const dilations = size.map(() => (dilated && draft.chance(0.4) ? 2 : 1))
  const pad = (i: number) => draft.whole(0, Math.max(0, Math.min(2, kernel[i] - 1)))
  const pads = [...size.map((_, i) => pad(i)), ...size.map((_, i) => pad(i))]
  return { kernel, strides, dilations, pads }
}

const pool =
  (op: string): Maker =>
  (draft, x) => {
    if (x.shape.length < 3) return null
    const dilated = op === 'MaxPool' ? draft.opset >= 10 : draft.opset >= 19 && op === 'AveragePool'
    const { kernel, strides, dilations, pads } = windowOf(draft, x, dilated)
    const auto = draft.chance(0.2)
    const name = draft.add(op, [x.name], {
      kernel_shape: ints(kernel),
      strides: ints(strides),
      ...(dilated && { dilations: ints(dilations) }),
      ...(auto ? { auto_pad: draft.pick(['SAME_UPPER', 'SAME_LOWER', 'VALID']) } : { pads: ints(pads) }),
      ...(op !== 'LpPool' && draft.opset >= 10 && { ceil_mode: draft.whole(0, 1) }),
      ...(op === 'AveragePool' && { count_include_pad: draft.whole(0, 1) }),
      ...(op === 'LpPool' && { p: draft.pick([1, 2, 3]) }),
    })
    return { name, bounded: x.bounded }
  }

const convolution =
  (op: string): Maker =>
  (draft, x) => {
    if (x.shape.length < 3) return null
    const { kernel, strides, dilations, pads } = windowOf(draft, x, true)
    const channels = x.shape[1]
    const group = channels % 2 === 0 && draft.chance(0.4) ? draft.pick([2, channels]) : 1
    const out = draft.pick([1, 2, 3])
    const weights = op === 'Conv' ? [out * group, channels / group, ...kernel] : [channels, out, ...kernel]
    const auto = draft.chance(0.2)
    const growing = op === 'ConvTranspose' && draft.chance(0.3)
    return {
      name: draft.add(op, [x.name, draft.numbers(weights)], {
        strides: ints(strides),
        dilations: ints(dilations),
        group,
        ...(auto ? { auto_pad: draft.pick(['SAME_UPPER', 'SAME_LOWER', 'VALID']) } : { pads: ints(pads) }),
        ...(growing && { output_padding: ints(strides.map((stride) => draft.whole(0, stride - 1))) }),
      }),
    }
  }

export const windows: Readonly<Record<string, Maker>> = {
  MaxPool: pool('MaxPool'),
  AveragePool: pool('AveragePool'),
  LpPool: pool('LpPool'),
  GlobalPool: (draft, x) =>
    x.shape.length < 3
      ? null
      : { name: draft.add(draft.pick(['GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool']), [x.name]) },
  Conv: convolution('Conv'),
  ConvTranspose: convolution('ConvTranspose'),
  Pad: (draft, x) => {
    const mode = draft.pick(['constant', 'edge', 'reflect', ...(draft.opset >= 19 ? ['wrap'] : [])])
    const pad = (dim: number) =>
      draft.whole(draft.chance(0.2) ? -Math.min(1, dim - 1) : 0, Math.max(0, Math.min(3, dim - 1)))
    const pads = [...x.shape.map(pad), ...x.shape.map(pad)]
    if (draft.opset < 11) return { name: draft.add('Pad', [x.name], { pads: ints(pads), mode }) }
    return { name: draft.add('Pad', [x.name, draft.constant(int64s(pads))], { mode }) }
  },
  Resize: (draft, x) => {
    if (x.shape.length < 3) return null
    const scales = x.shape.map((_, axis) => (axis < 2 ? 1 : draft.pick([1, 2, 3, 0.5, 0.6, 1.3, 1.7, 2.5])))
    const mode = draft.pick([
      'nearest',
      'linear',
      ...(x.shape.length === 4 && draft.opset >= 11 ? ['cubic'] : []),
    ])
    const message = draft.constant(tensor([scales.length], scales))
    if (draft.opset < 11) return { name: draft.add('Resize', [x.name, message], { mode }) }
    const roi = draft.constant(tensor([0], []))
    const bySizes = draft.chance(0.4)
    const sizes = bySizes
      ? draft.constant(
          int64s(x.shape.map((dim, i) => (i < 2 ? dim : Math.max(1, Math.floor(dim * scales[i]))))),
        )
      : ''
    return {
      name: draft.add(
        'Resize',
        bySizes
          ? [x.name, roi, draft.opset < 13 ? draft.constant(tensor([0], [])) : '', sizes]
          : [x.name, roi, message],
        {
          mode,
          coordinate_transformation_mode: draft.pick([
            'half_pixel',
            'pytorch_half_pixel',
            'align_corners',
            'asymmetric',
            ...(mode === 'nearest' && draft.opset < 13 ? ['tf_half_pixel_for_nn'] : []),
            ...(draft.opset >= 19 ? ['half_pixel_symmetric'] : []),
          ]),
          ...(mode === 'nearest' && {
            nearest_mode: draft.pick(['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']),
          }),
          ...(mode === 'cubic' && {
            cubic_coeff_a: float(draft.pick([-0.75, -0.5])),
            exclude_outside: draft.whole(0, 1),
          }),
          ...(draft.opset >= 18 &&
            bySizes &&
            draft.chance(0.4) && {
              keep_aspect_ratio_policy: draft.pick(['not_larger', 'not_smaller', 'stretch']),
            }),
        },
      ),
    }
  },
  Upsample: (draft, x) =>
    draft.opset !== 10 || x.shape.length !== 4
      ? null
      : {
          name: draft.add(
            'Resize',
            [x.name, draft.constant(tensor([4], [1, 1, draft.pick([2, 0.5, 1.4]), draft.pick([3, 0.7])]))],
            { mode: draft.pick(['nearest', 'linear']) },
          ),
        },
}
