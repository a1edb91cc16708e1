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
 * Weights are float32 in panels of four rows: frequency after frequency, in each panel after panel, in each all columns
 * of C, four numbers each, then all of D. A frequency's vectors are four runs of `channels` (a multiple of four) float64:
 * the real parts of both, then the imaginary parts of both.
 *
 * A result meets 2 · channels roundings of sums.
 */
export function multiplyFrequencies(weights: usize, count: i32, channels: i32, x: usize, y: usize): void {
  const bytes: usize = <usize>channels << 3
  for (let frequency = 0; frequency < count; frequency++) {
    for (let row: usize = 0; row < bytes; row += 32) {
      let p0 = f64x2.splat(0)
      let p1 = f64x2.splat(0)
      let q0 = f64x2.splat(0)
      let q1 = f64x2.splat(0)
      let r0 = f64x2.splat(0)
      let r1 = f64x2.splat(0)
      let s0 = f64x2.splat(0)
      let s1 = f64x2.splat(0)
      let at = x
      const end = x + bytes
      while (at < end) {
        const l = f64x2.promote_low_f32x4(v128.load64_zero(weights))
        const h = f64x2.promote_low_f32x4(v128.load64_zero(weights, 8))
        let a = v128.load64_splat(at)
        p0 = f64x2.add(p0, f64x2.mul(l, a))
        p1 = f64x2.add(p1, f64x2.mul(h, a))
        a = v128.load64_splat(at + bytes)
        q0 = f64x2.add(q0, f64x2.mul(l, a))
        q1 = f64x2.add(q1, f64x2.mul(h, a))
        a = v128.load64_splat(at + 2 * bytes)
        r0 = f64x2.add(r0, f64x2.mul(l, a))
        r1 = f64x2.add(r1, f64x2.mul(h, a))
        a = v128.load64_splat(at + 3 * bytes)
        s0 = f64x2.add(s0, f64x2.mul(l, a))
        s1 = f64x2.add(s1, f64x2.mul(h, a))
        weights += 16
        at += 8
      }
      at = x
      while (at < end) {
        const l = f64x2.promote_low_f32x4(v128.load64_zero(weights))
        const h = f64x2.promote_low_f32x4(v128.load64_zero(weights, 8))
        let a = v128.load64_splat(at)
        r0 = f64x2.add(r0, f64x2.mul(l, a))
        r1 = f64x2.add(r1, f64x2.mul(h, a))
        a = v128.load64_splat(at + bytes)
        s0 = f64x2.add(s0, f64x2.mul(l, a))
        s1 = f64x2.add(s1, f64x2.mul(h, a))
        a = v128.load64_splat(at + 2 * bytes)
        p0 = f64x2.sub(p0, f64x2.mul(l, a))
        p1 = f64x2.sub(p1, f64x2.mul(h, a))
        a = v128.load64_splat(at + 3 * bytes)
        q0 = f64x2.sub(q0, f64x2.mul(l, a))
        q1 = f64x2.sub(q1, f64x2.mul(h, a))
        weights += 16
        at += 8
      }
      const to = y + row
      v128.store(to, p0)
      v128.store(to, p1, 16)
      v128.store(to + bytes, q0)
      v128.store(to + bytes, q1, 16)
      v128.store(to + 2 * bytes, r0)
      v128.store(to + 2 * bytes, r1, 16)
      v128.store(to + 3 * bytes, s0)
      v128.store(to + 3 * bytes, s1, 16)
    }
    x += 4 * bytes
    y += 4 * bytes
  }
}
