/** Shifts δ of a trigonometric polynomial, [count, axes] flat. */
export interface Shifts {
  readonly count: number
  readonly values: Int32Array
  /** |δ| ≤ degree, by axis. */
  readonly degrees: readonly number[]
}

/** cos(δ·ω) and sin(δ·ω), alternating, for every shift; cosines and sines are taken once per axis and distance. */
export function writeWaves(shifts: Shifts, frequency: ArrayLike<number>, out: Float64Array): void {
  const { count, values, degrees } = shifts
  const axes = degrees.length
  const cosines: Float64Array[] = []
  const sines: Float64Array[] = []
  for (let a = 0; a < axes; a++) {
    const degree = degrees[a]
    const cosine = new Float64Array(2 * degree + 1)
    const sine = new Float64Array(2 * degree + 1)
    for (let step = 0; step <= degree; step++) {
      const angle = step * frequency[a]
      cosine[degree + step] = cosine[degree - step] = Math.cos(angle)
      sine[degree + step] = Math.sin(angle)
      sine[degree - step] = -sine[degree + step]
    }
    cosines.push(cosine)
    sines.push(sine)
  }
  for (let d = 0, k = 0; d < count; d++) {
    let re = 1
    let im = 0
    for (let a = 0; a < axes; a++, k++) {
      const at = degrees[a] + values[k]
      const c = cosines[a][at]
      const s = sines[a][at]
      const next = re * c - im * s
      im = re * s + im * c
      re = next
    }
    out[2 * d] = re
    out[2 * d + 1] = im
  }
}

/** One number for a shift with |δ_a| ≤ degree_a; positive or zero exactly for shifts whose first nonzero entry is positive. */
export function shiftIndex(
  first: readonly number[],
  second: readonly number[],
  degrees: readonly number[],
): number {
  let index = 0
  for (let a = 0; a < degrees.length; a++) index = index * (2 * degrees[a] + 1) + first[a] - second[a]
  return index
}
