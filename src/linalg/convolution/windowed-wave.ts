import type { Kernel } from './kernel.ts'
import { tapPositions } from './kernel.ts'
import type { Peak } from './peak.ts'
import { ritzPair } from './ritz.ts'
import type { Spectrum } from './spectrum.ts'
import type { FourierSymbol } from './symbol.ts'
import { windowedMap } from './trial-space.ts'

/** A windowed plane wave and the proven lower bound on ‖T‖ that it gives. */
export interface WindowedWave {
  readonly lower: number
  /** Its real part, [position, channel]. */
  expand(): Float64Array
}

/**
 * A proven lower bound on ‖T‖ from `count` windows per axis around the symbol's highest peak, by a few Lanczos steps
 * from the symbol's own singular vector.
 */
export function windowedWave(kernel: Kernel, spectrum: Spectrum, count: number): WindowedWave {
  const { symbol, peak } = spectrum
  const map = windowedMap(kernel, peak.frequency, count)
  const start = map.embed(inputVector(kernel, symbol, peak))
  const { vector } = ritzPair(map.apply, start, 4 * count, 1e-5)
  return { lower: map.lowerBound(vector), expand: () => map.expand(vector) }
}

/** The input channels' singular vector K̂(ω)*w of the peak, [real parts, imaginary parts], phases outermost. */
function inputVector(kernel: Kernel, symbol: FourierSymbol, peak: Peak): Float64Array {
  const { vector, frequency } = peak
  const half = vector.length / 2
  if (symbol.side === 'inputs') {
    // the polynomial is that of the conjugate
    const channels = new Float64Array(2 * symbol.order)
    for (let c = 0; c < symbol.order; c++) {
      channels[c] = vector[c]
      channels[symbol.order + c] = -vector[half + c]
    }
    return channels
  }
  const { outputs, inputs, slices, axes } = kernel
  const phases = axes.reduce((product, axis) => product * axis.stride, 1)
  const result = new Float64Array(2 * phases * inputs)
  tapPositions(kernel).forEach((tap, slice) => {
    const phase = axes.reduce((index, axis, a) => index * axis.stride + (tap[a] % axis.stride), 0)
    const angle = axes.reduce((sum, axis, a) => sum + Math.floor(tap[a] / axis.stride) * frequency[a], 0)
    const cosine = Math.cos(angle)
    const sine = Math.sin(angle)
    for (let o = 0; o < outputs; o++) {
      const re = cosine * vector[o] + sine * vector[half + o]
      const im = cosine * vector[half + o] - sine * vector[o]
      for (let c = 0; c < inputs; c++) {
        const weight = slices[(slice * outputs + o) * inputs + c]
        result[phase * inputs + c] += weight * re
        result[phases * inputs + phase * inputs + c] += weight * im
      }
    }
  })
  return result
}
