import type { FloatArray } from '../../core/tensor.ts'
import type { LinearContext, LinearRule } from '../calculus.ts'
import type { LinearMap } from '../linear-map.ts'
import { convolutionGeometry, type Geometry, transposedGeometry } from '../numeric/convolution-operator.ts'
import { dot } from './contraction.ts'
import { channelDims } from './elementwise.ts'
import { gatherPatches, patchesOf, paysByPatches, spreadPatches } from './patches.ts'
import { added } from './products.ts'
import { inputDims, knownDims, outputDims, productOf } from './sizes.ts'
import { type BroadcastTerm, broadcastMap } from './terms.ts'
import type { Windowed } from './windowed.ts'

/** Stretches of the last axis that one tap of the kernel reads and writes: places of element 0, and how many. */
interface Stretches {
  readonly length: number
  readonly inStart: Int32Array
  readonly outStart: Int32Array
}

/** Windows that tap `tap` of an axis reads inside the input: from `from` on, `count` of them. */
function insideWindows(shape: Windowed, axis: number, tap: number): { from: number; count: number } {
  const offset = tap * shape.dilations[axis] - shape.pads[axis]
  const stride = shape.strides[axis]
  const from = Math.max(0, Math.ceil(-offset / stride))
  const to = Math.min(shape.narrow[axis] - 1, Math.floor((shape.wide[axis] - 1 - offset) / stride))
  return { from, count: Math.max(0, to - from + 1) }
}

/** For each tap of the kernel, in row-major order, the stretches that it joins. */
export function stretchesOf(shape: Windowed): Stretches[] {
  const { kernel, wide, narrow, strides, dilations, pads } = shape
  const last = kernel.length - 1
  return Array.from({ length: productOf(kernel) }, (_, number) => {
    let rest = number
    const taps = new Array<number>(kernel.length)
    for (let axis = last; axis >= 0; axis--) {
      taps[axis] = rest % kernel[axis]
      rest = Math.floor(rest / kernel[axis])
    }
    const ranges = taps.map((tap, axis) => insideWindows(shape, axis, tap))
    let starts: [number, number][] = ranges.some(({ count }) => count === 0) ? [] : [[0, 0]]
    for (let axis = 0; axis <= last; axis++) {
      const { from, count } = ranges[axis]
      const offset = taps[axis] * dilations[axis] - pads[axis]
      const visited = axis === last ? 1 : count
      starts = starts.flatMap(([wideAt, narrowAt]) =>
        Array.from({ length: visited }, (_, i): [number, number] => [
          wideAt * wide[axis] + (from + i) * strides[axis] + offset,
          narrowAt * narrow[axis] + from + i,
        ]),
      )
    }
    return {
      length: ranges[last].count,
      inStart: Int32Array.from(starts, ([wideAt]) => wideAt),
      outStart: Int32Array.from(starts, ([, narrowAt]) => narrowAt),
    }
  })
}

/** Calls `visit` for each pair of channels with their planes and the place of their first weight. */
function eachChannelPair(
  shape: Windowed,
  visit: (widePlane: number, narrowPlane: number, weight: number) => void,
): void {
  const { batch, groups, wideChannels, narrowChannels } = shape
  const [wideInGroup, narrowInGroup] = [wideChannels / groups, narrowChannels / groups]
  const taps = productOf(shape.kernel)
  for (let item = 0; item < batch; item++) {
    for (let out = 0; out < narrowChannels; out++) {
      const group = Math.floor(out / narrowInGroup)
      for (let channel = 0; channel < wideInGroup; channel++) {
        visit(
          item * wideChannels + group * wideInGroup + channel,
          item * narrowChannels + out,
          (out * wideInGroup + channel) * taps,
        )
      }
    }
  }
}

