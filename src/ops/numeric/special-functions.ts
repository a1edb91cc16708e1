/**
 * erf x = 2/√π ∫₀ˣ e^(−t²) dt, to about 1e-15 absolute: its Taylor series, multiplied by e^(−x²) so that all terms
 * are positive, up to |x| = 3; beyond, the continued fraction of erfc (Abramowitz and Stegun, 7.1.6 and 7.1.14).
 */
export function erf(x: number): number {
  const size = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (size > 6) return Math.sign(x)
  const value = size <= 3 ? erfBySeries(size) : 1 - erfcByFraction(size)
  return x < 0 ? -value : value
}

function erfBySeries(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

function erfcByFraction(x: number): number {
  let fraction = x
  for (let n = 60; n >= 1; n--) fraction = x + n / 2 / fraction
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction)
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

/** log(1 + eˣ) without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}

/** x to the nearest of lo and hi where it is outside; NaN stays. */
export function clamp(x: number, lo: number, hi: number): number {
  return Math.min(Math.max(x, lo), hi)
}
