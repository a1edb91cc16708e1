import { type Kernel, tapPositions } from './kernel.ts'

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
  const { axes, slices, outputs, inputs } = kernel
  const taps = tapPositions(kernel)
  const size = outputs * inputs
  const shifts = new Map<string, { shift: number[]; value: number }>()
  taps.forEach((tap, t) => {
    for (let w = 0; w <= t; w++) {
      const gap = tap.map((position, a) => (position - taps[w][a]) / axes[a].stride)
      if (!gap.every(Number.isInteger)) continue
      let product = 0
      for (let i = 0; i < size; i++) product += slices[t * size + i] * slices[w * size + i]
      const key = gap.join()
      const entry = shifts.get(key) ?? { shift: gap, value: 0 }
      entry.value += w === t ? product : 2 * product
      shifts.set(key, entry)
    }
  })
  const terms = [...shifts.values()]
  const degrees = axes.map((axis) => Math.ceil(axis.taps / axis.stride) - 1)
  const points = degrees.map((degree) => DENSITY * (degree + 1))
  const total = points.reduce((product, count) => product * count, 1)
  // the trace is even: half of the first axis stands for all of it
  const half = (total / points[0]) * (Math.floor(points[0] / 2) + 1)
  const phase = new Array<number>(axes.length).fill(0)
  let largest = 0
  for (let index = 0; index < half; index++) {
    for (let a = axes.length - 1, rest = index; a >= 0; a--) {
      phase[a] = (2 * Math.PI * (rest % points[a])) / points[a]
      rest = Math.floor(rest / points[a])
    }
    let energy = 0
    for (const { shift, value } of terms) {
      let angle = 0
      for (let a = 0; a < shift.length; a++) angle += shift[a] * phase[a]
      energy += value * Math.cos(angle)
    }
    if (energy > largest) largest = energy
  }
  const reach = degrees.reduce((sum, degree, a) => sum + (degree * Math.PI) / (2 * points[a]), 0)
  return reach < 1.5 ? (Math.sqrt(largest) / Math.cos(reach)) * (1 + 2 ** -26) : Infinity
}
