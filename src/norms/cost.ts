import type { Geometry } from './geometry.ts'

/** Steps that a Lanczos enclosure of a dense matrix takes at a middling spectrum. */
const STEPS = 30
/** Nanoseconds per multiply-add pair of the fused product, and per multiply-add of a Gram matrix. */
const PRODUCT = 0.45
const GRAM = 0.1
/** Output positions beyond which a convolution costs no more: its symbol decides. */
const POSITIONS = 200

/**
 * Nanoseconds that a layer takes, roughly, from measurements of trained and of random weights: for dividing work
 * between threads, not for choosing methods.
 */
const costs: { [Form in Geometry['form']]: (geometry: Extract<Geometry, { form: Form }>) => number } = {
  matrix: ({ rows, columns, blocks }) => {
    const size = rows * columns
    const gram = GRAM * size * Math.min(rows, columns)
    return blocks * (size * 2 + Math.min(gram, PRODUCT * size * STEPS))
  },
  diagonal: ({ size }) => size,
  convolution: ({ inChannels, outChannels, groups, kernel, outputSize }) => {
    const taps = kernel.reduce((product, size) => product * size, 1)
    const channels = Math.min(inChannels, outChannels) / groups
    const positions = outputSize?.reduce((product, size) => product * size, 1) ?? POSITIONS
    const perWeight = taps === 1 ? channels : 30 * (40 + 3 * channels + Math.min(positions, POSITIONS))
    return ((inChannels * outChannels * taps) / groups) * perWeight
  },
}

export function estimateCost(geometry: Geometry): number {
  return (costs[geometry.form] as (geometry: Geometry) => number)(geometry)
}
