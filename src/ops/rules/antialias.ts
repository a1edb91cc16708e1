import { clampIndex, keys } from './neighbours.ts'
import type { SparseRow } from './small-matrix.ts'

/**
 * Interpolation that shrinks an axis with its kernel stretched by 1/scale, so that every element counts; the weights of one
 * output are divided by their sum. The standard repeats the rim, runtimes leave out what lies outside: `outside` says which.
 */

/** Half the width of a kernel, and its values. */
interface Kernel {
  readonly support: number
  readonly weight: (x: number, a: number) => number
}

const kernels: Readonly<Record<string, Kernel>> = {
  linear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  cubic: { support: 2, weight: (x, a) => keys(Math.abs(x), a) },
}

export function antialiasedRow(
  mode: string,
  at: number,
  { input, scale }: { readonly input: number; readonly scale: number },
  a: number,
  outside: 'repeated' | 'left out',
): SparseRow | null {
  const kernel = kernels[mode]
  if (kernel === undefined) return null
  const stretch = Math.min(scale, 1)
  const reach = kernel.support / stretch
  const sums = new Map<number, number>()
  let total = 0
  for (let i = Math.ceil(at - reach); i <= Math.floor(at + reach); i++) {
    if (outside === 'left out' && (i < 0 || i >= input)) continue
    const weight = kernel.weight((i - at) * stretch, a)
    const column = clampIndex(i, input)
    sums.set(column, (sums.get(column) ?? 0) + weight)
    total += weight
  }
  if (!(Math.abs(total) > 0)) return null
  return { columns: [...sums.keys()], weights: Array.from(sums.values(), (weight) => weight / total) }
}
