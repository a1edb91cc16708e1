import { gaussianVector, type Random } from '../../../core/random.ts'
import { norm } from './krylov.ts'
import { type Loop, scaledLoop } from './loop.ts'
import type { Scaling } from './search.ts'

/** Power steps for each source, and what norms are taken above what they say. */
const POWER = 2
const ROOM = 1.1

/** Applications of H and its adjoint that a start takes for each source. */
export const startPasses = POWER

/**
 * One multiplier for each tie and head, those of the mean-slope bound: with N_jk the norms of the blocks of H, b_j = Σ N_jk b_k
 * from the heads on, and m_k = Σ N_jk m_j from the outputs back, e^2t = m/b makes N at most 1 and √Σ e^2τ b² the bound of the
 * recursion. Norms are estimates, from a few steps of power iteration on all blocks of one source at once: nothing is proven.
 * `sizes` are what the outputs of each block vary by, roughly. Null where numbers leave their range.
 */
export function meanSlopeStart(
  loop: Loop,
  bounds: readonly number[],
  random: Random,
  sizes: { readonly ties: readonly number[]; readonly target: number },
): Scaling | null {
  const { ties, heads, window } = loop
  const plain = scaledLoop(
    loop,
    new Float64Array(loop.size),
    heads.map(() => 1),
  )
  const end = ties.reduce((sum, { measured }) => sum + measured, 0)
  const rows = [...ties.map(({ measured }) => measured), plain.outputs - end]
  const weights = [...sizes.ties, sizes.target].map((size) => 1 / size)
  const lengthOf = (source: number) => window.sources[source].sizes.reduce((sum, size) => sum + size, 0)
  const order = [...heads, ...ties.map(({ source }) => source)]
  /** For each source the norms of its blocks. */
  const norms = order.map((source) => {
    const from = plain.starts[source]
    const length = lengthOf(source)
    let part = gaussianVector(length, random)
    const found = new Float64Array(rows.length)
    for (let step = 0; step < POWER; step++) {
      const size = norm(part)
      if (!(size > 0 && Number.isFinite(size))) break
      const x = new Float64Array(plain.inputs)
      for (let i = 0; i < length; i++) x[from + i] = part[i] / size
      const y = plain.apply(x)
      rows.forEach((count, j) => {
        const from = plain.ends[j]
        const block = y.subarray(from, from + count)
        found[j] = Math.max(found[j], norm(block))
        const scale = weights[j] ** 2
        for (let i = 0; i < count; i++) block[i] *= scale
      })
      if (step + 1 < POWER) part = plain.applyAdjoint(y).slice(from, from + length)
    }
    return found
  })
  const levels = ties.map(({ level }) => level)
  const byLevel = [...ties.keys()].sort((i, j) => levels[i] - levels[j])
  const count = heads.length
  const b = new Float64Array(order.length)
  b.set(bounds)
  const reach = (j: number) => norms.reduce((sum, found, k) => sum + ROOM * found[j] * b[k], 0)
  for (const j of byLevel) b[count + j] = reach(j)
  const last = reach(ties.length)
  const m = new Float64Array(order.length)
  const back = (k: number) =>
    rows.reduce((sum, _, j) => sum + ROOM * norms[k][j] * (j < ties.length ? m[count + j] : last), 0)
  for (const j of byLevel.toReversed()) m[count + j] = back(count + j)
  for (let k = 0; k < count; k++) m[k] = back(k)
  const half = (k: number) => 0.5 * Math.log((m[k] || 1e-12 * last) / (b[k] || 1e-12 * last))
  const start = {
    ties: new Float64Array(loop.size),
    heads: Float64Array.from(heads, (_, h) => half(h)),
  }
  ties.forEach(({ offset, groups }, j) => {
    start.ties.fill(half(count + j), offset, offset + groups)
  })
  return [...start.ties, ...start.heads].every(Number.isFinite) ? start : null
}
