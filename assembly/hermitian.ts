/**
 * Hermitian matrices of order r in two staircases of float64, real and imaginary part: the lower triangle by rows,
 * rows 2m and 2m + 1 both 2m + 2 long, the place above the diagonal in row 2m being zero. Row 2m starts at 2m(m + 1).
 * An odd order is rounded up; the extra row is zero.
 */

// @ts-ignore: decorator
@inline
function rowOffset(row: i32): usize {
  const half = row >> 1
  return <usize>(2 * half * (half + 1) + (row & 1) * (2 * half + 2)) << 3
}

/**
 * H(ω) = G₀ + Σ_d cos_d S_d + i sin_d A_d. Coefficients stand pair of elements after pair, in each G₀, then S_d and A_d
 * for every d; `waves` holds cos_d and sin_d. An element meets `shifts` + 1 roundings of sums.
 */
export function evaluateHermitian(
  coefficients: usize, shifts: i32, waves: usize, pairs: i32, real: usize, imaginary: usize,
): void {
  const end = waves + (<usize>shifts << 4)
  for (let pair = 0; pair < pairs; pair++) {
    let re = v128.load(coefficients)
    let im = f64x2.splat(0)
    coefficients += 16
    for (let wave = waves; wave < end; wave += 16) {
      re = f64x2.add(re, f64x2.mul(v128.load64_splat(wave), v128.load(coefficients)))
      im = f64x2.add(im, f64x2.mul(v128.load64_splat(wave, 8), v128.load(coefficients, 16)))
      coefficients += 32
    }
    v128.store(real, re)
    v128.store(imaginary, im)
    real += 16
    imaginary += 16
  }
}

const block = memory.data(64, 16)

// @ts-ignore: decorator
@inline
function sumLanes(pair: v128): f64 {
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1)
}

/** The four complex inner products Σ_{k<length} L[i, k]·conj(L[j, k]) of two rows i with two rows j, into `block`. */
function innerProducts(re0: usize, im0: usize, re1: usize, im1: usize, rowBytes: usize, otherBytes: usize, length: i32): void {
  let r00 = f64x2.splat(0)
  let i00 = f64x2.splat(0)
  let r01 = f64x2.splat(0)
  let i01 = f64x2.splat(0)
  let r10 = f64x2.splat(0)
  let i10 = f64x2.splat(0)
  let r11 = f64x2.splat(0)
  let i11 = f64x2.splat(0)
  const end = re0 + (<usize>length << 3)
  while (re0 < end) {
    const a = v128.load(re0)
    const b = v128.load(im0)
    const c = v128.load(re0 + rowBytes)
    const d = v128.load(im0 + rowBytes)
    let e = v128.load(re1)
    let f = v128.load(im1)
    r00 = f64x2.add(r00, f64x2.add(f64x2.mul(a, e), f64x2.mul(b, f)))
    i00 = f64x2.add(i00, f64x2.sub(f64x2.mul(b, e), f64x2.mul(a, f)))
    r10 = f64x2.add(r10, f64x2.add(f64x2.mul(c, e), f64x2.mul(d, f)))
    i10 = f64x2.add(i10, f64x2.sub(f64x2.mul(d, e), f64x2.mul(c, f)))
    e = v128.load(re1 + otherBytes)
    f = v128.load(im1 + otherBytes)
    r01 = f64x2.add(r01, f64x2.add(f64x2.mul(a, e), f64x2.mul(b, f)))
    i01 = f64x2.add(i01, f64x2.sub(f64x2.mul(b, e), f64x2.mul(a, f)))
    r11 = f64x2.add(r11, f64x2.add(f64x2.mul(c, e), f64x2.mul(d, f)))
    i11 = f64x2.add(i11, f64x2.sub(f64x2.mul(d, e), f64x2.mul(c, f)))
    re0 += 16
    im0 += 16
    re1 += 16
    im1 += 16
  }
  store<f64>(block, sumLanes(r00))
  store<f64>(block, sumLanes(i00), 8)
  store<f64>(block, sumLanes(r01), 16)
  store<f64>(block, sumLanes(i01), 24)
  store<f64>(block, sumLanes(r10), 32)
  store<f64>(block, sumLanes(i10), 40)
  store<f64>(block, sumLanes(r11), 48)
  store<f64>(block, sumLanes(i11), 56)
}

/** The entry `at` becomes (C − sum)·inverse, C = −H there. */
// @ts-ignore: decorator
@inline
function eliminate(real: usize, imaginary: usize, at: usize, re: f64, im: f64, inverse: f64): void {
  store<f64>(real + at, (-load<f64>(real + at) - re) * inverse)
  store<f64>(imaginary + at, (-load<f64>(imaginary + at) - im) * inverse)
}

/**
 * Overwrites H by the Cholesky factor L of tI − H, two rows and two columns at a time, the inverse of each pivot's
 * root in its place. False as soon as a pivot is not positive: nothing is then known. An inner product of k terms
 * meets k/2 + 4 roundings.
 */
