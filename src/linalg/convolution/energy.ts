import { type Kernel, tapPositions } from './kernel.ts'
import { type Shifts, shiftIndex, writeWaves } from './waves.ts'

/** Grid points per axis and per degree of the polynomial. */
const DENSITY = 4

/**
 * Bounds on the symbols' norms of kernels of one geometry, and so on the finite operators', from the energy ‖K̂(ω)‖_F² = tr H(ω): a trigonometric
 * polynomial with one number per coefficient. From its largest value E on a grid of N points per axis
 *
 *     sup σ² ≤ sup tr H ≤ E / cos²(Σ_a D_a π/(2N_a)),
 *
 * the trace being a nonnegative polynomial of degree D_a (see Prover, (1)). Exact up to the last factor where there is
 * one channel on one side, as in depthwise convolutions. Cost: taps²/2 passes over a slice
 * and a product of 2^axes·taps numbers for every grid point, for each kernel.
 */
export function energyBounds(kernels: readonly Kernel[]): number[] {
  const { axes } = kernels[0]
  const degrees = axes.map((axis) => Math.ceil(axis.taps / axis.stride) - 1)
  const pairs = pairsOf(kernels[0], degrees)
  const energies = kernels.map((kernel) => energiesOf(kernel, pairs))
  const points = degrees.map((degree) => DENSITY * (degree + 1))
  const total = points.reduce((product, count) => product * count, 1)
  // the trace is even: half of the first axis stands for all of it
  const half = (total / points[0]) * (Math.floor(points[0] / 2) + 1)
  const frequency = new Float64Array(axes.length)
  const { count } = pairs.shifts
  const waves = new Float64Array(2 * count)
  const largest = new Float64Array(kernels.length)
  for (let index = 0; index < half; index++) {
    for (let a = axes.length - 1, rest = index; a >= 0; a--) {
      frequency[a] = (2 * Math.PI * (rest % points[a])) / points[a]
      rest = Math.floor(rest / points[a])
    }
    writeWaves(pairs.shifts, frequency, waves)
    for (let k = 0; k < energies.length; k++) {
      const values = energies[k]
      let energy = 0
      for (let d = 0; d < count; d++) energy += values[d] * waves[2 * d]
      if (energy > largest[k]) largest[k] = energy
    }
  }
  const reach = degrees.reduce((sum, degree, a) => sum + (degree * Math.PI) / (2 * points[a]), 0)
  const between = reach < 1.5 ? (1 + 2 ** -26) / Math.cos(reach) : Infinity
  return Array.from(largest, (energy) => (energy === 0 ? 0 : Math.sqrt(energy) * between))
}

/** The pairs of taps (t, w) that meet at one shift, w ≤ t. */
interface TapPairs {
  readonly shifts: Shifts
  readonly first: Int32Array
  readonly second: Int32Array
  /** Number of the pair's shift. */
  readonly shiftOf: Int32Array
}

function pairsOf(kernel: Kernel, degrees: readonly number[]): TapPairs {
  const { axes } = kernel
  const positions = tapPositions(kernel)
  const blocks = positions.map((tap) => tap.map((position, a) => Math.floor(position / axes[a].stride)))
  const phases = positions.map((tap) =>
    tap.reduce((index, position, a) => index * axes[a].stride + (position % axes[a].stride), 0),
  )
  const numbers = new Map<number, number>()
  const values: number[] = []
  const first: number[] = []
  const second: number[] = []
  const shiftOf: number[] = []
  for (let t = 0; t < positions.length; t++) {
    for (let w = 0; w <= t; w++) {
      if (phases[t] !== phases[w]) continue
      const index = shiftIndex(blocks[t], blocks[w], degrees)
      let number = numbers.get(index)
      if (number === undefined) {
        number = numbers.size
        numbers.set(index, number)
        for (let a = 0; a < degrees.length; a++) values.push(blocks[t][a] - blocks[w][a])
      }
      first.push(t)
      second.push(w)
      shiftOf.push(number)
    }
  }
  return {
    shifts: { count: numbers.size, values: Int32Array.from(values), degrees },
    first: Int32Array.from(first),
    second: Int32Array.from(second),
    shiftOf: Int32Array.from(shiftOf),
  }
}

/** The coefficients of tr H(ω) = Σ_δ c_δ cos(δ·ω), δ and −δ joined. */
function energiesOf({ slices, outputs, inputs }: Kernel, pairs: TapPairs): Float64Array {
  const size = outputs * inputs
  const sums = new Float64Array(pairs.shifts.count)
  for (let pair = 0; pair < pairs.first.length; pair++) {
    const t = pairs.first[pair]
    const w = pairs.second[pair]
    let product = 0
    for (let i = 0, p = t * size, q = w * size; i < size; i++, p++, q++) product += slices[p] * slices[q]
    sums[pairs.shiftOf[pair]] += w === t ? product : 2 * product
  }
  return sums
}
