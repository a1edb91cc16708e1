import type { Random } from '../../src/core/random.ts'

const numbers = [0, 1, 2, 0x7f, 0x80, 0xff]

/** Other bytes made of some: bits turned, bytes exchanged, ends cut off, runs left out or doubled, parts of another file. */
export function mutateBytes(original: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const below = (count: number) => Math.floor(random.uniform() * count)
  const ways: readonly ((bytes: Buffer) => Buffer)[] = [
    (bytes) => {
      bytes[below(bytes.length)] ^= 1 << below(8)
      return bytes
    },
    (bytes) => {
      bytes[below(bytes.length)] = numbers[below(numbers.length)]
      return bytes
    },
    (bytes) => bytes.subarray(0, below(bytes.length) + 1),
    (bytes) => {
      const [a, b] = [below(bytes.length), below(bytes.length)].sort((x, y) => x - y)
      return Buffer.concat([bytes.subarray(0, a), bytes.subarray(b)])
    },
    (bytes) => {
      const [a, b] = [below(bytes.length), below(bytes.length)].sort((x, y) => x - y)
      return Buffer.concat([bytes.subarray(0, b), bytes.subarray(a)])
    },
    (bytes) => {
      const from = below(other.length)
      const part = other.subarray(from, from + below(64))
      const at = below(bytes.length)
      return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at + part.length * below(2))])
    },
  ]
  let bytes: Buffer = Buffer.from(original)
  for (let times = below(4) + 1; times > 0 && bytes.length > 0; times--)
    bytes = ways[below(ways.length)](Buffer.from(bytes))
  return bytes
}
