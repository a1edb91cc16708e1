/**
 * Products with convolutions on circles, between the frequencies: every number of a field is a run of channels.
 */

/**
 * Small real matrices across runs: at every place, output k becomes Σ_i A[k, i] · input i, runs of `length` float64 (a
 * multiple of four). Offsets are u32 in bytes: those of the inputs and outputs of one place, and pairs (input, output)
 * for the places. A stands in panels of four rows, padded with zeros: panel after panel, in each column after column.
 * With `add` the outputs are added to what is there.
 *
 * An element meets `inputs` + 1 roundings of sums.
 */
export function combineRuns(
  matrix: usize, outputs: i32, inputs: i32, inputOffsets: usize, outputOffsets: usize, places: usize, count: i32,
  length: i32, x: usize, y: usize, add: bool,
): void {
  const bytes: usize = <usize>length << 3
  for (let place = 0; place < count; place++) {
    const from = x + <usize>load<u32>(places)
    const to = y + <usize>load<u32>(places, 4)
    places += 8
    let panel = matrix
    let k = 0
    for (; k + 4 <= outputs; k += 4) {
      const y0 = to + <usize>load<u32>(outputOffsets + (<usize>k << 2))
      const y1 = to + <usize>load<u32>(outputOffsets + (<usize>k << 2), 4)
      const y2 = to + <usize>load<u32>(outputOffsets + (<usize>k << 2), 8)
      const y3 = to + <usize>load<u32>(outputOffsets + (<usize>k << 2), 12)
      for (let at: usize = 0; at < bytes; at += 32) {
        let a0 = add ? v128.load(y0 + at) : f64x2.splat(0)
        let a1 = add ? v128.load(y0 + at, 16) : f64x2.splat(0)
        let b0 = add ? v128.load(y1 + at) : f64x2.splat(0)
        let b1 = add ? v128.load(y1 + at, 16) : f64x2.splat(0)
        let c0 = add ? v128.load(y2 + at) : f64x2.splat(0)
        let c1 = add ? v128.load(y2 + at, 16) : f64x2.splat(0)
        let d0 = add ? v128.load(y3 + at) : f64x2.splat(0)
        let d1 = add ? v128.load(y3 + at, 16) : f64x2.splat(0)
        let factor = panel
        for (let i = 0; i < inputs; i++) {
          const run = from + <usize>load<u32>(inputOffsets + (<usize>i << 2)) + at
          const low = v128.load(run)
          const high = v128.load(run, 16)
          let f = v128.load64_splat(factor)
          a0 = f64x2.add(a0, f64x2.mul(f, low))
          a1 = f64x2.add(a1, f64x2.mul(f, high))
          f = v128.load64_splat(factor, 8)
          b0 = f64x2.add(b0, f64x2.mul(f, low))
          b1 = f64x2.add(b1, f64x2.mul(f, high))
          f = v128.load64_splat(factor, 16)
          c0 = f64x2.add(c0, f64x2.mul(f, low))
          c1 = f64x2.add(c1, f64x2.mul(f, high))
          f = v128.load64_splat(factor, 24)
          d0 = f64x2.add(d0, f64x2.mul(f, low))
          d1 = f64x2.add(d1, f64x2.mul(f, high))
          factor += 32
        }
        v128.store(y0 + at, a0)
        v128.store(y0 + at, a1, 16)
        v128.store(y1 + at, b0)
        v128.store(y1 + at, b1, 16)
        v128.store(y2 + at, c0)
        v128.store(y2 + at, c1, 16)
        v128.store(y3 + at, d0)
        v128.store(y3 + at, d1, 16)
      }
      panel += <usize>inputs << 5
    }
    for (; k < outputs; k++) {
      const own = to + <usize>load<u32>(outputOffsets + (<usize>k << 2))
      for (let at: usize = 0; at < bytes; at += 32) {
        let a0 = add ? v128.load(own + at) : f64x2.splat(0)
        let a1 = add ? v128.load(own + at, 16) : f64x2.splat(0)
        let factor = panel + (<usize>(k & 3) << 3)
        for (let i = 0; i < inputs; i++) {
          const run = from + <usize>load<u32>(inputOffsets + (<usize>i << 2)) + at
          const f = v128.load64_splat(factor)
          a0 = f64x2.add(a0, f64x2.mul(f, v128.load(run)))
          a1 = f64x2.add(a1, f64x2.mul(f, v128.load(run, 16)))
          factor += 32
        }
        v128.store(own + at, a0)
        v128.store(own + at, a1, 16)
      }
    }
  }
}

/**
 * A complex matrix C + iD for each of `count` frequencies, times two complex vectors each: y = (C + iD) x.
 *
 * Weights are float32 in panels of eight rows, the last one of four where that is enough: frequency after frequency, in each
 * panel after panel, in each all columns of C, eight numbers each, then all of D. A frequency's vectors are four runs
 * of `channels` (a multiple of four) float64: the real parts of both, then the imaginary parts of both. `turned` has
 * room for one frequency's vectors.
 *
 * A result meets 2 · channels roundings of sums.
 */
