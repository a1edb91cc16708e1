import { allocate, allocateFloats, bytesAt, floatsAt } from '../arena.ts'
import { kernels, type Pointer } from '../kernels.ts'

/** A small real matrix that is applied across runs of numbers, set up in the arena (assembly/circle.ts). */
export interface RunCombination {
  /** Overwrites the outputs of every place, or adds to them. */
  run(inputs: Pointer, outputs: Pointer): void
}

/** Where the runs begin, in float64 elements: those of one place, and pairs (input, output) of places. */
export interface RunOffsets {
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly places: readonly number[]
}

/** Output k of a place becomes Σ_i matrix[k][i] · input i, in runs of `length` elements, a multiple of four. */
export function runCombination(
  matrix: readonly (readonly number[])[],
  offsets: RunOffsets,
  length: number,
  add = false,
): RunCombination {
  const rows = offsets.outputs.length
  const columns = offsets.inputs.length
  const panels = Math.ceil(rows / 4)
  const pointer = allocateFloats(panels * columns * 4)
  const packed = floatsAt(pointer, panels * columns * 4)
  for (let k = 0; k < 4 * panels; k++) {
    for (let i = 0; i < columns; i++) {
      packed[((k >> 2) * columns + i) * 4 + (k & 3)] = k < rows ? matrix[k][i] : 0
    }
  }
  const inputs = placeOffsets(offsets.inputs)
  const outputs = placeOffsets(offsets.outputs)
  const places = placeOffsets(offsets.places)
  const count = offsets.places.length / 2
  return {
    run(x, y) {
      kernels().combineRuns(pointer, rows, columns, inputs, outputs, places, count, length, x, y, add ? 1 : 0)
    },
  }
}

/** Byte offsets in the arena for offsets in float64 elements. */
export function placeOffsets(offsets: ArrayLike<number>): Pointer {
  const pointer = allocate(4 * offsets.length)
  const view = new Uint32Array(bytesAt(pointer, 4 * offsets.length).buffer, pointer, offsets.length)
  for (let i = 0; i < offsets.length; i++) view[i] = 8 * offsets[i]
  return pointer
}
