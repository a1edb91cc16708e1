/**
 * Real orthonormal trigonometric bases of circles of N points, and how products of them over several axes make up the
 * complex waves that a convolution on the circles acts on.
 *
 * The basis of one axis: √(1/N) · 1, then √(2/N)cos and √(2/N)sin of 2πkx/N for 0 < k < N/2, then √(1/N)(−1)^x if N is even.
 * A product of basis functions over the axes is free in those axes that have a cosine and a sine; with Σ_β a_β ∏ (cos or
 * sin)(ω_a x_a), β ∈ {0, 1}^free, the real field is Σ_s Re √(2/M) z_s e^{i s·ω·x} over the signs s with first entry +, where
 *
 *     z_s = 2^{(1−f)/2} Σ_β a_β ∏_a (−i s_a)^{β_a},
 *
 * an orthogonal map of the a_β to the real and imaginary parts of the z_s.
 */

/** One frequency of an axis: its first basis function, and whether a sine follows the cosine. */
interface AxisFrequency {
  readonly turns: number
  readonly first: number
  readonly free: boolean
}

function axisFrequencies(points: number): AxisFrequency[] {
  const found: AxisFrequency[] = []
  let first = 0
  for (let k = 0; 2 * k <= points; k++) {
    const free = k > 0 && 2 * k < points
    found.push({ turns: k / points, first, free })
    first += free ? 2 : 1
  }
  return found
}

/** The basis functions at the points 0 to `count` − 1: [function, point]. Entries err by at most 2⁻⁴⁹√(2/N). */
export function trigonometricBasis(points: number, count: number): number[][] {
  return axisFrequencies(points).flatMap(({ free }, k) => {
    const scale = Math.sqrt((free ? 2 : 1) / points)
    const row = (wave: (angle: number) => number) =>
      Array.from({ length: count }, (_, x) => {
        const step = (k * x) % points
        const near = 2 * step > points ? step - points : step
        return scale * wave((2 * Math.PI * near) / points)
      })
    return free ? [row(Math.cos), row(Math.sin)] : [row(Math.cos)]
  })
}

/** Frequencies that differ in the signs of their free axes only. */
export interface FrequencyGroup {
  /** Number of the first basis function on each axis. */
  readonly first: readonly number[]
  readonly free: readonly boolean[]
  /** The frequencies in radians, one per choice of signs. */
  readonly frequencies: readonly (readonly number[])[]
}

/** All frequencies of a product of circles but for ω and −ω being one. */
export function frequencyGroups(points: readonly number[]): FrequencyGroup[] {
  let tuples: AxisFrequency[][] = [[]]
  for (const count of points) {
    const own = axisFrequencies(count)
    tuples = tuples.flatMap((head) => own.map((frequency) => [...head, frequency]))
  }
  return tuples.map((tuple) => {
    const free = tuple.map((frequency) => frequency.free)
    return {
      first: tuple.map((frequency) => frequency.first),
      free,
      frequencies: signChoices(free).map((signs) =>
        tuple.map(({ turns }, a) => 2 * Math.PI * turns * signs[a]),
      ),
    }
  })
}

/** Signs of every axis, + where it is not free and where it is the first that is. */
function signChoices(free: readonly boolean[]): number[][] {
  const leading = free.indexOf(true)
  let choices: number[][] = [[]]
  free.forEach((isFree, a) => {
    const own = isFree && a !== leading ? [1, -1] : [1]
    choices = choices.flatMap((head) => own.map((sign) => [...head, sign]))
  })
  return choices
}

/** The a_β's offsets from the first basis functions, [axis] each, in the order of `waveMatrix`'s columns. */
export function basisOffsets(free: readonly boolean[]): number[][] {
  let offsets: number[][] = [[]]
  for (const isFree of free)
    offsets = offsets.flatMap((head) => (isFree ? [0, 1] : [0]).map((b) => [...head, b]))
  return offsets
}

/** From the a_β to (Re z_s, Im z_s) for every choice of signs; without free axes Im z is 0. Its rows are orthonormal or 0. */
export function waveMatrix(free: readonly boolean[]): number[][] {
  const offsets = basisOffsets(free)
  const count = free.filter((isFree) => isFree).length
  if (count === 0) return [[1], [0]]
  const scale = 2 ** ((1 - count) / 2)
  return signChoices(free).flatMap((signs) => {
    const factors = offsets.map((bits) => {
      const sines = bits.reduce((sum, bit) => sum + bit, 0)
      const sign = bits.reduce((product, bit, a) => product * (bit === 1 ? signs[a] : 1), 1)
      // (−i)^sines
      const [re, im] = [
        [1, 0],
        [0, -1],
        [-1, 0],
        [0, 1],
      ][sines % 4]
      return { re: scale * sign * re, im: scale * sign * im }
    })
    return [factors.map(({ re }) => re), factors.map(({ im }) => im)]
  })
}
