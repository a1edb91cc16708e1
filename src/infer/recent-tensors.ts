import type { Tensor } from '../core/tensor.ts'

/** A cache of tensors that forgets those not used for longest once it holds more than `budget` bytes. */
export interface RecentTensors<Key> {
  get(key: Key): Tensor | undefined
  /** A tensor larger than a quarter of the budget is not kept. */
  add(key: Key, tensor: Tensor): void
  remove(key: Key): void
}

export function createRecentTensors<Key>(budget: number): RecentTensors<Key> {
  // A Map iterates in order of insertion: the first entry is the one not used for longest.
  const tensors = new Map<Key, Tensor>()
  let bytes = 0

  function remove(key: Key): void {
    bytes -= tensors.get(key)?.data.byteLength ?? 0
    tensors.delete(key)
  }

  return {
    remove,
    get(key) {
      const tensor = tensors.get(key)
      if (tensor === undefined) return undefined
      tensors.delete(key)
      tensors.set(key, tensor)
      return tensor
    },
    add(key, tensor) {
      if (tensor.data.byteLength > budget / 4) return
      remove(key)
      tensors.set(key, tensor)
      bytes += tensor.data.byteLength
      for (const oldest of tensors.keys()) {
        if (bytes <= budget) break
        remove(oldest)
      }
    },
  }
}
