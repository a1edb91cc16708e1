import { allocateFloats, floatsAt } from '../../linalg/arena.ts'
import { kernels, type Pointer } from '../../linalg/kernels.ts'
import type { Pattern } from './problem.ts'

/** A symmetric block matrix in the arena: diagonal blocks, full, and for coupled i < j the block rows i × columns j. */
export interface BlockMatrix {
  readonly pattern: Pattern
  /** The block (i, j), i ≤ j; an error where the two are not coupled. */
  at(i: number, j: number): Pointer
  fill(value: number): void
}

/** Blocks before `first` have no place. */
export function placeBlocks(pattern: Pattern, first = 0): BlockMatrix {
  const { sizes, later } = pattern
  const places = new Map<number, Pointer>()
  const key = (i: number, j: number) => i * sizes.length + j
  const areas: [Pointer, number][] = []
  const place = (i: number, j: number) => {
    const count = sizes[i] * sizes[j]
    const pointer = allocateFloats(count)
    places.set(key(i, j), pointer)
    areas.push([pointer, count])
  }
  sizes.forEach((_, i) => {
    if (i < first) return
    place(i, i)
    for (const j of later[i]) place(i, j)
  })
  return {
    pattern,
    at: (i, j) => {
      const pointer = places.get(key(i, j))
      if (pointer === undefined) throw new Error(`blocks ${i} and ${j} are not coupled`)
      return pointer
    },
    fill: (value) => {
      for (const [pointer, count] of areas) floatsAt(pointer, count).fill(value)
    },
  }
}

/** A view of a matrix for products: its element (i, j) stands at pointer + 8·(i·row + j·column). */
export interface Operand {
  readonly pointer: Pointer
  readonly row: number
  readonly column: number
}

export const plain = (pointer: Pointer, columns: number): Operand => ({ pointer, row: columns, column: 1 })
export const turned = (pointer: Pointer, columns: number): Operand => ({ pointer, row: 1, column: columns })

/** target += sign · a · b, target rows × columns, row-major. */
export function addProduct(
  target: Pointer,
  a: Operand,
  b: Operand,
  [rows, columns, depth]: readonly [number, number, number],
  sign: number,
  packed: Pointer,
): void {
  if (rows === 0 || columns === 0 || depth === 0) return
  kernels().product(
    a.pointer,
    a.row,
    a.column,
    b.pointer,
    b.row,
    b.column,
    rows,
    columns,
    depth,
    target,
    columns,
    packed,
    sign,
  )
}

export function placed(data: Float64Array): Pointer {
  const pointer = allocateFloats(data.length)
  floatsAt(pointer, data.length).set(data)
  return pointer
}

export function transposed(data: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(data.length)
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < columns; k++) result[k * rows + i] = data[i * columns + k]
  return result
}
