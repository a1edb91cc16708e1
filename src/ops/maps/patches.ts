import { dot } from './contraction.ts'
import { productOf } from './sizes.ts'
import type { Windowed } from './windowed.ts'

/**
 * Convolutions window by window: what one window reads is gathered into a row, contiguous like the weights of a
 * channel, so that a window costs one inner product for each output channel. Pays where windows hold many numbers and
 * several channels read each.
 */
export interface Patches {
  /** For each window and tap the place in a plane of the wide side; −1 outside. */
  readonly places: Int32Array
  readonly taps: number
}

/** Whether rows are long enough, and read often enough, to pay for being gathered. */
export function paysByPatches({ kernel, groups, wideChannels, narrowChannels }: Windowed): boolean {
  return (productOf(kernel) * wideChannels) / groups >= 8 && narrowChannels / groups >= 4
}

export function patchesOf({ kernel, wide, narrow, strides, dilations, pads }: Windowed): Patches {
  const [windows, taps] = [productOf(narrow), productOf(kernel)]
  const places = new Int32Array(windows * taps)
  for (let at = 0; at < windows; at++) {
    for (let tap = 0; tap < taps; tap++) {
      let [place, stride, restWindow, restTap] = [0, 1, at, tap]
      for (let axis = kernel.length - 1; axis >= 0; axis--) {
        const from =
          (restWindow % narrow[axis]) * strides[axis] -
          pads[axis] +
          (restTap % kernel[axis]) * dilations[axis]
        restWindow = Math.floor(restWindow / narrow[axis])
        restTap = Math.floor(restTap / kernel[axis])
        place = place < 0 || from < 0 || from >= wide[axis] ? -1 : place + from * stride
        stride *= wide[axis]
      }
      places[at * taps + tap] = place
    }
  }
  return { places, taps }
}

/** What the windows gather. Cost: outputs · channels per group · taps. */
export function gatherPatches(
  shape: Windowed,
  { places, taps }: Patches,
  wide: Float64Array,
  weights: Float64Array,
): Float64Array {
  const { batch, groups, wideChannels, narrowChannels } = shape
  const [wideSize, windows] = [productOf(shape.wide), productOf(shape.narrow)]
  const [ins, outs] = [wideChannels / groups, narrowChannels / groups]
  const length = ins * taps
  const row = new Float64Array(length)
  const out = new Float64Array(batch * narrowChannels * windows)
  for (let block = 0; block < batch * groups; block++) {
    const group = block % groups
    const from = block * ins * wideSize
    for (let at = 0; at < windows; at++) {
      for (let channel = 0; channel < ins; channel++) {
        const plane = from + channel * wideSize
        for (let tap = 0; tap < taps; tap++) {
          const place = places[at * taps + tap]
          row[channel * taps + tap] = place < 0 ? 0 : wide[plane + place]
        }
      }
      for (let i = 0; i < outs; i++)
        out[(block * outs + i) * windows + at] = dot(weights, (group * outs + i) * length, row, 0, length)
    }
  }
  return out
}

/** The adjoint: what the windows spread. */
export function spreadPatches(
  shape: Windowed,
  { places, taps }: Patches,
  narrow: Float64Array,
  weights: Float64Array,
): Float64Array {
  const { batch, groups, wideChannels, narrowChannels } = shape
  const [wideSize, windows] = [productOf(shape.wide), productOf(shape.narrow)]
  const [ins, outs] = [wideChannels / groups, narrowChannels / groups]
  const length = ins * taps
  const row = new Float64Array(length)
  const out = new Float64Array(batch * wideChannels * wideSize)
  for (let block = 0; block < batch * groups; block++) {
    const group = block % groups
    const to = block * ins * wideSize
    for (let at = 0; at < windows; at++) {
      row.fill(0)
      let isZero = true
      for (let i = 0; i < outs; i++) {
        const factor = narrow[(block * outs + i) * windows + at]
        if (factor === 0) continue
        isZero = false
        const first = (group * outs + i) * length
        for (let n = 0; n < length; n++) row[n] += factor * weights[first + n]
      }
      if (isZero) continue
      for (let channel = 0; channel < ins; channel++) {
        const plane = to + channel * wideSize
        for (let tap = 0; tap < taps; tap++) {
          const place = places[at * taps + tap]
          if (place >= 0) out[plane + place] += row[channel * taps + tap]
        }
      }
    }
  }
  return out
}