/** What the windows gather: weights [narrow, wide/groups, …kernel]. Cost: outputs · channels per group · taps. */
export function gatherWindows(
  shape: Windowed,
  stretches: readonly Stretches[],
  wide: FloatArray,
  weights: FloatArray,
): Float64Array {
  const [wideSize, narrowSize] = [productOf(shape.wide), productOf(shape.narrow)]
  const out = new Float64Array(shape.batch * shape.narrowChannels * narrowSize)
  const step = shape.strides[shape.strides.length - 1]
  eachChannelPair(shape, (widePlane, narrowPlane, weight) => {
    for (let tap = 0; tap < stretches.length; tap++) {
      const factor = weights[weight + tap]
      if (factor === 0) continue
      const { length, inStart, outStart } = stretches[tap]
      for (let row = 0; row < inStart.length; row++) {
        const from = widePlane * wideSize + inStart[row]
        const to = narrowPlane * narrowSize + outStart[row]
        for (let i = 0; i < length; i++) out[to + i] += factor * wide[from + i * step]
      }
    }
  })
  return out
}

/** The adjoint: what the windows spread. */
export function spreadWindows(
  shape: Windowed,
  stretches: readonly Stretches[],
  narrow: FloatArray,
  weights: FloatArray,
): Float64Array {
  const [wideSize, narrowSize] = [productOf(shape.wide), productOf(shape.narrow)]
  const out = new Float64Array(shape.batch * shape.wideChannels * wideSize)
  const step = shape.strides[shape.strides.length - 1]
  eachChannelPair(shape, (widePlane, narrowPlane, weight) => {
    for (let tap = 0; tap < stretches.length; tap++) {
      const factor = weights[weight + tap]
      if (factor === 0) continue
      const { length, inStart, outStart } = stretches[tap]
      for (let row = 0; row < inStart.length; row++) {
        const to = widePlane * wideSize + inStart[row]
        const from = narrowPlane * narrowSize + outStart[row]
        for (let i = 0; i < length; i++) out[to + i * step] += factor * narrow[from + i]
      }
    }
  })
  return out
}

/** What a change of the weights is multiplied by: Σ wide·narrow over all windows, for each weight. */
export function correlateWindows(
  shape: Windowed,
  stretches: readonly Stretches[],
  wide: FloatArray,
  narrow: FloatArray,
): Float64Array {
  const [wideSize, narrowSize] = [productOf(shape.wide), productOf(shape.narrow)]
  const out = new Float64Array((shape.narrowChannels * shape.wideChannels * stretches.length) / shape.groups)
  const step = shape.strides[shape.strides.length - 1]
  eachChannelPair(shape, (widePlane, narrowPlane, weight) => {
    for (let tap = 0; tap < stretches.length; tap++) {
      const { length, inStart, outStart } = stretches[tap]
      for (let row = 0; row < inStart.length; row++) {
        const a = widePlane * wideSize + inStart[row]
        const b = narrowPlane * narrowSize + outStart[row]
        if (step === 1) out[weight + tap] += dot(wide, a, narrow, b, length)
        else for (let i = 0; i < length; i++) out[weight + tap] += wide[a + i * step] * narrow[b + i]
      }
    }
  })
  return out
}

/** The windows of Conv (data wide) and ConvTranspose (data narrow); null where a size is not known. */
export function windowedOf(context: LinearContext, transposed: boolean, weightInput = 1): Windowed | null {
  const data = inputDims(context, 0)
  const output = outputDims(context)
  const weights = inputDims(context, weightInput)
  if (data === null || output === null || weights === null) return null
  const geometry: Geometry = (transposed ? transposedGeometry : convolutionGeometry)(context, data, weights)
  const pads = knownDims(geometry.windows?.padsBegin)
  if (geometry.windows === null || pads === null) return null
  const [wide, narrow] = transposed ? [output, data] : [data, output]
  const { kernel, strides, dilations } = geometry.windows
  return {
    batch: data[0],
    groups: geometry.groups,
    wideChannels: wide[1],
    narrowChannels: narrow[1],
    wide: wide.slice(2),
    narrow: narrow.slice(2),
    kernel,
    strides,
    dilations,
    pads,
  }
}

