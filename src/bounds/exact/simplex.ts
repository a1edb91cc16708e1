/**
 * The deepest point of a polyhedron in floating point: the largest t with pᵢ·x + qᵢ ≥ t for all rows (pᵢ, qᵢ), |pᵢ| = 1,
 * t ≤ cap and |xₖ| ≤ reach − t; solved as its dual
 *
 *     minimise  Σ λᵢ qᵢ + cap·λ₀ + reach·Σ μₖ    with  Σ λᵢ pᵢ + Σ ±μₖ eₖ = ε,   Σ λ + λ₀ + Σ μ = 1,   λ, μ ≥ 0,
 *
 * by the revised simplex method, ε a small perturbation against cycling. Rows may be added to a solved problem: its basis
 * stays feasible. Where t ≤ 0 the λ in the basis name the rows that leave no room. Nothing here is proven.
 * Cost: a pivot takes rows · (d + 1) + (d + 1)² multiply-adds.
 */
export interface Deepest {
  readonly x: Float64Array
  readonly depth: number
  /** Rows with a weight, and whether the bounds of x have one. */
  readonly support: readonly number[]
  readonly leansOnReach: boolean
  /** To begin with where rows have been added. */
  readonly basis: Int32Array
  readonly pivots: number
}

export interface SimplexOptions {
  readonly dimension: number
  readonly reach: number
  readonly cap: number
  readonly basis?: Int32Array | null
}

/** Columns that are no rows: the cap, then +e₁ … +e_d, −e₁ … −e_d. */
const CAP = -1

/** Weights below this come from the perturbation. */
const LIGHT = 1e-7
const PERTURBATION = 1e-10

/** Null where rounding got in the way. `rows` hold d + 1 numbers each. */
export function deepestPoint(
  rows: readonly Float64Array[],
  { dimension: d, reach, cap, basis: given }: SimplexOptions,
): Deepest | null {
  const m = d + 1
  const start = Int32Array.from({ length: m }, (_, i) => (i < d ? -2 - i : CAP))
  const basis = given?.slice() ?? start
  let inverse = invertBasis(basis, rows, d)
  if (inverse === null && given != null) {
    basis.set(start)
    inverse = invertBasis(basis, rows, d)
  }
  if (inverse === null) return null
  const rhs = Float64Array.from({ length: m }, (_, i) =>
    i < d ? PERTURBATION * (1 + ((i * 7) % 11) / 11) : 1,
  )
  const weights = new Float64Array(m)
  multiply(inverse, rhs, weights, m)
  if (weights.some((weight) => weight < -1e-9)) {
    if (given == null) return null
    return deepestPoint(rows, { dimension: d, reach, cap })
  }
  const costOf = (column: number) => (column >= 0 ? rows[column][d] : column === CAP ? cap : reach)
  const prices = new Float64Array(m)
  const direction = new Float64Array(m)
  const column = new Float64Array(m)
  const most = 60 + 12 * m
  const tolerance = 1e-12 * Math.max(1, reach)
  let pivots = 0
  for (; pivots < most; pivots++) {
    prices.fill(0)
    for (let i = 0; i < m; i++) {
      const cost = costOf(basis[i])
      if (cost !== 0) for (let k = 0; k < m; k++) prices[k] += cost * inverse[i * m + k]
    }
    const entering = cheapest(rows, prices, d, reach, cap, tolerance, pivots > most / 2)
    if (entering === null) break
    place(entering, rows, d, column)
    multiply(inverse, column, direction, m)
    let leaving = -1
    let least = Infinity
    for (let i = 0; i < m; i++) {
      if (!(direction[i] > 1e-9)) continue
      const ratio = Math.max(0, weights[i]) / direction[i]
      if (ratio < least || (ratio === least && direction[i] > direction[leaving])) {
        least = ratio
        leaving = i
      }
    }
    if (leaving < 0) return null
    for (let i = 0; i < m; i++) if (i !== leaving) weights[i] -= least * direction[i]
    weights[leaving] = least
    basis[leaving] = entering
    pivot(inverse, direction, leaving, m)
    if (pivots % 40 === 39) {
      inverse = invertBasis(basis, rows, d)
      if (inverse === null) return null
      multiply(inverse, rhs, weights, m)
    }
  }
  if (pivots === most) return null
  const support: number[] = []
  let leansOnReach = false
  basis.forEach((at, i) => {
    if (weights[i] < LIGHT) return
    if (at >= 0) support.push(at)
    else if (at !== CAP) leansOnReach = true
  })
  return {
    x: Float64Array.from({ length: d }, (_, i) => -prices[i]),
    depth: prices[d],
    support: support.sort((a, b) => a - b),
    leansOnReach,
    basis,
    pivots,
  }
}

