/**
 * What the SDP bound is about: vectors x and a₁ … aₘ with zⱼ = Σₖ Gₖⱼ aₖ (a₀ = x), an output y = Σₖ Gₖ aₖ, and
 * (aⱼ − α zⱼ)(β zⱼ − aⱼ) ≥ 0 for each element: aⱼ is what an activation with secants in [α, β] makes of zⱼ. Elements
 * whose secant is one number are no variables: they are part of the maps.
 */
export interface SdpProblem {
  /** Elements of x, a₁ … aₘ, in topological order. */
  readonly sizes: readonly number[]
  /** Of a₁ … aₘ. */
  readonly activations: readonly SlopedBlock[]
  readonly output: BlockRow
}

/** The matrices Gₖ that one vector is made by, of the earlier blocks that it reads. */
export interface BlockRow {
  readonly rows: number
  readonly reads: readonly BlockMatrix[]
}

export interface BlockMatrix {
  readonly block: number
  readonly columns: number
  /** rows × columns, row-major. */
  readonly data: Float64Array
  /** ‖computed − exact‖₂ is at most this. */
  readonly error: number
}

/** zⱼ and the secants [α, β] of each of its elements, α < β. */
export interface SlopedBlock extends BlockRow {
  readonly lo: Float64Array
  readonly hi: Float64Array
}

/** Pairs of blocks (earlier, later) that stay coupled while blocks are eliminated in order; the output comes last. */
export interface Pattern {
  /** Sizes of all blocks, the output's included. */
  readonly sizes: readonly number[]
  /** For each block the later blocks that it is coupled with, ascending. */
  readonly later: readonly (readonly number[])[]
}

/** The fill of the elimination of P, the output's rows attached. */
export function patternOf({ sizes, activations, output }: SdpProblem): Pattern {
  const last = sizes.length
  const later = Array.from({ length: last + 1 }, () => new Set<number>())
  const couple = (i: number, j: number) => {
    if (i !== j) later[Math.min(i, j)].add(Math.max(i, j))
  }
  activations.forEach(({ reads, lo, hi }, at) => {
    const mixes = lo.some((value, i) => value * hi[i] !== 0)
    for (const { block } of reads) {
      couple(block, at + 1)
      if (mixes) for (const { block: other } of reads) couple(block, other)
    }
  })
  for (const { block } of output.reads) couple(block, last)
  for (const near of later) {
    for (const i of near) for (const j of near) couple(i, j)
  }
  return {
    sizes: [...sizes, output.rows],
    later: later.map((near) => [...near].sort((a, b) => a - b)),
  }
}

/** Whether x has the unit matrix as its block of P: no activation mixes what it reads of x. */
export function hasUnitInput({ activations }: SdpProblem): boolean {
  return !activations.some(
    ({ reads, lo, hi }) =>
      lo.some((value, i) => value * hi[i] !== 0) && reads.some(({ block }) => block === 0),
  )
}

/** Multiply-adds of one evaluation with its gradient. */
export function costOfEvaluation(problem: SdpProblem): number {
  const { sizes, later } = patternOf(problem)
  const isUnit = hasUnitInput(problem)
  return later.reduce((sum, near, k) => {
    const size = sizes[k]
    const around = near.reduce((total, j) => total + sizes[j], 0)
    // products of the maps from a unit block are made once
    if (k === 0 && isUnit) return sum + 4 * around * around
    const own = size ** 3 + 2 * size * size * around
    return sum + own + 2 * size * around * around
  }, 0)
}
