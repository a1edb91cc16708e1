import { tensor } from './onnx-builder.ts'

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Tensors of uniform numbers in [−1, 1), one after another from the same generator. */
export function tensorsFrom(random: () => number): (...dims: number[]) => ReturnType<typeof tensor> {
  return (...dims) =>
    tensor(
      dims,
      Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, () => 2 * random() - 1),
    )
}
