import { formatNumber } from '../numbers.ts'

/** A node or layer multiplies the bound by 10^log10; null where it has no bound. */
export type Gain = number | null

/** From here on a gain counts as one. */
export const SAME = 0.004

const steps = [
  { below: -1, name: 'damps-3', words: '÷10 and more' },
  { below: -0.301, name: 'damps-2', words: '÷2 to ÷10' },
  { below: -SAME, name: 'damps-1', words: 'up to ÷2' },
  { below: SAME, name: 'keeps', words: 'unchanged' },
  { below: 0.302, name: 'grows-1', words: 'up to ×2' },
  { below: 1, name: 'grows-2', words: '×2 to ×10' },
  { below: Number.POSITIVE_INFINITY, name: 'grows-3', words: '×10 and more' },
] as const

/** What each colour of the report means, from damping to growth; a node without a bound comes last. */
export const legend: readonly { readonly name: string; readonly words: string }[] = [
  ...steps,
  { name: 'unbounded', words: 'no bound' },
]

/** The class that colours a gain: colour means this and nothing else. */
export function gainClass(gain: Gain): string {
  if (gain === null) return 'unbounded'
  return (steps.find(({ below }) => gain < below) ?? steps[steps.length - 1]).name
}

/** '×3.21', '÷1.05', '×1'; for display. */
export function formatGain(gain: Gain): string {
  if (gain === null) return 'no bound'
  if (Math.abs(gain) < SAME) return '×1'
  const factor = 10 ** Math.abs(gain)
  return `${gain > 0 ? '×' : '÷'}${formatNumber(factor, 'nearest', 3)}`
}