/** Which of data, weights and bias vary decides: one factor at the most. */
function convolutionMap(transposed: boolean): LinearRule {
  return (context) => {
    if (context.varies(0) && context.varies(1)) return null
    const shape = windowedOf(context, transposed)
    const output = outputDims(context)
    if (shape === null || output === null) return null
    const weights = context.varies(0) ? (context.inputs[1]?.constant() ?? null) : null
    const data = context.varies(1) ? (context.inputs[0]?.constant() ?? null) : null
    if ((context.varies(0) && weights === null) || (context.varies(1) && data === null)) return null
    return added([
      weights && dataMap(context, shape, transposed, weights.data),
      data && weightMap(context, shape, transposed, data.data),
      channelBias(context, 2, output),
    ])
  }
}

/** A bias for each channel that varies. */
export function channelBias(
  context: LinearContext,
  input: number,
  output: readonly number[],
): LinearMap | null {
  const dims = context.varies(input) ? inputDims(context, input) : null
  if (dims === null) return null
  const term: BroadcastTerm = { input, dims: channelDims(dims[0], output.length), factor: 1 }
  return broadcastMap(context.inputs.length, output, [term])
}

export function dataMap(
  context: LinearContext,
  shape: Windowed,
  transposed: boolean,
  weights: FloatArray,
): LinearMap {
  const { gather, spread } = windowProducts(shape, weights)
  const [forward, backward] = transposed ? [spread, gather] : [gather, spread]
  const { groups, wideChannels, narrowChannels, kernel } = shape
  const terms = ((transposed ? narrowChannels : wideChannels) / groups) * productOf(kernel)
  const absolute = () => {
    const sizes = windowProducts(shape, weights.map(Math.abs))
    return { forward: transposed ? sizes.spread : sizes.gather, terms }
  }
  return factor(context.inputs.length, 0, forward, backward, absolute)
}

/** The convolution and its adjoint with constant weights, in the way that is faster for the shape. */
export function windowProducts(
  shape: Windowed,
  weights: FloatArray,
): { gather: (wide: Float64Array) => Float64Array; spread: (narrow: Float64Array) => Float64Array } {
  if (paysByPatches(shape)) {
    const patches = patchesOf(shape)
    // One type of array keeps the loops fast.
    const wideWeights = Float64Array.from(weights)
    return {
      gather: (wide) => gatherPatches(shape, patches, wide, wideWeights),
      spread: (narrow) => spreadPatches(shape, patches, narrow, wideWeights),
    }
  }
  const stretches = stretchesOf(shape)
  return {
    gather: (wide) => gatherWindows(shape, stretches, wide, weights),
    spread: (narrow) => spreadWindows(shape, stretches, narrow, weights),
  }
}

export function weightMap(
  context: LinearContext,
  shape: Windowed,
  transposed: boolean,
  data: FloatArray,
): LinearMap {
  const stretches = stretchesOf(shape)
  const forward = transposed ? spreadWindows : gatherWindows
  return factor(
    context.inputs.length,
    1,
    (change) => forward(shape, stretches, data, change),
    (change) =>
      transposed
        ? correlateWindows(shape, stretches, change, data)
        : correlateWindows(shape, stretches, data, change),
    () => {
      const sizes = data.map(Math.abs)
      const channels = transposed ? shape.narrowChannels : shape.wideChannels
      return {
        forward: (change) => forward(shape, stretches, sizes, change),
        terms: (channels / shape.groups) * productOf(shape.kernel),
      }
    },
  )
}

function factor(
  inputCount: number,
  input: number,
  forward: (change: Float64Array) => Float64Array,
  backward: (change: Float64Array) => Float64Array,
  absolute: () => { forward: (size: Float64Array) => Float64Array; terms: number },
): LinearMap {
  const applied =
    (act: typeof forward): LinearMap['apply'] =>
    (changes) => {
      const change = changes[input]
      return [change ? act(change) : null]
    }
  return {
    apply: applied(forward),
    absolute: () => {
      const sizes = absolute()
      return { apply: applied(sizes.forward), terms: sizes.terms }
    },
    applyAdjoint: ([change]) => {
      const results = new Array<Float64Array | null>(inputCount).fill(null)
      if (change) results[input] = backward(change)
      return results
    },
  }
}

export const convolutionMaps = {
  Conv: convolutionMap(false),
  ConvTranspose: convolutionMap(true),
} satisfies Record<string, LinearRule>