export function multiplyFrequencies(weights: usize, count: i32, channels: i32, x: usize, y: usize, turned: usize): void {
  const bytes: usize = <usize>channels << 3
  for (let frequency = 0; frequency < count; frequency++) {
    for (let at: usize = 0; at < bytes; at += 8) {
      const to = turned + (at << 2)
      store<f64>(to, load<f64>(x + at))
      store<f64>(to, load<f64>(x + at + bytes), 8)
      store<f64>(to, load<f64>(x + at + 2 * bytes), 16)
      store<f64>(to, load<f64>(x + at + 3 * bytes), 24)
    }
    let row: usize = 0
    for (; row + 64 <= bytes; row += 64) {
      fourOfRows(weights, 32, bytes, turned, y + row)
      fourOfRows(weights + 16, 32, bytes, turned, y + row + 32)
      weights += 8 * bytes
    }
    if (row < bytes) {
      fourOfRows(weights, 16, bytes, turned, y + row)
      weights += 4 * bytes
    }
    x += bytes << 2
    y += bytes << 2
  }
}

/** Four rows of C + iD, `step` bytes from one column to the next, times the vectors of one frequency, interleaved. */
// @ts-ignore: decorator
@inline
function fourOfRows(weights: usize, step: usize, bytes: usize, x: usize, y: usize): void {
  let p0 = f64x2.splat(0)
  let p1 = f64x2.splat(0)
  let q0 = f64x2.splat(0)
  let q1 = f64x2.splat(0)
  let r0 = f64x2.splat(0)
  let r1 = f64x2.splat(0)
  let s0 = f64x2.splat(0)
  let s1 = f64x2.splat(0)
  const end = x + (bytes << 2)
  for (let at = x; at < end; at += 32) {
    const l = f64x2.promote_low_f32x4(v128.load64_zero(weights))
    const h = f64x2.promote_low_f32x4(v128.load64_zero(weights, 8))
    let a = v128.load64_splat(at)
    p0 = f64x2.add(p0, f64x2.mul(l, a))
    p1 = f64x2.add(p1, f64x2.mul(h, a))
    a = v128.load64_splat(at, 8)
    q0 = f64x2.add(q0, f64x2.mul(l, a))
    q1 = f64x2.add(q1, f64x2.mul(h, a))
    a = v128.load64_splat(at, 16)
    r0 = f64x2.add(r0, f64x2.mul(l, a))
    r1 = f64x2.add(r1, f64x2.mul(h, a))
    a = v128.load64_splat(at, 24)
    s0 = f64x2.add(s0, f64x2.mul(l, a))
    s1 = f64x2.add(s1, f64x2.mul(h, a))
    weights += step
  }
  for (let at = x; at < end; at += 32) {
    const l = f64x2.promote_low_f32x4(v128.load64_zero(weights))
    const h = f64x2.promote_low_f32x4(v128.load64_zero(weights, 8))
    let a = v128.load64_splat(at)
    r0 = f64x2.add(r0, f64x2.mul(l, a))
    r1 = f64x2.add(r1, f64x2.mul(h, a))
    a = v128.load64_splat(at, 8)
    s0 = f64x2.add(s0, f64x2.mul(l, a))
    s1 = f64x2.add(s1, f64x2.mul(h, a))
    a = v128.load64_splat(at, 16)
    p0 = f64x2.sub(p0, f64x2.mul(l, a))
    p1 = f64x2.sub(p1, f64x2.mul(h, a))
    a = v128.load64_splat(at, 24)
    q0 = f64x2.sub(q0, f64x2.mul(l, a))
    q1 = f64x2.sub(q1, f64x2.mul(h, a))
    weights += step
  }
  v128.store(y, p0)
  v128.store(y, p1, 16)
  v128.store(y + bytes, q0)
  v128.store(y + bytes, q1, 16)
  v128.store(y + 2 * bytes, r0)
  v128.store(y + 2 * bytes, r1, 16)
  v128.store(y + 3 * bytes, s0)
  v128.store(y + 3 * bytes, s1, 16)
}

/** Columns whose products are summed in float32. */
const BLOCK: usize = 32

/**
 * `multiplyFrequencies` in float32: vectors are rounded to it, and so are products and sums of 32 columns, which float64
 * adds up. A result meets 33 roundings of float32 and channels / 16 + 2 of float64.
 */
