import { lanczos } from '../../linalg/lanczos.ts'

/** Order up to which all eigenvectors are found. */
const JACOBI = 40
const SWEEPS = 12

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, nearly: no proof rests on them. All of them by Jacobi's rotations
 * where the order is small, else the top pair of a positive semidefinite matrix alone.
 */
export function eigenvectors(
  matrix: Float64Array,
  order: number,
): { values: number[]; vectors: Float64Array[] } {
  return order <= JACOBI ? byRotations(matrix.slice(), order) : topPair(matrix, order)
}

function byRotations(a: Float64Array, order: number): { values: number[]; vectors: Float64Array[] } {
  const vectors = Array.from({ length: order }, (_, i) => {
    const vector = new Float64Array(order)
    vector[i] = 1
    return vector
  })
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let off = 0
    let on = 0
    for (let i = 0; i < order; i++) {
      on += a[i * order + i] ** 2
      for (let j = 0; j < i; j++) off += a[i * order + j] ** 2
    }
    if (off <= 1e-30 * on) break
    for (let p = 0; p < order; p++) for (let q = p + 1; q < order; q++) rotate(a, order, p, q, vectors)
  }
  return { values: vectors.map((_, i) => a[i * order + i]), vectors }
}

/** Turns columns and rows p and q so that the element between them vanishes. */
function rotate(a: Float64Array, order: number, p: number, q: number, vectors: Float64Array[]): void {
  const between = a[p * order + q]
  if (between === 0) return
  const theta = (a[q * order + q] - a[p * order + p]) / (2 * between)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1))
  const c = 1 / Math.hypot(t, 1)
  const s = t * c
  for (let k = 0; k < order; k++) {
    const [x, y] = [a[k * order + p], a[k * order + q]]
    a[k * order + p] = c * x - s * y
    a[k * order + q] = s * x + c * y
  }
  for (let k = 0; k < order; k++) {
    const [x, y] = [a[p * order + k], a[q * order + k]]
    a[p * order + k] = c * x - s * y
    a[q * order + k] = s * x + c * y
  }
  const [v, w] = [vectors[p], vectors[q]]
  for (let k = 0; k < order; k++) {
    const [x, y] = [v[k], w[k]]
    v[k] = c * x - s * y
    w[k] = s * x + c * y
  }
}

/** The largest eigenvalue of a positive semidefinite matrix, and its vector. */
export function topPair(matrix: Float64Array, order: number): { values: number[]; vectors: Float64Array[] } {
  const start = new Float64Array(order).map((_, i) => 1 + ((i * 7919) % 101) / 101)
  const process = lanczos(start, 0, true)
  const image = new Float64Array(order)
  do {
    for (let i = 0; i < order; i++) {
      let sum = 0
      for (let j = 0, at = i * order; j < order; j++, at++) sum += matrix[at] * process.direction[j]
      image[i] = sum
    }
    process.step(image)
  } while (!process.exhausted && process.steps < 30 && process.residual() > 1e-5 * process.ritzValue)
  const vector = new Float64Array(order)
  process.ritzVector(vector)
  return { values: [process.ritzValue], vectors: [vector] }
}
