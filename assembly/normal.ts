import { loadNextPair, loadOne, loadPair, sumLanes } from './load'

/** Columns whose products are summed before they join an inner product. */
const TILE: i32 = 128
/** Rows whose updates are summed before they join an image. */
const PANEL: i32 = 256

/**
 * For both vectors q: z_q += Aᵀ(A v_q) for rows of A (rows × columns, row-major, elements T), four rows at a time:
 * their products with both vectors, then their rank-4 update of both images while they are still in cache.
 * The last columns and rows that fill no block are done one by one.
 *
 * An element of A v meets 64 + columns / 64 + 4 roundings of sums, an element of z meets rows / 4 + 5.
 */
// @ts-ignore: decorator
@inline
function normalPair<T>(a: usize, rows: i32, columns: i32, v: usize, u: usize, z: usize, y: usize): void {
  const pitch: usize = <usize>columns * sizeof<T>()
  const pairs: usize = <usize>(columns & ~1)
  const fours: usize = <usize>(columns & ~3)
  const tail: usize = <usize>(columns & 3)
  let row = 0
  for (; row + 4 <= rows; row += 4) {
    const start = a + <usize>row * pitch
    let p0 = start
    let p1 = p0 + pitch
    let p2 = p1 + pitch
    let p3 = p2 + pitch
    let s0: f64 = 0
    let t0: f64 = 0
    let s1: f64 = 0
    let t1: f64 = 0
    let s2: f64 = 0
    let t2: f64 = 0
    let s3: f64 = 0
    let t3: f64 = 0
    let vp = v
    let up = u
    const blockEnd = v + (pairs << 3)
    while (vp < blockEnd) {
      const tileEnd = min(vp + (<usize>TILE << 3), blockEnd)
      let v0 = f64x2.splat(0)
      let u0 = f64x2.splat(0)
      let v1 = f64x2.splat(0)
      let u1 = f64x2.splat(0)
      let v2 = f64x2.splat(0)
      let u2 = f64x2.splat(0)
      let v3 = f64x2.splat(0)
      let u3 = f64x2.splat(0)
      while (vp < tileEnd) {
        const vj = v128.load(vp)
        const uj = v128.load(up)
        let w = loadPair<T>(p0)
        v0 = f64x2.add(v0, f64x2.mul(w, vj))
        u0 = f64x2.add(u0, f64x2.mul(w, uj))
        w = loadPair<T>(p1)
        v1 = f64x2.add(v1, f64x2.mul(w, vj))
        u1 = f64x2.add(u1, f64x2.mul(w, uj))
        w = loadPair<T>(p2)
        v2 = f64x2.add(v2, f64x2.mul(w, vj))
        u2 = f64x2.add(u2, f64x2.mul(w, uj))
        w = loadPair<T>(p3)
        v3 = f64x2.add(v3, f64x2.mul(w, vj))
        u3 = f64x2.add(u3, f64x2.mul(w, uj))
        vp += 16
        up += 16
        p0 += 2 * sizeof<T>()
        p1 += 2 * sizeof<T>()
        p2 += 2 * sizeof<T>()
        p3 += 2 * sizeof<T>()
      }
      s0 += sumLanes(v0)
      t0 += sumLanes(u0)
      s1 += sumLanes(v1)
      t1 += sumLanes(u1)
      s2 += sumLanes(v2)
      t2 += sumLanes(u2)
      s3 += sumLanes(v3)
      t3 += sumLanes(u3)
    }
    if (pairs < <usize>columns) {
      const vj = load<f64>(vp)
      const uj = load<f64>(up)
      s0 += loadOne<T>(p0) * vj
      t0 += loadOne<T>(p0) * uj
      s1 += loadOne<T>(p1) * vj
      t1 += loadOne<T>(p1) * uj
      s2 += loadOne<T>(p2) * vj
      t2 += loadOne<T>(p2) * uj
      s3 += loadOne<T>(p3) * vj
      t3 += loadOne<T>(p3) * uj
    }
    const v0 = f64x2.splat(s0)
    const u0 = f64x2.splat(t0)
    const v1 = f64x2.splat(s1)
    const u1 = f64x2.splat(t1)
    const v2 = f64x2.splat(s2)
    const u2 = f64x2.splat(t2)
    const v3 = f64x2.splat(s3)
    const u3 = f64x2.splat(t3)
    p0 = start
    p1 = p0 + pitch
    p2 = p1 + pitch
    p3 = p2 + pitch
    let zp = z
    let yp = y
    const imageEnd = z + (fours << 3)
    while (zp < imageEnd) {
      let a0 = loadPair<T>(p0)
      let a1 = loadPair<T>(p1)
      let a2 = loadPair<T>(p2)
      let a3 = loadPair<T>(p3)
      let dz = f64x2.add(f64x2.mul(a0, v0), f64x2.mul(a1, v1))
      dz = f64x2.add(dz, f64x2.add(f64x2.mul(a2, v2), f64x2.mul(a3, v3)))
      v128.store(zp, f64x2.add(v128.load(zp), dz))
      let dy = f64x2.add(f64x2.mul(a0, u0), f64x2.mul(a1, u1))
      dy = f64x2.add(dy, f64x2.add(f64x2.mul(a2, u2), f64x2.mul(a3, u3)))
      v128.store(yp, f64x2.add(v128.load(yp), dy))
      a0 = loadNextPair<T>(p0)
      a1 = loadNextPair<T>(p1)
      a2 = loadNextPair<T>(p2)
      a3 = loadNextPair<T>(p3)
      dz = f64x2.add(f64x2.mul(a0, v0), f64x2.mul(a1, v1))
      dz = f64x2.add(dz, f64x2.add(f64x2.mul(a2, v2), f64x2.mul(a3, v3)))
      v128.store(zp, f64x2.add(v128.load(zp, 16), dz), 16)
      dy = f64x2.add(f64x2.mul(a0, u0), f64x2.mul(a1, u1))
      dy = f64x2.add(dy, f64x2.add(f64x2.mul(a2, u2), f64x2.mul(a3, u3)))
      v128.store(yp, f64x2.add(v128.load(yp, 16), dy), 16)
      zp += 32
      yp += 32
      p0 += 4 * sizeof<T>()
      p1 += 4 * sizeof<T>()
      p2 += 4 * sizeof<T>()
      p3 += 4 * sizeof<T>()
    }
    for (let k: usize = 0; k < tail; k++) {
      const at = k * sizeof<T>()
      const zk = zp + (k << 3)
      const yk = yp + (k << 3)
      const a0 = loadOne<T>(p0 + at)
      const a1 = loadOne<T>(p1 + at)
      const a2 = loadOne<T>(p2 + at)
      const a3 = loadOne<T>(p3 + at)
      store<f64>(zk, load<f64>(zk) + (a0 * s0 + a1 * s1 + (a2 * s2 + a3 * s3)))
      store<f64>(yk, load<f64>(yk) + (a0 * t0 + a1 * t1 + (a2 * t2 + a3 * t3)))
    }
  }
  for (; row < rows; row++) {
    const start = a + <usize>row * pitch
    let s: f64 = 0
    let t: f64 = 0
    for (let j: usize = 0; j < <usize>columns; ) {
      const end = min(j + <usize>(TILE / 2), <usize>columns)
      let tileS: f64 = 0
      let tileT: f64 = 0
      for (; j < end; j++) {
        const w = loadOne<T>(start + j * sizeof<T>())
        tileS += w * load<f64>(v + (j << 3))
        tileT += w * load<f64>(u + (j << 3))
      }
      s += tileS
      t += tileT
    }
    for (let j: usize = 0; j < <usize>columns; j++) {
      const w = loadOne<T>(start + j * sizeof<T>())
      const zj = z + (j << 3)
      const yj = y + (j << 3)
      store<f64>(zj, load<f64>(zj) + w * s)
      store<f64>(yj, load<f64>(yj) + w * t)
    }
  }
}

