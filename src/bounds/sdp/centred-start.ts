import { allocateFloats, floatsAt, scoped } from '../../linalg/arena.ts'
import { kernels, type Pointer } from '../../linalg/kernels.ts'
import { addProduct, plain } from './block-matrix.ts'
import type { BlockRow, SdpProblem } from './problem.ts'

/** Steps of power iteration. */
const POWER = 25

/**
 * ln of multipliers under which P is positive definite whatever the slopes are: those of the mean-slope bound. With
 * a = C z + √R u, |uⱼ|² ≤ |√R zⱼ|² is the constraint with Λ = 1/R, and z is linear in x and u. For N_ks = ‖√R_k H_s √R_s‖,
 * b_k = Σ N_ks b_s and the weights m_s = Σ m_k N_ks from the output back,
 *
 *     |y|² + Σ (mₖ/bₖ)(|√Rₖ zₖ|² − |uₖ|²)  ≤  b_y² |x|²
 *
 * by Cauchy-Schwarz. Norms are estimates, rounded up generously: no proof rests on them. Null where numbers leave the
 * range. Cost: a product of matrices for each pair of blocks and each way between them.
 */
export function centredStart(problem: SdpProblem): Float64Array | null {
  const { activations, sizes, output } = problem
  const centers = activations.map(({ lo, hi }) => lo.map((low, i) => (low + hi[i]) / 2))
  const roots = activations.map(({ lo, hi }) => lo.map((low, i) => Math.sqrt((hi[i] - low) / 2)))
  return scoped(() => {
    const largest = Math.max(...sizes, output.rows)
    const packed = allocateFloats((2 * largest + 6) * 256)
    /** For each block the maps from x and each u to its z, rows × size. */
    const maps: Map<number, Pointer>[] = []
    const norms: Map<number, number>[] = []

    function add(row: BlockRow, scale: Float64Array | null): void {
      const found = new Map<number, Pointer>()
      const at = (source: number) => {
        const known = found.get(source)
        if (known !== undefined) return known
        const made = allocateFloats(row.rows * sizes[source])
        floatsAt(made, row.rows * sizes[source]).fill(0)
        found.set(source, made)
        return made
      }
      for (const { block, columns, data } of row.reads) {
        const own = floatsAt(at(block), row.rows * columns)
        const root = block === 0 ? null : roots[block - 1]
        for (let i = 0; i < own.length; i += columns)
          for (let k = 0; k < columns; k++) own[i + k] += data[i + k] * (root === null ? 1 : root[k])
        if (block === 0) continue
        const center = centers[block - 1]
        const through = allocateFloats(row.rows * columns)
        const scaled = floatsAt(through, row.rows * columns)
        for (let i = 0; i < scaled.length; i += columns)
          for (let k = 0; k < columns; k++) scaled[i + k] = data[i + k] * center[k]
        for (const [source, map] of maps[block - 1]) {
          const shape = [row.rows, sizes[source], columns] as const
          addProduct(at(source), plain(through, columns), plain(map, sizes[source]), shape, 1, packed)
        }
      }
      maps.push(found)
      norms.push(
        new Map(
          Array.from(found, ([source, map]) => {
            return [source, 1.02 * normOf(map, row.rows, sizes[source], scale)]
          }),
        ),
      )
    }

    activations.forEach((row, j) => {
      add(row, roots[j])
    })
    add(output, null)
    const bounds = [1]
    for (const from of norms) {
      let sum = 0
      for (const [source, norm] of from) sum += norm * bounds[source]
      bounds.push(sum)
    }
    const last = norms.length
    const weights = new Array<number>(last + 1).fill(0)
    weights[last] = bounds[last]
    for (let k = last; k > 0; k--) {
      for (const [source, norm] of norms[k - 1]) weights[source] += weights[k] * norm
    }
    const logarithms = activations.flatMap(({ lo, hi }, j) => {
      const multiplier = weights[j + 1] / (bounds[j + 1] * weights[0])
      return Array.from(lo, (low, i) => Math.log((2 * multiplier) / (hi[i] - low)))
    })
    return logarithms.every(Number.isFinite) ? Float64Array.from(logarithms) : null
  })
}

/** ‖diag(scale)·A‖₂ by power iteration, from below, for A in the arena. */
function normOf(a: Pointer, rows: number, columns: number, scale: Float64Array | null): number {
  return scoped(() => {
    const [image, vector] = [allocateFloats(rows), allocateFloats(columns)]
    const [w, v] = [floatsAt(image, rows), floatsAt(vector, columns)]
    for (let i = 0; i < columns; i++) v[i] = 1 + ((i * 7919) % 101) / 101
    let [norm, length] = [0, lengthOf(v)]
    for (let step = 0; step < POWER; step++) {
      for (let i = 0; i < columns; i++) v[i] /= length
      kernels().imageF64(a, rows, columns, vector, image)
      if (scale !== null) for (let i = 0; i < rows; i++) w[i] *= scale[i] * scale[i]
      v.fill(0)
      kernels().adjointF64(a, rows, columns, image, vector)
      length = lengthOf(v)
      if (!(length > 0)) return 0
      norm = Math.sqrt(length)
    }
    return norm
  })
}

function lengthOf(vector: Float64Array): number {
  let square = 0
  for (let i = 0; i < vector.length; i++) square += vector[i] * vector[i]
  return Math.sqrt(square)
}
