import type { Geometry } from './form.ts'
import type { LayerTask } from './task.ts'

/** Passes over a dense matrix that a Lanczos enclosure takes, at a middling spectrum. */
const PASSES = 30
/** Frequencies at which the symbol of a convolution is looked at. */
const FREQUENCIES = 300

/** Flops that a layer is expected to take, roughly: for dividing work, not for choosing methods. */
const flops: { [Form in Geometry['form']]: (geometry: Extract<Geometry, { form: Form }>) => number } = {
  matrix: ({ rows, columns, blocks }) => {
    const order = Math.min(rows, columns)
    const passes = Math.min(order, 8 * PASSES)
    return blocks * rows * columns * (8 + passes)
  },
  diagonal: ({ size }) => 4 * size,
  convolution: ({ inChannels, outChannels, groups, kernel }) => {
    const taps = kernel.reduce((product, size) => product * size, 1)
    if (taps === 1) return (inChannels * outChannels * 8 * PASSES) / groups
    const [rows, columns] = [outChannels / groups, inChannels / groups]
    return groups * FREQUENCIES * rows * columns * (taps + Math.min(rows, columns))
  },
}

export function estimateCost(task: LayerTask): number {
  return (flops[task.geometry.form] as (geometry: Geometry) => number)(task.geometry)
}
