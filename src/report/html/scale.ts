/** An axis of powers of ten: places are shares of its length. */
export interface LogScale {
  /** From 0 at `from` to 1 at `to`, for a decimal logarithm. */
  place(log10: number): number
  /** Whole decimal logarithms to mark. */
  readonly ticks: readonly number[]
}

const STEPS = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000]

/** Covers both ends and every value between; an axis without extent gets one decade. */
export function logScale(values: readonly number[], mostTicks = 6): LogScale {
  const lowest = Math.min(...values)
  const highest = Math.max(...values)
  const margin = Math.max((highest - lowest) * 0.04, 0.02)
  const from = highest - lowest < 0.05 ? lowest - 0.5 : lowest - margin
  const to = highest - lowest < 0.05 ? highest + 0.5 : highest + margin
  const step =
    STEPS.find((size) => (to - from) / size <= mostTicks) ??
    10 ** Math.ceil(Math.log10((to - from) / mostTicks))
  const first = Math.ceil(from / step)
  // counted, since a stored report may hold numbers to which adding a step adds nothing
  const ticks = Array.from({ length: mostTicks + 1 }, (_, i) => (first + i) * step).filter(
    (tick) => tick <= to,
  )
  return { place: (log10) => (log10 - from) / (to - from), ticks }
}

const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** A power of ten: '0.1', '1', '10', '100', else '10⁻³', '10⁶'. */
export function formatPower(exponent: number): string {
  if (exponent >= -1 && exponent <= 2) return String(10 ** exponent)
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPT[Number(digit)]).join('')
  return `10${exponent < 0 ? '⁻' : ''}${digits}`
}
