import type { Random } from '../../src/core/random.ts'

/** Values that nobody expects in any place. */
const values: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  5e-324,
  2 ** 53,
  '',
  'NaN',
  '#NaN',
  '#Infinity',
  '__proto__',
  '\u001b[2J\n::error::\u202e',
  'x'.repeat(10_000),
  [],
  {},
  [[[]]],
  { toString: 1 },
]

type Place = { readonly holder: Record<string, unknown> | unknown[]; readonly key: string | number }

function placesIn(root: unknown): Place[] {
  const places: Place[] = []
  const pending = [root]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== 'object' || value === null) continue
    for (const [key, inner] of Object.entries(value)) {
      places.push({ holder: value as unknown[], key: Array.isArray(value) ? Number(key) : key })
      pending.push(inner)
    }
  }
  return places
}

/** The JSON text with some values exchanged, left out, doubled or moved; sometimes no longer JSON. */
export function mutateJson(text: string, random: Random): string {
  const below = (count: number) => Math.floor(random.uniform() * count)
  const root = JSON.parse(text)
  for (let times = below(3); times >= 0; times--) {
    const places = placesIn(root)
    if (places.length === 0) break
    const { holder, key } = places[below(places.length)]
    const target = holder as Record<string | number, unknown>
    const other = places[below(places.length)]
    const put = (value: unknown) => {
      target[key] = value
    }
    const ways = [
      () => put(structuredClone(values[below(values.length)])),
      () => put(structuredClone(values[below(values.length)])),
      () => (Array.isArray(holder) ? holder.splice(Number(key), 1) : delete target[key]),
      () => (Array.isArray(holder) ? holder.push(structuredClone(target[key])) : put([target[key]])),
      () => put(structuredClone((other.holder as Record<string | number, unknown>)[other.key])),
      () => (typeof target[key] === 'number' ? put(-target[key]) : put(null)),
    ]
    ways[below(ways.length)]()
  }
  const result = JSON.stringify(root)
  const at = below(result.length)
  const endings = [
    () => result,
    () => result,
    () => result,
    () => result,
    () => result.slice(0, at),
    () => `${result.slice(0, at)}${String.fromCharCode(below(256))}${result.slice(at + 1)}`,
    () => `\ufeff${result}`,
    () => '['.repeat(100_000),
  ]
  return endings[below(endings.length)]()
}