/** The column that gains most, or the first that gains where pivots go round in circles; null where none does. */
function cheapest(
  rows: readonly Float64Array[],
  prices: Float64Array,
  d: number,
  reach: number,
  cap: number,
  tolerance: number,
  first: boolean,
): number | null {
  let entering: number | null = null
  let least = -tolerance
  const offer = (column: number, cost: number) => {
    if (cost >= least) return
    entering = column
    least = first ? -Infinity : cost
  }
  offer(CAP, cap - prices[d])
  for (let i = 0; i < d; i++) {
    offer(-2 - i, reach - prices[i] - prices[d])
    offer(-2 - d - i, reach + prices[i] - prices[d])
  }
  for (let j = 0; j < rows.length; j++) {
    const row = rows[j]
    let cost = row[d] - prices[d]
    for (let k = 0; k < d; k++) cost -= prices[k] * row[k]
    offer(j, cost)
  }
  return entering
}

function place(column: number, rows: readonly Float64Array[], d: number, target: Float64Array): void {
  target.fill(0)
  target[d] = 1
  if (column >= 0) for (let k = 0; k < d; k++) target[k] = rows[column][k]
  else if (column <= -2 - d) target[-2 - d - column] = -1
  else if (column !== CAP) target[-2 - column] = 1
}

function multiply(matrix: Float64Array, x: Float64Array, target: Float64Array, m: number): void {
  for (let i = 0; i < m; i++) {
    let sum = 0
    for (let k = 0; k < m; k++) sum += matrix[i * m + k] * x[k]
    target[i] = sum
  }
}

/** The inverse after the basic column of one row was replaced by one with this direction. */
function pivot(inverse: Float64Array, direction: Float64Array, leaving: number, m: number): void {
  const scale = 1 / direction[leaving]
  for (let k = 0; k < m; k++) inverse[leaving * m + k] *= scale
  for (let i = 0; i < m; i++) {
    const factor = direction[i]
    if (i === leaving || factor === 0) continue
    for (let k = 0; k < m; k++) inverse[i * m + k] -= factor * inverse[leaving * m + k]
  }
}

/** Gauss-Jordan with pivoting; null where the columns depend on one another, nearly. */
function invertBasis(basis: Int32Array, rows: readonly Float64Array[], d: number): Float64Array | null {
  const m = d + 1
  const matrix = new Float64Array(m * m)
  const inverse = new Float64Array(m * m)
  const column = new Float64Array(m)
  for (let j = 0; j < m; j++) {
    place(basis[j], rows, d, column)
    for (let i = 0; i < m; i++) matrix[i * m + j] = column[i]
    inverse[j * m + j] = 1
  }
  for (let at = 0; at < m; at++) {
    let best = at
    for (let i = at + 1; i < m; i++)
      if (Math.abs(matrix[i * m + at]) > Math.abs(matrix[best * m + at])) best = i
    const value = matrix[best * m + at]
    if (!(Math.abs(value) > 1e-11)) return null
    for (const array of [matrix, inverse]) {
      for (let k = 0; k < m; k++) {
        const held = array[at * m + k]
        array[at * m + k] = array[best * m + k] / value
        if (best !== at) array[best * m + k] = held
      }
    }
    for (let i = 0; i < m; i++) {
      const factor = matrix[i * m + at]
      if (i === at || factor === 0) continue
      for (let k = 0; k < m; k++) {
        matrix[i * m + k] -= factor * matrix[at * m + k]
        inverse[i * m + k] -= factor * inverse[at * m + k]
      }
    }
  }
  return inverse
}
