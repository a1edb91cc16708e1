import type { Matrix } from '../dense.ts'
import type { SizedAxis } from './axis.ts'
import { outputsReachedBy } from './axis.ts'
import type { Kernel } from './kernel.ts'
import { tapPositions } from './kernel.ts'

/** For every tap, the pairs (output position, input position) that it joins, as flat lists. */
interface TapPairs {
  readonly outputs: Int32Array
  readonly inputs: Int32Array
}

function pairsOf(kernel: Kernel): TapPairs[] {
  const axes = kernel.axes as readonly SizedAxis[]
  return tapPositions(kernel).map((taps) => {
    let outputs = Int32Array.of(0)
    let inputs = Int32Array.of(0)
    axes.forEach((axis, a) => {
      const { first, count } = outputsReachedBy({ ...axis, dilation: 1 }, taps[a])
      const nextOutputs = new Int32Array(outputs.length * count)
      const nextInputs = new Int32Array(outputs.length * count)
      for (let i = 0; i < outputs.length; i++) {
        for (let q = 0; q < count; q++) {
          nextOutputs[i * count + q] = outputs[i] * axis.outputs + first + q
          nextInputs[i * count + q] = inputs[i] * axis.inputs + axis.stride * (first + q) + taps[a] - axis.pad
        }
      }
      outputs = nextOutputs
      inputs = nextInputs
    })
    return { outputs, inputs }
  })
}

/** Multiply-adds of one product with TᵀT. */
export function directCost(kernel: Kernel): number {
  const axes = kernel.axes as readonly SizedAxis[]
  const pairs = axes.reduce((product, axis) => {
    let met = 0
    for (let tap = 0; tap < axis.taps; tap++) met += outputsReachedBy({ ...axis, dilation: 1 }, tap).count
    return product * met
  }, 1)
  return 2 * pairs * kernel.outputs * kernel.inputs
}

/** Dimensions of the finite operator. */
export function finiteSize(kernel: Kernel): { rows: number; columns: number } {
  const axes = kernel.axes as readonly SizedAxis[]
  return {
    rows: axes.reduce((product, axis) => product * axis.outputs, kernel.outputs),
    columns: axes.reduce((product, axis) => product * axis.inputs, kernel.inputs),
  }
}

/** The finite operator as a dense matrix [output position · channel, input position · channel]. */
export function denseConvolution(kernel: Kernel): Matrix {
  const { outputs, inputs, slices } = kernel
  const { rows, columns } = finiteSize(kernel)
  const data = new Float64Array(rows * columns)
  pairsOf(kernel).forEach((pair, tap) => {
    for (let i = 0; i < pair.outputs.length; i++) {
      for (let o = 0; o < outputs; o++) {
        const source = (tap * outputs + o) * inputs
        const target = (pair.outputs[i] * outputs + o) * columns + pair.inputs[i] * inputs
        for (let c = 0; c < inputs; c++) data[target + c] = slices[source + c]
      }
    }
  })
  return { rows, columns, data }
}