export function multiplyFrequenciesSingle(
  weights: usize, count: i32, channels: i32, x: usize, y: usize, turned: usize,
): void {
  const bytes: usize = <usize>channels << 3
  for (let frequency = 0; frequency < count; frequency++) {
    for (let at: usize = 0; at < bytes; at += 8) {
      const to = turned + (at << 1)
      store<f32>(to, <f32>load<f64>(x + at))
      store<f32>(to, <f32>load<f64>(x + at + bytes), 4)
      store<f32>(to, <f32>load<f64>(x + at + 2 * bytes), 8)
      store<f32>(to, <f32>load<f64>(x + at + 3 * bytes), 12)
    }
    memory.fill(y, 0, bytes << 2)
    let row: usize = 0
    for (; row + 64 <= bytes; row += 64) {
      eightRows(weights, bytes, turned, y + row, y + row + 2 * bytes, false)
      eightRows(weights + 4 * bytes, bytes, turned, y + row + 2 * bytes, y + row, true)
      weights += 8 * bytes
    }
    if (row < bytes) {
      fourRows(weights, bytes, turned, y + row, y + row + 2 * bytes, false)
      fourRows(weights + 2 * bytes, bytes, turned, y + row + 2 * bytes, y + row, true)
      weights += 4 * bytes
    }
    x += bytes << 2
    y += bytes << 2
  }
}

/** Adds four sums of float32, or takes them off. */
// @ts-ignore: decorator
@inline
function settle(at: usize, sums: v128, minus: bool): void {
  const low = f64x2.promote_low_f32x4(sums)
  const high = f64x2.promote_low_f32x4(i64x2.shuffle(sums, sums, 1, 1))
  v128.store(at, minus ? f64x2.sub(v128.load(at), low) : f64x2.add(v128.load(at), low))
  v128.store(at, minus ? f64x2.sub(v128.load(at, 16), high) : f64x2.add(v128.load(at, 16), high), 16)
}

/**
 * Eight rows of C, or of D, times the interleaved vectors: their real parts count at `real`, their imaginary parts at
 * `imaginary`, there negative if `minus`.
 */
// @ts-ignore: decorator
@inline
function eightRows(weights: usize, bytes: usize, x: usize, real: usize, imaginary: usize, minus: bool): void {
  const end = x + (bytes << 1)
  while (x < end) {
    const blockEnd = min(x + (BLOCK << 4), end)
    let p0 = f32x4.splat(0)
    let p1 = f32x4.splat(0)
    let q0 = f32x4.splat(0)
    let q1 = f32x4.splat(0)
    let r0 = f32x4.splat(0)
    let r1 = f32x4.splat(0)
    let s0 = f32x4.splat(0)
    let s1 = f32x4.splat(0)
    while (x < blockEnd) {
      const l = v128.load(weights)
      const h = v128.load(weights, 16)
      let a = v128.load32_splat(x)
      p0 = f32x4.add(p0, f32x4.mul(l, a))
      p1 = f32x4.add(p1, f32x4.mul(h, a))
      a = v128.load32_splat(x, 4)
      q0 = f32x4.add(q0, f32x4.mul(l, a))
      q1 = f32x4.add(q1, f32x4.mul(h, a))
      a = v128.load32_splat(x, 8)
      r0 = f32x4.add(r0, f32x4.mul(l, a))
      r1 = f32x4.add(r1, f32x4.mul(h, a))
      a = v128.load32_splat(x, 12)
      s0 = f32x4.add(s0, f32x4.mul(l, a))
      s1 = f32x4.add(s1, f32x4.mul(h, a))
      weights += 32
      x += 16
    }
    settle(real, p0, false)
    settle(real + 32, p1, false)
    settle(real + bytes, q0, false)
    settle(real + bytes + 32, q1, false)
    settle(imaginary, r0, minus)
    settle(imaginary + 32, r1, minus)
    settle(imaginary + bytes, s0, minus)
    settle(imaginary + bytes + 32, s1, minus)
  }
}

/** The same for the last panel, of four rows. */
// @ts-ignore: decorator
@inline
function fourRows(weights: usize, bytes: usize, x: usize, real: usize, imaginary: usize, minus: bool): void {
  const end = x + (bytes << 1)
  while (x < end) {
    const blockEnd = min(x + (BLOCK << 4), end)
    let p = f32x4.splat(0)
    let q = f32x4.splat(0)
    let r = f32x4.splat(0)
    let s = f32x4.splat(0)
    while (x < blockEnd) {
      const l = v128.load(weights)
      p = f32x4.add(p, f32x4.mul(l, v128.load32_splat(x)))
      q = f32x4.add(q, f32x4.mul(l, v128.load32_splat(x, 4)))
      r = f32x4.add(r, f32x4.mul(l, v128.load32_splat(x, 8)))
      s = f32x4.add(s, f32x4.mul(l, v128.load32_splat(x, 12)))
      weights += 16
      x += 16
    }
    settle(real, p, false)
    settle(real + bytes, q, false)
    settle(imaginary, r, minus)
    settle(imaginary + bytes, s, minus)
  }
}
