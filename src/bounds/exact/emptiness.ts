/**
 * Proves that no point lies strictly inside all of some half-spaces pᵢ·x + qᵢ > 0, given in integers: λ ≥ 0 with
 * Σ λᵢ pᵢ = 0, Σ λᵢ qᵢ ≤ 0 and λ ≠ 0 (Gordan, Motzkin), the zeros exact. Dependences between the normals follow from
 * fraction-free elimination (Bareiss); one of them with weights of one sign is the proof. Half-spaces of normal 0 count
 * where q < 0 alone: q = 0 is no condition. Cost: d²·(number of half-spaces) products of integers that grow d-fold.
 */
export function isProvenEmpty(halfSpaces: readonly (readonly bigint[])[]): boolean {
  if (halfSpaces.length === 0) return false
  const d = halfSpaces[0].length - 1
  const proper: (readonly bigint[])[] = []
  for (const row of halfSpaces) {
    if (row.slice(0, d).some((value) => value !== 0n)) proper.push(shortened(row))
    else if (row[d] < 0n) return true
  }
  return dependences(proper, d).some((weights) => {
    const signs = weights.map((weight) => (weight > 0n ? 1 : weight < 0n ? -1 : 0))
    const [hasPositive, hasNegative] = [signs.includes(1), signs.includes(-1)]
    if (hasPositive === hasNegative) return false
    const sum = proper.reduce((total, row, i) => total + weights[i] * row[d], 0n)
    return hasPositive ? sum <= 0n : sum >= 0n
  })
}

/** Without the factors of two that all have. */
function shortened(row: readonly bigint[]): readonly bigint[] {
  let all = 0n
  for (const value of row) all |= value < 0n ? -value : value
  let shift = 0n
  while ((all & 0xffffffffn) === 0n) {
    all >>= 32n
    shift += 32n
  }
  while ((all & 1n) === 0n) {
    all >>= 1n
    shift += 1n
  }
  return shift === 0n ? row : row.map((value) => value >> shift)
}

/** A basis of all w with Σ wᵢ pᵢ = 0. */
function dependences(rows: readonly (readonly bigint[])[], d: number): bigint[][] {
  const count = rows.length
  const matrix = Array.from({ length: d }, (_, k) => rows.map((row) => row[k]))
  const pivots: number[] = []
  const free: number[] = []
  let previous = 1n
  for (let column = 0; column < count; column++) {
    const at = pivots.length
    const found = matrix.findIndex((row, i) => i >= at && row[column] !== 0n)
    if (found < 0) {
      free.push(column)
      continue
    }
    ;[matrix[at], matrix[found]] = [matrix[found], matrix[at]]
    const pivot = matrix[at][column]
    matrix.forEach((row, i) => {
      if (i === at) return
      const factor = row[column]
      for (let k = 0; k < count; k++) row[k] = (pivot * row[k] - factor * matrix[at][k]) / previous
    })
    previous = pivot
    pivots.push(column)
  }
  // all pivots are the last one by now
  return free.map((column) => {
    const weights = new Array<bigint>(count).fill(0n)
    weights[column] = previous
    pivots.forEach((pivot, i) => {
      weights[pivot] = -matrix[i][column]
    })
    return weights
  })
}
