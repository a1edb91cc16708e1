import { gamma } from '../rounding-error.ts'
import type { SizedAxis } from './axis.ts'

/** One axis of the trial space. */
export interface WindowAxis {
  readonly windows: number
  /** Basis function of each (tap, window) pair: phase · windows + window. */
  readonly basis: Int32Array
  readonly functions: number
  /** The windows by phase. */
  readonly windowsOf: readonly (readonly Float64Array[])[]
  /** R_a, symmetric, (taps · windows)². */
  readonly overlaps: Float64Array
  /** How far the windows are from orthonormal: their Gram matrix is at most this much above I. */
  readonly defect: number
}

/** `count` windows per phase on one axis, and how they look through the taps. Cost: windows²·taps·(stride·inputs + taps). */
export function windowAxis(axis: SizedAxis, count: number): WindowAxis {
  const { taps, stride, pad, inputs, outputs } = axis
  const functions = orthonormalWindows(axis, count)
  const windows = functions[0].length
  const pairs = taps * windows
  const seen: Float64Array[] = []
  const basis = new Int32Array(pairs)
  for (let tap = 0; tap < taps; tap++) {
    for (let l = 0; l < windows; l++) {
      const image = new Float64Array(outputs)
      const own = functions[tap % stride][l]
      for (let q = 0; q < outputs; q++) {
        const input = stride * q + tap - pad
        if (input >= 0 && input < inputs) image[q] = own[input]
      }
      seen.push(image)
      basis[tap * windows + l] = (tap % stride) * windows + l
    }
  }
  const overlaps = new Float64Array(pairs * pairs)
  const back = stride * windows
  for (let p = 0; p < pairs; p++) {
    for (let r = 0; r <= p; r++) {
      // taps one stride earlier see the same inputs one output later
      const value =
        r < back
          ? dot(seen[p], seen[r])
          : overlaps[(p - back) * pairs + r - back] -
            seen[p - back][0] * seen[r - back][0] +
            seen[p][outputs - 1] * seen[r][outputs - 1]
      overlaps[p * pairs + r] = overlaps[r * pairs + p] = value
    }
  }
  let defect = 0
  for (const phase of functions) {
    for (const one of phase) {
      let row = 0
      for (const other of phase) row += Math.abs(dot(one, other) - (one === other ? 1 : 0))
      defect = Math.max(defect, row + 2 * windows * gamma(inputs + 4))
    }
  }
  return { windows, basis, functions: stride * windows, windowsOf: functions, overlaps, defect }
}

/** The windows of every stride phase: the first sine mode, its shifts, and more sine modes as far as they are independent. */
function orthonormalWindows(axis: SizedAxis, count: number): Float64Array[][] {
  const { stride, pad, inputs } = axis
  const found: Float64Array[][] = []
  for (let phase = 0; phase < stride; phase++) {
    const own: Float64Array[] = []
    for (let candidate = 0; candidate < 2 * count && own.length < count; candidate++) {
      const window = new Float64Array(inputs)
      for (let i = 0; i < inputs; i++) {
        if ((i + pad) % stride === phase) window[i] = windowValue(candidate, i, inputs)
      }
      const size = Math.sqrt(dot(window, window))
      for (let pass = 0; pass < 2; pass++) {
        for (const other of own) {
          const overlap = dot(other, window)
          for (let i = 0; i < inputs; i++) window[i] -= overlap * other[i]
        }
      }
      const left = Math.sqrt(dot(window, window))
      if (!(left > 1e-6 * size)) continue
      for (let i = 0; i < inputs; i++) window[i] /= left
      own.push(window)
    }
    while (own.length < count) own.push(new Float64Array(inputs))
    found.push(own)
  }
  return found
}

function windowValue(candidate: number, i: number, inputs: number): number {
  return Math.sin(((candidate + 1) * Math.PI * (i + 1)) / (inputs + 1))
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
