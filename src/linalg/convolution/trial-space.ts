import { gamma } from '../rounding-error.ts'
import type { SizedAxis } from './axis.ts'
import type { Kernel } from './kernel.ts'
import { sumOfSliceNorms, tapCount } from './kernel.ts'
import { dot, windowAxis } from './windows.ts'

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