/**
 * The same by panels of 256 rows, each summed in `panel` (2 × columns float64) first: an element of z meets
 * 64 + rows / 256 + 6 roundings of sums.
 */
// @ts-ignore: decorator
@inline
function normalPanels<T>(
  a: usize, rows: i32, columns: i32, v: usize, u: usize, z: usize, y: usize, panel: usize,
): void {
  const bytes: usize = <usize>columns << 3
  for (let row = 0; row < rows; row += PANEL) {
    memory.fill(panel, 0, bytes << 1)
    const start = a + <usize>row * <usize>columns * sizeof<T>()
    normalPair<T>(start, min(PANEL, rows - row), columns, v, u, panel, panel + bytes)
    for (let at: usize = 0; at < bytes; at += 8) {
      store<f64>(z + at, load<f64>(z + at) + load<f64>(panel + at))
      store<f64>(y + at, load<f64>(y + at) + load<f64>(panel + bytes + at))
    }
  }
}

export function normalPairF32(
  a: usize, rows: i32, columns: i32, v: usize, u: usize, z: usize, y: usize, panel: usize,
): void {
  normalPanels<f32>(a, rows, columns, v, u, z, y, panel)
}

export function normalPairF64(
  a: usize, rows: i32, columns: i32, v: usize, u: usize, z: usize, y: usize, panel: usize,
): void {
  normalPanels<f64>(a, rows, columns, v, u, z, y, panel)
}

