import { padded } from './gather.ts'

/** A grid of positions in the arena, row-major, each with `copies` runs of channels, padded to fours. */
export interface Field {
  readonly extents: readonly number[]
  /** Elements of one run, and from one position to the next. */
  readonly run: number
  readonly pitch: number
  readonly size: number
}

/** Elements by which positions must not be apart: what is that far apart shares a few lines of the first-level cache. */
const ALIASED = 128

export function fieldOf(extents: readonly number[], channels: number, copies: number): Field {
  const run = padded(channels)
  const pitch = run * copies + ((run * copies) % ALIASED === 0 ? 8 : 0)
  return { extents, run, pitch, size: extents.reduce((product, extent) => product * extent, pitch) }
}

/** Offset of a run, in elements. */
export function offsetIn(field: Field, position: readonly number[], copy = 0): number {
  let index = 0
  for (let a = 0; a < position.length; a++) index = index * field.extents[a] + position[a]
  return index * field.pitch + copy * field.run
}

/** All positions of a grid, the last axis fastest. */
export function positionsOf(extents: readonly number[]): number[][] {
  let positions: number[][] = [[]]
  for (const extent of extents) {
    positions = positions.flatMap((head) => Array.from({ length: extent }, (_, i) => [...head, i]))
  }
  return positions
}

/** Where the outputs of a convolution stand in the fields that are read and written, two vectors at every position. */
export interface Placement {
  /** Elements of a run. */
  readonly run: number
  /** Offset of an output's run in the field that is read; that field goes on beyond the outputs, with zeros. */
  read(output: readonly number[], copy?: number): number
  write(output: readonly number[], copy?: number): number
}

/** The placement of the outputs at one coordinate of an axis. */
export function placementAt({ run, read, write }: Placement, axis: number, coordinate: number): Placement {
  const whole = (output: readonly number[]) => output.toSpliced(axis, 0, coordinate)
  return {
    run,
    read: (output, copy) => read(whole(output), copy),
    write: (output, copy) => write(whole(output), copy),
  }
}
