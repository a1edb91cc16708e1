export function norm(x: Float64Array): number {
  let sum = 0
  for (const value of x) sum += value * value
  return Math.sqrt(sum)
}

export function distance(x: Float64Array, y: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += (x[i] - y[i]) ** 2
  return Math.sqrt(sum)
}

export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i]
  return sum
}

/** x + step·direction. */
export function moved(x: Float64Array, direction: Float64Array, step: number): Float64Array {
  return x.map((value, i) => value + step * direction[i])
}

/** Of length 1; the zero vector stays. */
export function unit(x: Float64Array): Float64Array {
  const length = norm(x)
  return length === 0 ? x : x.map((value) => value / length)
}

export function basis(size: number, i: number): Float64Array {
  const result = new Float64Array(size)
  result[i] = 1
  return result
}

/** Normally distributed numbers (Box and Muller). */
export function gaussian(size: number, random: () => number): Float64Array {
  return Float64Array.from(
    { length: size },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  )
}

/** The vectors made orthonormal one after another; those that depend on earlier ones are left out. */
export function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const result: Float64Array[] = []
  for (const vector of vectors) {
    let rest = unit(vector)
    for (let pass = 0; pass < 2; pass++) {
      for (const earlier of result) rest = moved(rest, earlier, -dot(rest, earlier))
    }
    if (norm(rest) > 1e-6) result.push(unit(rest))
  }
  return result
}

/** Coefficients c of length 1 for which |Σ cᵢ·columnᵢ| is about the largest, by power iteration. */
export function topCombination(columns: readonly Float64Array[], random: () => number): Float64Array {
  const gram = columns.map((column) => Float64Array.from(columns, (other) => dot(column, other)))
  let c = unit(gaussian(columns.length, random))
  for (let iteration = 0; iteration < 100; iteration++) {
    const next = unit(Float64Array.from(gram, (row) => dot(row, c)))
    if (norm(next) === 0) break
    c = next
  }
  return c
}
