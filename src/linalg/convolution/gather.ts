import { allocateFloats, floatsAt } from '../arena.ts'
import { kernels, type Pointer } from '../kernels.ts'
import { placeOffsets } from './runs.ts'

/**
 * One call of the gather product (assembly/gather.ts), set up in the arena: results[q] += Σ_t W[t] inputs[p_q + t].
 * All offsets are in float64 elements.
 */
export interface GatherProduct {
  /** `share`: 1, or ½ for the first half of the positions only. */
  run(inputs: Pointer, results: Pointer, share?: 1 | 0.5): void
}

/** Places that a result takes: results stand in panels of four. */
export function padded(count: number): number {
  return (count + 3) & ~3
}

/**
 * `positions`: pairs of input and result offsets. `weight(tap, result, channel)` gives the weights, of which there are
 * taps · results · channels.
 */
export function gatherProduct(
  positions: readonly number[] | Uint32Array,
  taps: readonly number[],
  results: number,
  channels: number,
  weight: (tap: number, result: number, channel: number) => number,
): GatherProduct {
  const panels = padded(results) / 4
  const pointer = allocateFloats(panels * taps.length * channels * 4)
  const packed = floatsAt(pointer, panels * taps.length * channels * 4)
  let k = 0
  for (let panel = 0; panel < panels; panel++) {
    for (let tap = 0; tap < taps.length; tap++) {
      for (let channel = 0; channel < channels; channel++) {
        for (let lane = 4 * panel; lane < 4 * panel + 4; lane++, k++) {
          packed[k] = lane < results ? weight(tap, lane, channel) : 0
        }
      }
    }
  }
  const positionPointer = placeOffsets(positions)
  const tapPointer = placeOffsets(taps)
  return {
    run(inputs, target, share = 1) {
      kernels().gatherProduct(
        positionPointer,
        (positions.length / 2) * share,
        tapPointer,
        taps.length,
        pointer,
        channels,
        panels,
        inputs,
        target,
      )
    },
  }
}
