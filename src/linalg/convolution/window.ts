import { gamma } from '../rounding-error.ts'
import type { SimpleAxis } from './axis.ts'
import type { Kernel } from './kernel.ts'
import { sumOfSliceNorms, tapCount, tapPositions } from './kernel.ts'
import type { Peak } from './peak.ts'
import { ritzPair } from './ritz.ts'
import type { Spectrum } from './spectrum.ts'
import type { FourierSymbol } from './symbol.ts'

/**
 * Lower bounds on the norm of the finite operator T from windowed plane waves, at a cost that does not depend on
 * the image size. The trial vectors are x = Σ_b v_b ⊗ g_b: any channel vectors v_b times products over the axes of
 *
 *     g(i) = e^{iωj} w_ℓ(i)  on the inputs i of one stride phase, j = ⌊(i + pad)/stride⌋,
 *
 * with a handful of real windows w_ℓ, orthonormal per phase. Since T is a sum over taps of K[t] ⊗ (shifts),
 *
 *     ‖Tx‖² = Σ_{(t,ℓ),(t',ℓ')} ⟨K[t]v_b, K[t']v_b'⟩ e^{i(u−u')ω} ∏_a R_a[(t_a,ℓ_a), (t'_a,ℓ'_a)],   t = stride·u + phase,
 *
 * where R_a holds the inner products of windows as seen through the taps, borders included. Maximising over v is a
 * Rayleigh-Ritz problem of order channels · ∏ windows; every value it takes is ‖Tx‖²/‖x‖² for a vector x.
 * Cost of one product: 2 · windows · (one pass over the kernel), plus the small R_a.
 */
export interface WindowedMap {
  /** Real dimensions of the trial space. */
  readonly size: number
  apply(v: Float64Array, z: Float64Array): void
  /** A proven lower bound on ‖T‖ from the trial vector v. */
  lowerBound(v: Float64Array): number
  /** The real part of the trial vector's x, [position, channel]. */
  expand(v: Float64Array): Float64Array
  /** Trial vector with the given channel vector (real parts, imaginary parts, phases outermost) on the first windows. */
  embed(channels: Float64Array): Float64Array
}

type SizedAxis = SimpleAxis & { inputs: number; outputs: number }

