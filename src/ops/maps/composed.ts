import type { LinearMap } from '../linear-map.ts'

/** One linear map among many: the slots that it reads and writes; −1 where there is none. */
export interface Step {
  readonly map: LinearMap
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

/** Linear maps one after the other, as one map from some slots to others. */
export interface ComposedMap {
  /** Changes of the targets; null where they do not change. */
  apply(changes: readonly (Float64Array | null)[]): (Float64Array | null)[]
  /** Changes of the sources; null where nothing depends on them. */
  applyAdjoint(changes: readonly (Float64Array | null)[]): (Float64Array | null)[]
}

/**
 * Composes steps that stand in an order in which each slot is written once, before it is read. A slot read by several
 * steps collects the sum of their adjoints. Cost: one application of every step; memory: the slots in use.
 */
export function compose(
  steps: readonly Step[],
  slots: number,
  sources: readonly number[],
  targets: readonly number[],
): ComposedMap {
  const kept = new Set(targets)
  const lastReader = new Int32Array(slots).fill(-1)
  steps.forEach(({ inputs }, at) => {
    for (const slot of inputs) if (slot >= 0) lastReader[slot] = at
  })

  return {
    apply: (changes) => {
      const held = new Array<Float64Array | null>(slots).fill(null)
      sources.forEach((slot, i) => {
        held[slot] = changes[i]
      })
      steps.forEach(({ map, inputs, outputs }, at) => {
        const given = inputs.map((slot) => (slot < 0 ? null : held[slot]))
        if (given.every((change) => change === null)) return
        const results = map.apply(given)
        outputs.forEach((slot, i) => {
          if (slot >= 0) held[slot] = results[i] ?? null
        })
        for (const slot of inputs)
          if (slot >= 0 && lastReader[slot] === at && !kept.has(slot)) held[slot] = null
      })
      return targets.map((slot) => held[slot])
    },
    applyAdjoint: (changes) => {
      const held = new Array<Float64Array | null>(slots).fill(null)
      targets.forEach((slot, i) => {
        held[slot] = sumOf(held[slot], changes[i])
      })
      const sourceSlots = new Set(sources)
      for (const { map, inputs, outputs } of steps.toReversed()) {
        const given = outputs.map((slot) => (slot < 0 ? null : held[slot]))
        if (given.every((change) => change === null)) continue
        const results = map.applyAdjoint(given)
        for (const slot of outputs) if (slot >= 0 && !sourceSlots.has(slot)) held[slot] = null
        inputs.forEach((slot, i) => {
          if (slot >= 0) held[slot] = sumOf(held[slot], results[i] ?? null)
        })
      }
      return sources.map((slot) => held[slot])
    },
  }
}

/** Never in place: a map may hand on what it was given. */
function sumOf(a: Float64Array | null, b: Float64Array | null): Float64Array | null {
  if (a === null || b === null) return a ?? b
  const sum = new Float64Array(a.length)
  for (let i = 0; i < sum.length; i++) sum[i] = a[i] + b[i]
  return sum
}
