/** Elements of each input (or output) in its order. */
export type Parts = readonly Float64Array[]

export function sizeOfParts(parts: Parts): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

/** One vector after the other. */
export function joinParts(parts: Parts): Float64Array {
  const joined = new Float64Array(sizeOfParts(parts))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Views of a vector with the given lengths. */
export function splitParts(vector: Float64Array, sizes: readonly number[]): Float64Array[] {
  let at = 0
  return sizes.map((size) => {
    const part = vector.subarray(at, at + size)
    at += size
    return part
  })
}

/** ‖v‖₂, without overflow or underflow. */
export function lengthOf(vector: Float64Array): number {
  let largest = 0
  for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i]))
  if (largest === 0 || !Number.isFinite(largest)) return largest
  let sum = 0
  for (let i = 0; i < vector.length; i++) sum += (vector[i] / largest) ** 2
  return largest * Math.sqrt(sum)
}

/** x + factor·v. */
export function moved(x: Float64Array, factor: number, v: Float64Array): Float64Array {
  const out = new Float64Array(x.length)
  for (let i = 0; i < out.length; i++) out[i] = x[i] + factor * v[i]
  return out
}
