/** Protobuf's wire format by hand, for messages that no encoder would write. */

export type Bytes = Uint8Array | readonly number[]

export function join(...parts: readonly Bytes[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let end = 0
  for (const part of parts) {
    bytes.set(part, end)
    end += part.length
  }
  return bytes
}

/** A varint; negative numbers as protobuf writes them, in ten bytes. */
export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  return Uint8Array.from([...bytes, Number(rest)])
}

export const tag = (field: number, wire: number) => varint(field * 8 + wire)

/** Field of wire type 0. */
export const number = (field: number, value: number | bigint) => join(tag(field, 0), varint(value))

/** Field of wire type 2: bytes, text or a nested message. */
export function block(field: number, ...content: readonly (Bytes | string)[]): Uint8Array {
  const bytes = join(...content.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  return join(tag(field, 2), varint(bytes.length), bytes)
}

export function float32(value: number): Uint8Array {
  return new Uint8Array(Float32Array.of(value).buffer)
}

export function float64(value: number): Uint8Array {
  return new Uint8Array(Float64Array.of(value).buffer)
}

/** The fields around one tensor that is the model's only initializer. */
export const modelWithTensor = (...tensor: readonly Bytes[]) =>
  join(number(1, 8), block(7, block(2, 'g'), block(5, ...tensor)))
