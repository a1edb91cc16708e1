import { allocateFloats, floatsAt, scoped } from '../../linalg/arena.ts'
import { kernels, type Pointer } from '../../linalg/kernels.ts'
import { compiledMap } from './compiled.ts'
import type { MatrixFactor } from './parts.ts'
import type { Placed } from './placed.ts'
import type { Window } from './window.ts'

/**
 * The rows of a window's matrices, written into the arena: for each slot of its sources the matrix rows × size, row by
 * row the adjoint's image of a unit vector of the targets, of the elements that count. All rows go back through the nodes together, so that products
 * with matrices are products of matrices. Cost: the adjoint's, times rows; memory: rows × all slots.
 */
export function adjointRows(window: Window, rows: number): Pointer[] {
  const { steps, elements, targetSlots, sourceSlots, picks } = window
  const held = elements.map((size) => allocateFloats(rows * size))
  for (const [slot, pointer] of held.entries()) floatsAt(pointer, rows * elements[slot]).fill(0)
  let row = 0
  for (const slot of targetSlots) {
    const size = elements[slot]
    const block = floatsAt(held[slot], rows * size)
    for (const i of picks ?? new Int32Array(size).keys()) block[row++ * size + i] += 1
  }
  for (const step of steps.toReversed()) scoped(() => goBack(step, rows, held, elements))
  return sourceSlots.map((slot) => held[slot])
}

function goBack(step: Placed, rows: number, held: readonly Pointer[], elements: readonly number[]): void {
  const { inputs, outputs, split } = step
  const factor = step.matrix?.() ?? null
  if (factor !== null) {
    multiply(factor, rows, held[outputs[0]], held[inputs.find((slot) => slot >= 0) as number])
  } else if (split !== null) {
    const [z, u] = inputs
    addScaled(rows, elements[outputs[0]], held[outputs[0]], held[z], split.center)
    if (u >= 0) addScaled(rows, elements[outputs[0]], held[outputs[0]], held[u], split.root)
  } else goBackByRows({ ...step, map: compiledMap(step) }, rows, held, elements)
}

/** to += from · W. */
function multiply(
  { rows: height, columns, data, factor, transposed }: MatrixFactor,
  rows: number,
  from: Pointer,
  to: Pointer,
): void {
  const matrix = allocateFloats(height * columns)
  const packed = allocateFloats((rows + columns + 6) * 256)
  const copy = floatsAt(matrix, height * columns)
  if (factor === 1) copy.set(data)
  else for (let i = 0; i < copy.length; i++) copy[i] = factor * data[i]
  const [row, column] = transposed ? [1, height] : [columns, 1]
  kernels().product(from, height, 1, matrix, row, column, rows, columns, height, to, columns, packed, 1)
}

/** to += from · diag(factor). */
function addScaled(
  rows: number,
  size: number,
  from: Pointer,
  to: Pointer,
  factor: number | Float64Array,
): void {
  const [source, target] = [floatsAt(from, rows * size), floatsAt(to, rows * size)]
  if (typeof factor === 'number') for (let i = 0; i < source.length; i++) target[i] += factor * source[i]
  else {
    for (let at = 0; at < source.length; at += size)
      for (let i = 0; i < size; i++) target[at + i] += factor[i] * source[at + i]
  }
}

function goBackByRows(
  { map, inputs, outputs }: Placed,
  rows: number,
  held: readonly Pointer[],
  elements: readonly number[],
): void {
  const rowOf = (slot: number, row: number) => floatsAt(held[slot] + row * elements[slot] * 8, elements[slot])
  for (let row = 0; row < rows; row++) {
    const images = map.applyAdjoint(outputs.map((slot) => (slot < 0 ? null : rowOf(slot, row))))
    inputs.forEach((slot, i) => {
      const image = slot < 0 ? null : images[i]
      if (!image) return
      const target = rowOf(slot, row)
      for (let k = 0; k < target.length; k++) target[k] += image[k]
    })
  }
}