export function factoriseShifted(real: usize, imaginary: usize, order: i32, t: f64): bool {
  const even = (order + 1) & ~1
  for (let i = 0; i < even; i += 2) {
    const row = rowOffset(i)
    const rowBytes: usize = <usize>(i + 2) << 3
    for (let j = 0; j <= i; j += 2) {
      const other = rowOffset(j)
      const otherBytes: usize = <usize>(j + 2) << 3
      innerProducts(real + row, imaginary + row, real + other, imaginary + other, rowBytes, otherBytes, j)
      const column: usize = <usize>j << 3
      const first = row + column
      const second = first + rowBytes
      if (j < i) {
        const inverse = load<f64>(real + other + column)
        const below = other + otherBytes + column
        const re = load<f64>(real + below)
        const im = load<f64>(imaginary + below)
        const next = load<f64>(real + below, 8)
        eliminate(real, imaginary, first, load<f64>(block), load<f64>(block, 8), inverse)
        eliminate(real, imaginary, second, load<f64>(block, 32), load<f64>(block, 40), inverse)
        let a = load<f64>(real + first)
        let b = load<f64>(imaginary + first)
        eliminate(real, imaginary, first + 8, load<f64>(block, 16) + a * re + b * im, load<f64>(block, 24) + b * re - a * im, next)
        a = load<f64>(real + second)
        b = load<f64>(imaginary + second)
        eliminate(real, imaginary, second + 8, load<f64>(block, 48) + a * re + b * im, load<f64>(block, 56) + b * re - a * im, next)
      } else {
        let pivot = t - load<f64>(real + first) - load<f64>(block)
        if (!(pivot > 0)) return false
        const inverse = 1 / Math.sqrt(pivot)
        store<f64>(real + first, inverse)
        store<f64>(imaginary + first, 0)
        store<f64>(real + first, 0, 8)
        store<f64>(imaginary + first, 0, 8)
        eliminate(real, imaginary, second, load<f64>(block, 32), load<f64>(block, 40), inverse)
        const a = load<f64>(real + second)
        const b = load<f64>(imaginary + second)
        pivot = t - load<f64>(real + second, 8) - load<f64>(block, 48) - (a * a + b * b)
        if (!(pivot > 0)) return false
        store<f64>(real + second, 1 / Math.sqrt(pivot), 8)
        store<f64>(imaginary + second, 0, 8)
      }
    }
  }
  return true
}

/** z = H v; vectors hold all real parts, then all imaginary parts, `order` rounded up to even each. */
export function multiplyHermitian(real: usize, imaginary: usize, order: i32, v: usize, z: usize): void {
  const even = (order + 1) & ~1
  const half: usize = <usize>even << 3
  memory.fill(z, 0, 2 * half)
  for (let i = 0; i < even; i++) {
    const row = rowOffset(i)
    const own: usize = <usize>i << 3
    const ownRe = load<f64>(v + own)
    const ownIm = load<f64>(v + half + own)
    const splatRe = f64x2.splat(ownRe)
    const splatIm = f64x2.splat(ownIm)
    let re = f64x2.splat(0)
    let im = f64x2.splat(0)
    const blocked: usize = <usize>(i & ~1) << 3
    for (let at: usize = 0; at < blocked; at += 16) {
      const a = v128.load(real + row + at)
      const b = v128.load(imaginary + row + at)
      const p = v128.load(v + at)
      const q = v128.load(v + half + at)
      re = f64x2.add(re, f64x2.sub(f64x2.mul(a, p), f64x2.mul(b, q)))
      im = f64x2.add(im, f64x2.add(f64x2.mul(a, q), f64x2.mul(b, p)))
      v128.store(z + at, f64x2.add(v128.load(z + at), f64x2.add(f64x2.mul(a, splatRe), f64x2.mul(b, splatIm))))
      v128.store(z + half + at, f64x2.add(v128.load(z + half + at), f64x2.sub(f64x2.mul(a, splatIm), f64x2.mul(b, splatRe))))
    }
    let sumRe = sumLanes(re)
    let sumIm = sumLanes(im)
    if ((i & 1) == 1) {
      const a = load<f64>(real + row + blocked)
      const b = load<f64>(imaginary + row + blocked)
      const p = load<f64>(v + blocked)
      const q = load<f64>(v + half + blocked)
      sumRe += a * p - b * q
      sumIm += a * q + b * p
      store<f64>(z + blocked, load<f64>(z + blocked) + a * ownRe + b * ownIm)
      store<f64>(z + half + blocked, load<f64>(z + half + blocked) + a * ownIm - b * ownRe)
    }
    const diagonal = load<f64>(real + row + own)
    store<f64>(z + own, load<f64>(z + own) + sumRe + diagonal * ownRe)
    store<f64>(z + half + own, load<f64>(z + half + own) + sumIm + diagonal * ownIm)
  }
}
