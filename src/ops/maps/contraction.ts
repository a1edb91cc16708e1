import type { FloatArray } from '../../core/tensor.ts'

/** How far apart the elements of target and operands stand along one label of a sum of products. */
export interface Label {
  readonly size: number
  readonly target: number
  readonly a: number
  readonly b: number
}

/** Loops of a sum of products, in the order in which they are nested. */
export interface Loops {
  readonly outer: readonly Label[]
  readonly inner: Label
  readonly isEmpty: boolean
}

/** The loop inside runs along the label that reads and writes contiguously and is longest. */
export function loopsOf(labels: readonly Label[]): Loops {
  const outer = labels.filter(({ size }) => size !== 1).toSorted((x, y) => rank(x) - rank(y))
  const inner = outer.pop() ?? { size: 1, target: 0, a: 0, b: 0 }
  return { outer, inner, isEmpty: labels.some(({ size }) => size === 0) }
}

/**
 * target += Σ a·b over all labels: a label with target stride 0 is summed, one with stride 0 in an operand repeats
 * it. Cost: the product of the labels' sizes.
 */
export function contract(
  { outer, inner, isEmpty }: Loops,
  target: Float64Array,
  a: FloatArray,
  b: FloatArray,
): void {
  if (isEmpty) return
  const index = new Int32Array(outer.length)
  let [t, i, j] = [0, 0, 0]
  for (;;) {
    innerProduct(inner, target, t, a, i, b, j)
    let at = outer.length - 1
    for (; at >= 0; at--) {
      const label = outer[at]
      t += label.target
      i += label.a
      j += label.b
      if (++index[at] < label.size) break
      index[at] = 0
      t -= label.target * label.size
      i -= label.a * label.size
      j -= label.b * label.size
    }
    if (at < 0) return
  }
}

/** Larger for labels that serve better as the inner loop. */
function rank({ size, target, a, b }: Label): number {
  const contiguous = target <= 1 && a <= 1 && b <= 1
  return contiguous ? 2 ** 32 + size : size
}

function innerProduct(
  { size, target: st, a: sa, b: sb }: Label,
  target: Float64Array,
  t: number,
  a: FloatArray,
  i: number,
  b: FloatArray,
  j: number,
): void {
  if (st === 0)
    target[t] += sa === 1 && sb === 1 ? dot(a, i, b, j, size) : stridedDot(a, i, sa, b, j, sb, size)
  else if (sa === 0 && sb === 1 && st === 1) addScaled(target, t, a[i], b, j, size)
  else if (sb === 0 && sa === 1 && st === 1) addScaled(target, t, b[j], a, i, size)
  else for (let n = 0; n < size; n++) target[t + n * st] += a[i + n * sa] * b[j + n * sb]
}

/** Four sums at a time, so that additions need not wait for one another. */
export function dot(a: FloatArray, i: number, b: FloatArray, j: number, size: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  const whole = size - (size % 4)
  for (let n = 0; n < whole; n += 4) {
    s0 += a[i + n] * b[j + n]
    s1 += a[i + n + 1] * b[j + n + 1]
    s2 += a[i + n + 2] * b[j + n + 2]
    s3 += a[i + n + 3] * b[j + n + 3]
  }
  for (let n = whole; n < size; n++) s0 += a[i + n] * b[j + n]
  return s0 + s1 + (s2 + s3)
}

function stridedDot(
  a: FloatArray,
  i: number,
  sa: number,
  b: FloatArray,
  j: number,
  sb: number,
  size: number,
): number {
  let sum = 0
  for (let n = 0; n < size; n++) sum += a[i + n * sa] * b[j + n * sb]
  return sum
}

function addScaled(
  target: Float64Array,
  t: number,
  factor: number,
  source: FloatArray,
  j: number,
  size: number,
): void {
  if (factor === 0) return
  for (let n = 0; n < size; n++) target[t + n] += factor * source[j + n]
}
