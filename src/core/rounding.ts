/**
 * Directed rounding for float64, by error-free transformations (Dekker 1971; Knuth, TAOCP 2, 4.2.2).
 *
 * Each `…Up` returns a float64 that is ≥ the exact result and each `…Down` one that is ≤ it; both return the
 * exact result where it is representable. Cost: a few flops. Operands may be any non-NaN numbers; where the
 * exact error cannot be represented (near underflow or overflow) one unit in the last place is given away.
 */

const buffer = new Float64Array(1)
const bits = new BigInt64Array(buffer.buffer)

const SPLITTER = 2 ** 27 + 1
const SAFE_SMALL = 2 ** -900
const SAFE_LARGE = 2 ** 900

/** The least float64 above x; Infinity stays. */
export function nextUp(x: number): number {
  if (x === Infinity || Number.isNaN(x)) return x
  if (x === 0) return Number.MIN_VALUE
  buffer[0] = x
  bits[0] += x > 0 ? 1n : -1n
  return buffer[0]
}

export function nextDown(x: number): number {
  return -nextUp(-x)
}

/** The rounding error ab − fl(ab), exact; null where it may not be representable. */
function productError(a: number, b: number, product: number): number | null {
  const size = Math.abs(product)
  const largest = Math.max(Math.abs(a), Math.abs(b))
  if (!(size > SAFE_SMALL && size < SAFE_LARGE && largest < SAFE_LARGE)) return null
  const wideA = SPLITTER * a
  const highA = wideA - (wideA - a)
  const lowA = a - highA
  const wideB = SPLITTER * b
  const highB = wideB - (wideB - b)
  const lowB = b - highB
  return lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB)
}

function sumError(a: number, b: number, sum: number): number {
  const virtualB = sum - a
  return a - (sum - virtualB) + (b - virtualB)
}

export function addUp(a: number, b: number): number {
  const sum = a + b
  if (!Number.isFinite(sum))
    return sum === -Infinity && a !== -Infinity && b !== -Infinity ? -Number.MAX_VALUE : sum
  // NaN where an intermediate sum overflows: one unit is given away
  return sumError(a, b, sum) <= 0 ? sum : nextUp(sum)
}

export function addDown(a: number, b: number): number {
  return -addUp(-a, -b)
}

export function mulUp(a: number, b: number): number {
  const product = a * b
  if (a === 0 || b === 0) return 0
  if (!Number.isFinite(product)) {
    const overflowedDown = product === -Infinity && Number.isFinite(a) && Number.isFinite(b)
    return overflowedDown ? -Number.MAX_VALUE : product
  }
  const error = productError(a, b, product)
  return error === null || error > 0 ? nextUp(product) : product
}

export function mulDown(a: number, b: number): number {
  return -mulUp(-a, b)
}

/** a / b rounded up, for b ≠ 0. */
export function divUp(a: number, b: number): number {
  const quotient = a / b
  if (quotient === -Infinity && Number.isFinite(a)) return -Number.MAX_VALUE
  if (a === 0 || !Number.isFinite(quotient) || !Number.isFinite(b)) return quotient
  const back = quotient * b
  const error = productError(quotient, b, back)
  if (error === null) return nextUp(quotient)
  // a − q·b exactly: positive means that the quotient lies below a / b where b > 0
  const rest = a - back - error
  return (b > 0 ? rest > 0 : rest < 0) ? nextUp(quotient) : quotient
}

export function divDown(a: number, b: number): number {
  return -divUp(-a, b)
}

/** √x rounded up, for x ≥ 0. */
export function sqrtUp(x: number): number {
  const root = Math.sqrt(x)
  if (x === 0 || !Number.isFinite(root)) return root
  const square = root * root
  const error = productError(root, root, square)
  return error === null || x - square - error > 0 ? nextUp(root) : root
}

export function sqrtDown(x: number): number {
  const root = Math.sqrt(x)
  if (x === 0 || !Number.isFinite(root)) return root
  const square = root * root
  const error = productError(root, root, square)
  return error === null || x - square - error < 0 ? nextDown(root) : root
}
