import { type Kernel, tapPositions } from './kernel.ts'
import { type Shifts, shiftIndex, writeWaves } from './waves.ts'

/** Grid points per axis and per degree of the polynomial. */
const DENSITY = 4

/**
 * A bound on the symbol's norm, and so on the finite operator's, from the energy ‖K̂(ω)‖_F² = tr H(ω): a trigonometric
 * polynomial with one number per coefficient. From its largest value E on a grid of N points per axis
 *
 *     sup σ² ≤ sup tr H ≤ E / cos²(Σ_a D_a π/(2N_a)),
 *
 * the trace being a nonnegative polynomial of degree D_a (see Prover, (1)). Exact up to the last factor where there is
 * one channel on one side, as in depthwise convolutions. Cost: taps²/2 passes over a slice, and the grid.
 */
export function energyBound(kernel: Kernel): number {
  const { axes } = kernel
  const degrees = axes.map((axis) => Math.ceil(axis.taps / axis.stride) - 1)
  const energies = energiesOf(kernel, degrees)
  const points = degrees.map((degree) => DENSITY * (degree + 1))
  const total = points.reduce((product, count) => product * count, 1)
  // the trace is even: half of the first axis stands for all of it
  const half = (total / points[0]) * (Math.floor(points[0] / 2) + 1)
  const frequency = new Float64Array(axes.length)
  const waves = new Float64Array(2 * energies.shifts.count)
  let largest = 0
  for (let index = 0; index < half; index++) {
    for (let a = axes.length - 1, rest = index; a >= 0; a--) {
      frequency[a] = (2 * Math.PI * (rest % points[a])) / points[a]
      rest = Math.floor(rest / points[a])
    }
    writeWaves(energies.shifts, frequency, waves)
    let energy = 0
    for (let d = 0; d < energies.values.length; d++) energy += energies.values[d] * waves[2 * d]
    if (energy > largest) largest = energy
  }
  const reach = degrees.reduce((sum, degree, a) => sum + (degree * Math.PI) / (2 * points[a]), 0)
  return reach < 1.5 ? (Math.sqrt(largest) / Math.cos(reach)) * (1 + 2 ** -26) : Infinity
}

/** The coefficients of tr H(ω) = Σ_δ c_δ cos(δ·ω), δ and −δ joined. */
function energiesOf(kernel: Kernel, degrees: readonly number[]): { shifts: Shifts; values: Float64Array } {
  const { axes, slices, outputs, inputs } = kernel
  const size = outputs * inputs
  const positions = tapPositions(kernel)
  const blocks = positions.map((tap) => tap.map((position, a) => Math.floor(position / axes[a].stride)))
  const phases = positions.map((tap) =>
    tap.reduce((index, position, a) => index * axes[a].stride + (position % axes[a].stride), 0),
  )
  const sums = new Map<number, number>()
  const shiftOf = new Map<number, number[]>()
  for (let t = 0; t < positions.length; t++) {
    for (let w = 0; w <= t; w++) {
      if (phases[t] !== phases[w]) continue
      let product = 0
      for (let i = 0, p = t * size, q = w * size; i < size; i++, p++, q++) product += slices[p] * slices[q]
      const index = shiftIndex(blocks[t], blocks[w], degrees)
      if (!shiftOf.has(index)) {
        shiftOf.set(
          index,
          blocks[t].map((block, a) => block - blocks[w][a]),
        )
      }
      sums.set(index, (sums.get(index) ?? 0) + (w === t ? product : 2 * product))
    }
  }
  const values = Int32Array.from([...shiftOf.values()].flat())
  return { shifts: { count: sums.size, values, degrees }, values: Float64Array.from(sums.values()) }
}
