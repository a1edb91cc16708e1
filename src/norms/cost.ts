import type { Geometry, OperatorOf } from './geometry.ts'

/** Steps that a Lanczos enclosure of a dense matrix takes at a middling spectrum. */
const STEPS = 30
/** Nanoseconds per multiply-add pair of the fused product, and per multiply-add of a Gram matrix. */
const PRODUCT = 0.45
const GRAM = 0.1
/** Output positions beyond which a convolution of one or two axes costs no more: its symbol decides. */
const POSITIONS = 200
/** Nanoseconds per weight and position: where the symbol may decide, and with three axes, where it hardly ever does. */
const PER_POSITION = 15
const PER_PLACE = 9
/** Nanoseconds per weight and channel: what the symbol takes. */
const PER_CHANNEL = 1.3
/** Nanoseconds of a convolution however few its channels, at `FULL` positions or more. */
const LEAST = 5e6
const FULL = 500

type Cost<Form extends Geometry['form']> = (geometry: OperatorOf<Form>) => number

const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1)

function denseCost(rows: number, columns: number, blocks: number): number {
  const size = rows * columns
  const gram = GRAM * size * Math.min(rows, columns)
  return blocks * (size * 2 + Math.min(gram, PRODUCT * size * STEPS))
}

/**
 * Nanoseconds that a layer takes, roughly, from measurements of trained and of random weights: for dividing work
 * between threads, not for choosing methods.
 */
const costs: { [Form in Geometry['form']]: Cost<Form> } = {
  matrix: ({ rows, columns, blocks }) => denseCost(rows, columns, blocks),
  diagonal: ({ size }) => size,
  convolution: ({ inChannels, outChannels, groups, kernel, strides, outputSize }) => {
    const taps = product(kernel)
    // patches that do not overlap are the columns of a matrix
    if (kernel.every((size, axis) => size <= strides[axis])) {
      return denseCost(outChannels / groups, (inChannels / groups) * taps, groups)
    }
    const weights = (inChannels * outChannels * taps) / groups
    const channels = Math.min(inChannels, outChannels) / groups
    const positions = outputSize === null ? POSITIONS : product(outputSize)
    const extended = kernel.filter((size) => size > 1).length
    const perWeight =
      extended > 2
        ? PER_PLACE * positions
        : PER_POSITION * Math.min(positions, POSITIONS) + PER_CHANNEL * channels
    return LEAST * Math.min(1, positions / FULL) + weights * perWeight
  },
}

export function estimateCost(geometry: Geometry): number {
  return (costs[geometry.form] as (geometry: Geometry) => number)(geometry)
}
