import { type Motion, rounded, roundingOf, sumError } from './motion.ts'

/** Sums and products of two tensors of one shape, element by element. */

const zero = (x: Motion) => x.change ?? new Float64Array(x.value.length)
const sharp = (x: Motion) => x.blur ?? new Float64Array(x.value.length)

function result(
  a: Motion,
  b: Motion,
  element: (out: Elements, i: number, a: Elements, b: Elements) => void,
): Motion {
  const size = a.value.length
  const moves = a.change !== null || b.change !== null
  const out = {
    value: new Float64Array(size),
    doubt: new Float64Array(size),
    change: new Float64Array(size),
    blur: new Float64Array(size),
  }
  const [x, y] = [a, b].map((m) => ({ value: m.value, doubt: m.doubt, change: zero(m), blur: sharp(m) }))
  for (let i = 0; i < size; i++) element(out, i, x, y)
  return { dims: a.dims, ...out, ...(moves ? {} : { change: null, blur: null }) }
}

interface Elements {
  readonly value: Float64Array
  readonly doubt: Float64Array
  readonly change: Float64Array
  readonly blur: Float64Array
}

/** a + sign·b. */
export function summedMotion(a: Motion, b: Motion, sign: 1 | -1): Motion {
  return result(a, b, (out, i, x, y) => {
    out.value[i] = x.value[i] + sign * y.value[i]
    // what is masked by −∞ stays so at both points; what overflows has no bound
    if (!Number.isFinite(out.value[i])) {
      if (Number.isFinite(x.value[i]) && Number.isFinite(y.value[i])) out.doubt[i] = Infinity
      return
    }
    out.doubt[i] = rounded(x.doubt[i] + y.doubt[i] + roundingOf(out.value[i]))
    out.change[i] = x.change[i] + sign * y.change[i]
    out.blur[i] = rounded(x.blur[i] + y.blur[i] + roundingOf(out.change[i]))
  })
}

/** a·b: the change is Δa·b(y) + a(x)·Δb. */
export function multipliedMotion(a: Motion, b: Motion): Motion {
  return result(a, b, (out, i, x, y) => {
    const [p, q] = [x.value[i], y.value[i]]
    const [dp, dq, cp, cq, bp, bq] = [x.doubt[i], y.doubt[i], x.change[i], y.change[i], x.blur[i], y.blur[i]]
    out.value[i] = p * q
    out.doubt[i] = rounded(Math.abs(p) * dq + Math.abs(q) * dp + dp * dq + roundingOf(out.value[i]))
    const later = q + cq
    const wrong = dq + bq + roundingOf(later)
    const [first, second] = [cp * later, p * cq]
    out.change[i] = first + second
    out.blur[i] = rounded(
      Math.abs(cp) * wrong +
        bp * (Math.abs(later) + wrong) +
        dp * (Math.abs(cq) + bq) +
        Math.abs(p) * bq +
        2 * (roundingOf(first) + roundingOf(second)),
    )
  })
}

/**
 * Σ a·b over runs of `terms` products, by what `times` makes of two arrays: as `multipliedMotion`, sums included. Cost: 8
 * such sums where both change.
 */
export function bilinearMotion(
  a: Motion,
  b: Motion,
  dims: readonly number[],
  times: (p: Float64Array, q: Float64Array) => Float64Array,
  terms: number,
): Motion {
  const share = sumError(terms)
  const room = 1 + 4 * share
  const sizeOf = (x: Float64Array) => x.map(Math.abs)
  const sum = (...arrays: readonly Float64Array[]) =>
    arrays[0].map((first, i) =>
      arrays.reduce((total, array, k) => (k === 0 ? first : total + array[i]), first),
    )
  const part = (x: Float64Array, factor: number) => x.map((entry) => factor * Math.abs(entry))
  const value = times(a.value, b.value)
  const wrong = sum(
    times(sizeOf(a.value), sum(b.doubt, part(b.value, share))),
    times(a.doubt, sum(sizeOf(b.value), b.doubt)),
  )
  const doubt = wrong.map((error) => rounded(error * room))
  if (a.change === null && b.change === null) return { dims, value, doubt, change: null, blur: null }
  const [aMoves, bMoves] = [zero(a), zero(b)]
  const [aBlur, bBlur] = [sharp(a), sharp(b)]
  const later = sum(b.value, bMoves)
  const laterWrong = sum(b.doubt, bBlur, part(later, 4 * share))
  const change = sum(times(aMoves, later), times(a.value, bMoves))
  const blur = sum(
    times(sizeOf(aMoves), laterWrong),
    times(aBlur, sum(sizeOf(later), laterWrong)),
    times(a.doubt, sum(sizeOf(bMoves), bBlur)),
    times(sizeOf(a.value), sum(bBlur, part(bMoves, share))),
    part(change, 2 ** -51),
  ).map((error) => rounded(error * room))
  return { dims, value, doubt, change, blur }
}
