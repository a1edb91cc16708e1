import type { NumberArray } from './npy.ts'

/** Ranks that nested lists may have: what arrays have anywhere. */
const deepest = 64

/**
 * Nested lists of numbers as an array; a number alone is a scalar. Throws an `Error` with the reason where lists of
 * one level differ in length, or something else than a number stands in them. Iterative over the entries.
 */
export function fromNested(content: unknown): NumberArray {
  const dims: number[] = []
  for (let level: unknown = content; Array.isArray(level); level = level[0]) {
    dims.push(level.length)
    if (dims.length > deepest) throw new Error(`lists are nested more than ${deepest} deep`)
  }
  let entries: readonly unknown[] = [content]
  for (const dim of dims) {
    const ragged = entries.find((entry) => !Array.isArray(entry) || entry.length !== dim)
    if (ragged !== undefined) throw new Error('its lists differ in length, so that they are no array')
    entries = (entries as unknown[][]).flat(1)
  }
  const stray = entries.find((entry) => typeof entry !== 'number')
  if (stray !== undefined)
    throw new Error(`it holds ${JSON.stringify(stray)?.slice(0, 40)} where a number is expected`)
  return { dims, data: Float64Array.from(entries as number[]) }
}

/** An array as nested lists. */
export function toNested({ dims, data }: NumberArray): unknown {
  let entries: unknown[] = Array.from(data)
  for (const dim of dims.slice(1).toReversed()) {
    const rows: unknown[] = []
    for (let i = 0; i < entries.length; i += dim) rows.push(entries.slice(i, i + dim))
    entries = rows
  }
  return dims.length === 0 ? entries[0] : entries
}