/** w = A v. Each inner product is summed in four lanes: columns / 4 + 4 roundings of sums. */
// @ts-ignore: decorator
@inline
function image<T>(a: usize, rows: i32, columns: i32, v: usize, w: usize): void {
  const blockEnd = v + (<usize>(columns & ~3) << 3)
  const end = v + (<usize>columns << 3)
  let p = a
  for (let row = 0; row < rows; row++) {
    let even = f64x2.splat(0)
    let odd = f64x2.splat(0)
    let vp = v
    while (vp < blockEnd) {
      even = f64x2.add(even, f64x2.mul(loadPair<T>(p), v128.load(vp)))
      odd = f64x2.add(odd, f64x2.mul(loadNextPair<T>(p), v128.load(vp, 16)))
      vp += 32
      p += 4 * sizeof<T>()
    }
    let sum = sumLanes(f64x2.add(even, odd))
    while (vp < end) {
      sum += loadOne<T>(p) * load<f64>(vp)
      vp += 8
      p += sizeof<T>()
    }
    store<f64>(w + (<usize>row << 3), sum)
  }
}

export function imageF32(a: usize, rows: i32, columns: i32, v: usize, w: usize): void {
  image<f32>(a, rows, columns, v, w)
}

export function imageF64(a: usize, rows: i32, columns: i32, v: usize, w: usize): void {
  image<f64>(a, rows, columns, v, w)
}

/** z += Aᵀ w, four rows at a time: an element of z meets rows / 4 + 5 roundings of sums. */
// @ts-ignore: decorator
@inline
function adjoint<T>(a: usize, rows: i32, columns: i32, w: usize, z: usize): void {
  const pitch: usize = <usize>columns * sizeof<T>()
  const blockEnd = z + (<usize>(columns & ~1) << 3)
  const end = z + (<usize>columns << 3)
  let row = 0
  for (; row + 4 <= rows; row += 4) {
    let p0 = a + <usize>row * pitch
    let p1 = p0 + pitch
    let p2 = p1 + pitch
    let p3 = p2 + pitch
    const at = w + (<usize>row << 3)
    const w0 = v128.load64_splat(at)
    const w1 = v128.load64_splat(at, 8)
    const w2 = v128.load64_splat(at, 16)
    const w3 = v128.load64_splat(at, 24)
    let zp = z
    while (zp < blockEnd) {
      const front = f64x2.add(f64x2.mul(loadPair<T>(p0), w0), f64x2.mul(loadPair<T>(p1), w1))
      const back = f64x2.add(f64x2.mul(loadPair<T>(p2), w2), f64x2.mul(loadPair<T>(p3), w3))
      v128.store(zp, f64x2.add(v128.load(zp), f64x2.add(front, back)))
      zp += 16
      p0 += 2 * sizeof<T>()
      p1 += 2 * sizeof<T>()
      p2 += 2 * sizeof<T>()
      p3 += 2 * sizeof<T>()
    }
    if (zp < end) {
      const front = loadOne<T>(p0) * load<f64>(at) + loadOne<T>(p1) * load<f64>(at, 8)
      const back = loadOne<T>(p2) * load<f64>(at, 16) + loadOne<T>(p3) * load<f64>(at, 24)
      store<f64>(zp, load<f64>(zp) + (front + back))
    }
  }
  for (; row < rows; row++) {
    let p = a + <usize>row * pitch
    const factor = load<f64>(w + (<usize>row << 3))
    for (let zp = z; zp < end; zp += 8) {
      store<f64>(zp, load<f64>(zp) + loadOne<T>(p) * factor)
      p += sizeof<T>()
    }
  }
}

export function adjointF32(a: usize, rows: i32, columns: i32, w: usize, z: usize): void {
  adjoint<f32>(a, rows, columns, w, z)
}

export function adjointF64(a: usize, rows: i32, columns: i32, w: usize, z: usize): void {
  adjoint<f64>(a, rows, columns, w, z)
}
