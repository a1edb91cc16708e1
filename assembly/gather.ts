/**
 * The product that convolutions are made of: y[q] += Σ_t W[t] x[p_q + t] for a list of positions.
 *
 * Position q: two u32, the byte offsets of its input (for tap offset 0) in x and of its result in y. Taps: u32 byte
 * offsets that are added to the input's. Weights stand in panels of four results, padded with zeros: panel after
 * panel, in each tap after tap, in each channel after channel, four float64. A result occupies `panels` · 32 bytes.
 * Four positions and four results are kept in eight registers.
 *
 * A result meets taps · channels + 1 roundings of sums.
 */
export function gatherProduct(
  positions: usize, count: i32, taps: usize, tapCount: i32, weights: usize, channels: i32, panels: i32, x: usize, y: usize,
): void {
  const panel: usize = <usize>(tapCount * channels) << 5
  for (let block = 0; block < count; block += BLOCK) {
    const end = min(block + BLOCK, count)
    for (let p = 0; p < panels; p++) {
      const own = weights + <usize>p * panel
      const to = y + (<usize>p << 5)
      let q = block
      for (; q + 4 <= end; q += 4) fourPositions(positions + (<usize>q << 3), taps, tapCount, own, channels, x, to)
      for (; q < end; q++) onePosition(positions + (<usize>q << 3), taps, tapCount, own, channels, x, to)
    }
  }
}

/** Positions that share a panel of weights in the cache. */
const BLOCK: i32 = 128

// @ts-ignore: decorator
@inline
function accumulate(at: usize, low: v128, high: v128): void {
  v128.store(at, f64x2.add(v128.load(at), low))
  v128.store(at, f64x2.add(v128.load(at, 16), high), 16)
}

function fourPositions(positions: usize, taps: usize, tapCount: i32, weights: usize, channels: i32, x: usize, y: usize): void {
  const x0 = x + <usize>load<u32>(positions)
  const x1 = x + <usize>load<u32>(positions, 8)
  const x2 = x + <usize>load<u32>(positions, 16)
  const x3 = x + <usize>load<u32>(positions, 24)
  let a0 = f64x2.splat(0)
  let a1 = f64x2.splat(0)
  let b0 = f64x2.splat(0)
  let b1 = f64x2.splat(0)
  let c0 = f64x2.splat(0)
  let c1 = f64x2.splat(0)
  let d0 = f64x2.splat(0)
  let d1 = f64x2.splat(0)
  const bytes: usize = <usize>channels << 3
  for (let tap = 0; tap < tapCount; tap++) {
    let offset = <usize>load<u32>(taps + (<usize>tap << 2))
    const end = offset + bytes
    while (offset < end) {
      const low = v128.load(weights)
      const high = v128.load(weights, 16)
      let value = v128.load64_splat(x0 + offset)
      a0 = f64x2.add(a0, f64x2.mul(value, low))
      a1 = f64x2.add(a1, f64x2.mul(value, high))
      value = v128.load64_splat(x1 + offset)
      b0 = f64x2.add(b0, f64x2.mul(value, low))
      b1 = f64x2.add(b1, f64x2.mul(value, high))
      value = v128.load64_splat(x2 + offset)
      c0 = f64x2.add(c0, f64x2.mul(value, low))
      c1 = f64x2.add(c1, f64x2.mul(value, high))
      value = v128.load64_splat(x3 + offset)
      d0 = f64x2.add(d0, f64x2.mul(value, low))
      d1 = f64x2.add(d1, f64x2.mul(value, high))
      weights += 32
      offset += 8
    }
  }
  accumulate(y + <usize>load<u32>(positions, 4), a0, a1)
  accumulate(y + <usize>load<u32>(positions, 12), b0, b1)
  accumulate(y + <usize>load<u32>(positions, 20), c0, c1)
  accumulate(y + <usize>load<u32>(positions, 28), d0, d1)
}

function onePosition(positions: usize, taps: usize, tapCount: i32, weights: usize, channels: i32, x: usize, y: usize): void {
  const x0 = x + <usize>load<u32>(positions)
  let a0 = f64x2.splat(0)
  let a1 = f64x2.splat(0)
  const bytes: usize = <usize>channels << 3
  for (let tap = 0; tap < tapCount; tap++) {
    let offset = <usize>load<u32>(taps + (<usize>tap << 2))
    const end = offset + bytes
    while (offset < end) {
      const value = v128.load64_splat(x0 + offset)
      a0 = f64x2.add(a0, f64x2.mul(value, v128.load(weights)))
      a1 = f64x2.add(a1, f64x2.mul(value, v128.load(weights, 16)))
      weights += 32
      offset += 8
    }
  }
  accumulate(y + <usize>load<u32>(positions, 4), a0, a1)
}
