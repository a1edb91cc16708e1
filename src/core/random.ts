/**
 * Seeded random numbers: sfc32 (Chris Doty-Humphrey's small fast counting generator, 128 bits of state), the
 * same on every machine. For random starts and tests, not for secrets.
 */
export interface Random {
  /** Uniform on the open interval (0, 1), 53 bits. */
  uniform(): number
  /** Standard normal. */
  gaussian(): number
}

/** 32-bit FNV-1a of the text, continued from `hash`: derives seeds from names and checksums. */
export function hashText(text: string, hash = 0x811c9dc5): number {
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** The generator that belongs to a seed; any finite number serves as one. */
export function createRandom(seed: number): Random {
  const parts = new Uint32Array(new Float64Array([seed]).buffer)
  let a = parts[0] | 0
  let b = parts[1] | 0
  let c = 0x9e3779b9 | 0
  let counter = 1
  let spare: number | null = null

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return sum >>> 0
  }
  for (let i = 0; i < 15; i++) next()

  function uniform(): number {
    const high = next() >>> 5
    const low = next() >>> 6
    return (high * 0x4000000 + low + 0.5) / 0x20000000000000
  }

  /** Marsaglia's polar method. */
  function gaussian(): number {
    if (spare !== null) {
      const value = spare
      spare = null
      return value
    }
    for (;;) {
      const x = 2 * uniform() - 1
      const y = 2 * uniform() - 1
      const square = x * x + y * y
      if (square >= 1 || square === 0) continue
      const factor = Math.sqrt((-2 * Math.log(square)) / square)
      spare = y * factor
      return x * factor
    }
  }

  return { uniform, gaussian }
}

/** A vector with independent standard normal components: its direction is uniformly random. */
export function gaussianVector(size: number, random: Random): Float64Array {
  const vector = new Float64Array(size)
  for (let i = 0; i < size; i++) vector[i] = random.gaussian()
  return vector
}
