export type Direction = 'up' | 'down' | 'nearest'

const DIGITS = 5

/** `value` to `digits` significant decimal digits, never below the value ('up') or above it ('down'). */
function roundDecimal(value: number, digits: number, direction: Direction): number {
  const nearest = Number(value.toPrecision(digits))
  if (direction === 'nearest' || nearest === value) return nearest
  if (direction === 'up' ? nearest >= value : nearest <= value) return nearest
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - digits + 1)
  return Number((nearest + (direction === 'up' ? step : -step)).toPrecision(digits))
}

/**
 * A number for people: `digits` significant digits, plain between 0.001 and a million, else as 1.045e6.
 * Bounds keep their direction: print an upper bound with 'up' and a lower bound with 'down'.
 */
export function formatNumber(
  value: number | null,
  direction: Direction = 'nearest',
  digits = DIGITS,
): string {
  if (value === null || !Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  const rounded = roundDecimal(value, digits, direction)
  const size = Math.abs(rounded)
  if (size >= 1e6 || size < 1e-3) return rounded.toExponential().replace('e+', 'e')
  if (Number.isInteger(value) && size < 1e6) return String(value)
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)))
  return rounded.toFixed(decimals)
}

/** A bound that may be beyond float64: from its value, else from its decimal logarithm, else '∞'. */
export function formatBound(
  bound: { value: number | null; log10: number | null },
  direction: Direction = 'up',
  digits = DIGITS,
): string {
  if (bound.value !== null) return formatNumber(bound.value, direction, digits)
  if (bound.log10 === null) return '∞'
  if (Math.abs(bound.log10) < 300) return formatNumber(10 ** bound.log10, direction, digits)
  const exponent = Math.floor(bound.log10)
  const mantissa = roundDecimal(10 ** (bound.log10 - exponent), 3, direction)
  return mantissa >= 10 ? `1.00e${exponent + 1}` : `${mantissa.toFixed(2)}e${exponent}`
}

/** An enclosure: '[3.2141, 3.2145]', rounded outward. */
export function formatEnclosure(lower: number | null, upper: number | null, digits = DIGITS): string {
  if (upper === null) return '∞'
  if (lower === upper && formatNumber(upper, 'up', digits) === formatNumber(upper, 'down', digits)) {
    return formatNumber(upper, 'up', digits)
  }
  return `[${formatNumber(lower, 'down', digits)}, ${formatNumber(upper, 'up', digits)}]`
}

/** A whole number, 13310 as '13,310'; without the locales, whose first use takes longer than a small network. */
export function formatCount(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

export function formatPercent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(1).replace('-', '−')} %`
}

/** A ratio in words of people: '3.2×', '1,240×', '3.1e9×'. */
export function formatFactor(log10: number): string {
  if (log10 >= 6) return `${formatBound({ value: null, log10 }, 'nearest', 2)}×`
  const factor = 10 ** log10
  if (factor >= 100) return `${formatCount(Math.round(factor))}×`
  return `${factor.toFixed(factor >= 10 ? 1 : 2)}×`
}

export function formatProbability(probability: number): string {
  return probability.toExponential(0).replace('e+', 'e')
}

/** [1, 3, null, null] as '1×3×?×?'; [] as 'scalar'. */
export function formatShape(shape: readonly (number | null)[] | null): string {
  if (shape === null) return '(unknown rank)'
  return shape.length === 0 ? 'scalar' : shape.map((dim) => dim ?? '?').join('×')
}
