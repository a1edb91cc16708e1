import type { Layer } from '../report-schema.ts'

/** A layer of the old model and its counterpart in the new one, as places in lists in the order of the graph. */
export interface LayerMatch {
  readonly old: number | null
  readonly new: number | null
}

/** Above that many pairs of layers, those without a namesake are matched in their order alone. */
const mostCells = 4_000_000

/** What a layer does to which spaces, whatever it is called and however its weight is stored. */
function signature({ kind, role, shape }: Layer): string {
  const dims = shape.filter((dim) => dim !== 1).toSorted((a, b) => a - b)
  return `${kind} ${role} ${dims.join('x')}`
}

const nameOf = ({ node, role }: Layer) => JSON.stringify([node, role])

const contentOf = (layer: Layer) => `${signature(layer)} ${layer.weightSha256}`

/**
 * Matches the layers of two models, both in the order of their graphs: those that are known to stand at one place of
 * one graph, then those of one name and shape, of the same weights, those that seem to stand at one place, and what is left in the longest common order of equal shapes. What is
 * found in one model alone was removed or added. The result is in the order of the old model, added layers where they
 * stand in the new one.
 */
export function matchLayers(
  old: readonly Layer[],
  fresh: readonly Layer[],
  known: ReadonlyMap<number, number> = new Map(),
  likely: ReadonlyMap<number, number> = new Map(),
): LayerMatch[] {
  const partner = new Map(known)
  const taken = new Set(known.values())
  const namesakes = new Map<string, number[]>()
  for (const [j, layer] of fresh.entries()) {
    if (!taken.has(j)) namesakes.set(nameOf(layer), [...(namesakes.get(nameOf(layer)) ?? []), j])
  }
  for (const [i, layer] of old.entries()) {
    if (partner.has(i)) continue
    const j = namesakes.get(nameOf(layer))?.find((place) => !taken.has(place))
    if (j === undefined || signature(fresh[j]) !== signature(layer)) continue
    partner.set(i, j)
    taken.add(j)
  }
  const twins = new Map<string, number[]>()
  for (const [j, layer] of fresh.entries()) {
    if (!taken.has(j)) twins.set(contentOf(layer), [...(twins.get(contentOf(layer)) ?? []), j])
  }
  for (const [i, layer] of old.entries()) {
    const j = partner.has(i) ? undefined : twins.get(contentOf(layer))?.shift()
    if (j === undefined) continue
    partner.set(i, j)
    taken.add(j)
  }
  for (const [i, j] of likely) {
    if (partner.has(i) || taken.has(j)) continue
    partner.set(i, j)
    taken.add(j)
  }
  const left = [...old.keys()].filter((i) => !partner.has(i))
  const right = [...fresh.keys()].filter((j) => !taken.has(j))
  for (const [i, j] of commonOrder(left, right, (i, j) => signature(old[i]) === signature(fresh[j]))) {
    partner.set(i, j)
    taken.add(j)
  }
  return inOrder(old.length, fresh.length, partner, taken)
}

/** The longest common subsequence; for very long lists the first fit of each. */
function commonOrder(
  left: readonly number[],
  right: readonly number[],
  fits: (i: number, j: number) => boolean,
): [number, number][] {
  const pairs: [number, number][] = []
  if (left.length * right.length > mostCells) {
    let next = 0
    for (const i of left) {
      const found = right.findIndex((j, place) => place >= next && fits(i, j))
      if (found < 0) continue
      pairs.push([i, right[found]])
      next = found + 1
    }
    return pairs
  }
  const columns = right.length + 1
  const longest = new Uint32Array((left.length + 1) * columns)
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      longest[i * columns + j] = fits(left[i], right[j])
        ? longest[(i + 1) * columns + j + 1] + 1
        : Math.max(longest[(i + 1) * columns + j], longest[i * columns + j + 1])
    }
  }
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    if (fits(left[i], right[j])) pairs.push([left[i++], right[j++]])
    else if (longest[(i + 1) * columns + j] >= longest[i * columns + j + 1]) i++
    else j++
  }
  return pairs
}

function inOrder(
  old: number,
  fresh: number,
  partner: ReadonlyMap<number, number>,
  taken: ReadonlySet<number>,
): LayerMatch[] {
  const matches: LayerMatch[] = []
  let next = 0
  const addUntil = (end: number) => {
    for (; next < end; next++) if (!taken.has(next)) matches.push({ old: null, new: next })
  }
  for (let i = 0; i < old; i++) {
    const j = partner.get(i) ?? null
    if (j !== null) addUntil(j)
    matches.push({ old: i, new: j })
  }
  addUntil(fresh)
  return matches
}
