import type { FloatArray } from '../../core/tensor.ts'
import type { ConvolutionOperator } from '../linear-operator.ts'
import type { SimpleAxis } from './axis.ts'
import { axesOf, interleavedCopies, meetsData, tapSets } from './axis.ts'

/**
 * A convolution that is left when everything that splits exactly has been split: one group, dilation 1, on every
 * axis stride < taps and more than one input and output. `slices` is [tap, output channel, input channel] in
 * float64, taps row-major over the axes. Axes that split into blocks have gone into the channels.
 */
export interface Kernel {
  readonly outputs: number
  readonly inputs: number
  readonly axes: readonly SimpleAxis[]
  readonly slices: Float64Array
}

/** How one axis enters a part: kept as it is, or its taps become input or output channels. */
type AxisRole =
  | { readonly role: 'kept'; readonly axis: SimpleAxis }
  | { readonly role: 'columns' | 'rows'; readonly taps: readonly number[] }

/** One summand of every group: the same geometry for all groups. */
export interface Part {
  readonly roles: readonly AxisRole[]
}

/**
 * The parts whose direct sum (over parts, and over groups) is the operator; its norm is the largest of theirs.
 * Parts that are contained in others are left out. Empty for the zero operator.
 */
export function partsOf(operator: ConvolutionOperator): Part[] {
  let parts: AxisRole[][] = [[]]
  for (const axis of axesOf(operator)) {
    const roles = interleavedCopies(axis).flatMap(rolesOf)
    parts = parts.flatMap((part) => roles.map((role) => [...part, role]))
  }
  return parts.map((roles) => ({ roles }))
}

function rolesOf(axis: SimpleAxis): AxisRole[] {
  if (axis.taps <= axis.stride || axis.outputs === 1) {
    return tapSets(axis).map((taps) => ({ role: 'columns', taps: taps.map((tap) => tap + axis.firstTap) }))
  }
  if (axis.inputs === 1) {
    const taps = Array.from({ length: axis.taps }, (_, tap) => tap)
    const met = taps.filter((tap) => {
      const output = (axis.pad - tap) / axis.stride
      return Number.isInteger(output) && output >= 0 && output < (axis.outputs as number)
    })
    return [{ role: 'rows', taps: met.map((tap) => tap + axis.firstTap) }]
  }
  return [{ role: 'kept', axis }]
}

export function keptAxes(part: Part): SimpleAxis[] {
  return part.roles.flatMap((role) => (role.role === 'kept' ? [role.axis] : []))
}

/** The weights of one group as a matrix, for a part that keeps no axis: a view where nothing is left out. */
export function matrixOf(
  operator: ConvolutionOperator,
  part: Part,
  group: number,
  weights: FloatArray,
): { rows: number; columns: number; data: FloatArray } {
  const { outputs, inputs, taps } = channelsOf(operator)
  const size = outputs * inputs * taps
  const asStored = part.roles.every(
    (role, a) => role.role === 'columns' && role.taps.length === operator.kernel[a],
  )
  if (asStored) {
    return { rows: outputs, columns: inputs * taps, data: weights.subarray(group * size, (group + 1) * size) }
  }
  const kernel = kernelOf(operator, part, group, weights)
  return { rows: kernel.outputs, columns: kernel.inputs, data: kernel.slices }
}

/** Reads the weights of one group as the kernel of a part, times `scale`. */
export function kernelReader(
  operator: ConvolutionOperator,
  part: Part,
): (group: number, weights: FloatArray, scale: number) => Kernel {
  const { outputs, inputs, taps } = channelsOf(operator)
  let picks = [{ tap: 0, slice: 0, row: 0, column: 0 }]
  let slices = 1
  let rowCopies = 1
  let columnCopies = 1
  part.roles.forEach((role, a) => {
    const own = role.role === 'kept' ? range(role.axis.firstTap, role.axis.taps) : role.taps
    const count = own.length
    picks = picks.flatMap((pick) =>
      own.flatMap((tap, i) => {
        // weights of inner taps that never meet data stay 0
        if (role.role === 'kept' && !meetsData(role.axis, i)) return []
        return {
          tap: pick.tap * operator.kernel[a] + tap,
          slice: role.role === 'kept' ? pick.slice * count + i : pick.slice,
          row: role.role === 'rows' ? pick.row * count + i : pick.row,
          column: role.role === 'columns' ? pick.column * count + i : pick.column,
        }
      }),
    )
    if (role.role === 'kept') slices *= count
    else if (role.role === 'rows') rowCopies *= count
    else columnCopies *= count
  })
  const rows = outputs * rowCopies
  const columns = inputs * columnCopies
  const axes = keptAxes(part)
  return (group, weights, scale) => {
    const result = new Float64Array(slices * rows * columns)
    for (const { tap, slice, row, column } of picks) {
      for (let o = 0; o < outputs; o++) {
        const target = (slice * rows + o * rowCopies + row) * columns + column
        const source = (group * outputs + o) * inputs * taps + tap
        for (let c = 0; c < inputs; c++)
          result[target + c * columnCopies] = weights[source + c * taps] * scale
      }
    }
    return { outputs: rows, inputs: columns, axes, slices: result }
  }
}

/** The weights of one group as the kernel of a part. */
export function kernelOf(
  operator: ConvolutionOperator,
  part: Part,
  group: number,
  weights: FloatArray,
): Kernel {
  return kernelReader(operator, part)(group, weights, 1)
}

/** Channels of one group, and the number of taps of the whole kernel. */
function channelsOf(operator: ConvolutionOperator): { outputs: number; inputs: number; taps: number } {
  return {
    outputs: operator.outChannels / operator.groups,
    inputs: operator.inChannels / operator.groups,
    taps: operator.kernel.reduce((product, taps) => product * taps, 1),
  }
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i)
}

/** The adjoint of a kernel of stride 1, which is one of stride 1 with its taps in reverse order. */
export function adjointOf(kernel: Kernel): Kernel {
  const { outputs, inputs, slices } = kernel
  const count = tapCount(kernel)
  const size = outputs * inputs
  const reversed = new Float64Array(slices.length)
  for (let tap = 0; tap < count; tap++) {
    const from = tap * size
    const to = (count - 1 - tap) * size
    for (let o = 0; o < outputs; o++) {
      for (let c = 0; c < inputs; c++) reversed[to + c * outputs + o] = slices[from + o * inputs + c]
    }
  }
  const axes = kernel.axes.map((axis) => ({
    ...axis,
    pad: axis.taps - 1 - axis.pad,
    inputs: axis.outputs,
    outputs: axis.inputs,
  }))
  return { outputs: inputs, inputs: outputs, axes, slices: reversed }
}

export function tapCount(kernel: Kernel): number {
  return kernel.axes.reduce((product, axis) => product * axis.taps, 1)
}

/** Σ over taps of ‖K[:, :, tap]‖_F: a bound on ‖|T|‖ and so on what rounding can do. */
export function sumOfSliceNorms(kernel: Kernel): number {
  const size = kernel.outputs * kernel.inputs
  let total = 0
  for (let start = 0; start < kernel.slices.length; start += size) {
    let squares = 0
    for (let i = start; i < start + size; i++) squares += kernel.slices[i] ** 2
    total += Math.sqrt(squares)
  }
  return total * (1 + 2 ** -40)
}

/** Tap numbers of each slice, axis by axis: [slices, axes]. */
export function tapPositions(kernel: Kernel): number[][] {
  let positions: number[][] = [[]]
  for (const axis of kernel.axes)
    positions = positions.flatMap((head) => range(0, axis.taps).map((tap) => [...head, tap]))
  return positions
}