/** One axis of the trial space. */
interface WindowAxis {
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

function windowAxis(axis: SizedAxis, count: number): WindowAxis {
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

export function windowedMap(kernel: Kernel, frequency: readonly number[], windowCount: number): WindowedMap {
  const { outputs, inputs, slices } = kernel
  const sized = kernel.axes as readonly SizedAxis[]
  const axes = sized.map((axis) => windowAxis(axis, windowCount))
  const functions = axes.reduce((product, axis) => product * axis.functions, 1)
  const half = functions * inputs

  /** Every combination of (tap, window) over the axes: its slice, basis function and phase e^{iu·ω}. */
  let terms = [{ slice: 0, basis: 0, angle: 0 }]
  axes.forEach((axis, a) => {
    const { taps, stride } = sized[a]
    terms = terms.flatMap((term) =>
      Array.from(axis.basis, (basis, pair) => {
        const tap = Math.floor(pair / axis.windows)
        return {
          slice: term.slice * taps + tap,
          basis: term.basis * axis.functions + basis,
          angle: term.angle + Math.floor(tap / stride) * frequency[a],
        }
      }),
    )
  })
  const size = terms.length * outputs
  const images = { real: new Float64Array(size), imaginary: new Float64Array(size) }
  const scratch = new Float64Array(size)

  function apply(v: Float64Array, z: Float64Array): void {
    terms.forEach(({ slice, basis, angle }, p) => {
      const cosine = Math.cos(angle)
      const sine = Math.sin(angle)
      const from = basis * inputs
      for (let o = 0, k = slice * outputs * inputs; o < outputs; o++) {
        let re = 0
        let im = 0
        for (let c = 0; c < inputs; c++, k++) {
          re += slices[k] * v[from + c]
          im += slices[k] * v[half + from + c]
        }
        images.real[p * outputs + o] = cosine * re - sine * im
        images.imaginary[p * outputs + o] = cosine * im + sine * re
      }
    })
    applyOverlaps(images.real)
    applyOverlaps(images.imaginary)
    z.fill(0)
    terms.forEach(({ slice, basis, angle }, p) => {
      const cosine = Math.cos(angle)
      const sine = Math.sin(angle)
      const to = basis * inputs
      for (let o = 0, k = slice * outputs * inputs; o < outputs; o++) {
        const a = images.real[p * outputs + o]
        const b = images.imaginary[p * outputs + o]
        const re = cosine * a + sine * b
        const im = cosine * b - sine * a
        for (let c = 0; c < inputs; c++, k++) {
          z[to + c] += re * slices[k]
          z[half + to + c] += im * slices[k]
        }
      }
    })
  }

  /** (R_1 ⊗ R_2 ⊗ …) on [pairs of axis 1, pairs of axis 2, …, outputs], axis by axis. */
  function applyOverlaps(data: Float64Array): void {
    let inner = outputs
    for (let a = axes.length - 1; a >= 0; a--) {
      const { overlaps } = axes[a]
      const pairs = Math.round(Math.sqrt(overlaps.length))
      scratch.fill(0)
      for (let outer = 0; outer < size; outer += pairs * inner) {
        for (let p = 0; p < pairs; p++) {
          for (let r = 0; r < pairs; r++) {
            const weight = overlaps[p * pairs + r]
            if (weight === 0) continue
            const to = outer + p * inner
            const from = outer + r * inner
            for (let i = 0; i < inner; i++) scratch[to + i] += weight * data[from + i]
          }
        }
      }
      data.set(scratch)
      inner *= pairs
    }
  }

  const kappa = sumOfSliceNorms(kernel)
  const longest = Math.max(...sized.map((axis) => axis.inputs + axis.outputs))
  const pairs = axes.reduce((sum, axis) => sum + axis.basis.length, 0)
  const roundings = longest + 6 * pairs + 2 * inputs + 2 * tapCount(kernel) * outputs + 64
  const defect = axes.reduce((product, axis) => product * (1 + axis.defect), 1)

  return {
    size: 2 * half,
    apply,
    lowerBound(v) {
      const z = new Float64Array(2 * half)
      apply(v, z)
      const norm = dot(v, v)
      const error = 4 * gamma(roundings) * kappa * kappa * functions
      const square = (dot(v, z) / norm - error) / (defect * (1 + gamma(4 * half + 8)))
      return square > 0 ? Math.sqrt(square) * (1 - 2 ** -50) : 0
    },
    expand(v) {
      /** By input position: offset of the basis functions there, their product and phase; one axis after another. */
      let points = [{ terms: [{ basis: 0, weight: 1 }], angle: 0 }]
      axes.forEach((axis, a) => {
        const { stride, pad, inputs: count } = sized[a]
        points = points.flatMap((point) =>
          Array.from({ length: count }, (_, i) => {
            const phase = (i + pad) % stride
            const terms = point.terms.flatMap((term) =>
              axis.windowsOf[phase].map((window, l) => ({
                basis: term.basis * axis.functions + phase * axis.windows + l,
                weight: term.weight * window[i],
              })),
            )
            return { terms, angle: point.angle + Math.floor((i + pad) / stride) * frequency[a] }
          }),
        )
      })
      const x = new Float64Array(points.length * inputs)
      points.forEach(({ terms, angle }, i) => {
        const cosine = Math.cos(angle)
        const sine = Math.sin(angle)
        for (const { basis, weight } of terms) {
          for (let c = 0; c < inputs; c++) {
            x[i * inputs + c] +=
              weight * (cosine * v[basis * inputs + c] - sine * v[half + basis * inputs + c])
          }
        }
      })
      return x
    },
    embed(channels) {
      const v = new Float64Array(2 * half)
      const phases = sized.reduce((product, axis) => product * axis.stride, 1)
      for (let phase = 0; phase < phases; phase++) {
        let rest = phase
        let basis = 0
        let unit = 1
        for (let a = axes.length - 1; a >= 0; a--) {
          basis += (rest % sized[a].stride) * axes[a].windows * unit
          rest = Math.floor(rest / sized[a].stride)
          unit *= axes[a].functions
        }
        for (let c = 0; c < inputs; c++) {
          v[basis * inputs + c] = channels[phase * inputs + c]
          v[half + basis * inputs + c] = channels[phases * inputs + phase * inputs + c]
        }
      }
      return v
    },
  }
}

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

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
