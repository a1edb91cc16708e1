import type { Windows } from '../numeric/windows.ts'

/**
 * In how many windows of one axis an element can be: offsets j·dilation of the same residue modulo the stride
 * reach one element from different windows. The same for every size of the input.
 */
export function windowMultiplicity(kernel: number, stride: number, dilation: number): number {
  const period = stride / greatestCommonDivisor(stride, dilation)
  return Math.ceil(kernel / period)
}

function greatestCommonDivisor(a: number, b: number): number {
  let [large, small] = [a, b]
  while (small > 0) [large, small] = [small, large % small]
  return large
}

/**
 * Each output is an element of its window, |Δout| ≤ max |Δ in the window|, whose square is at most the sum of
 * squares there: √(number of windows that share an element), the product over the axes.
 */
export function sharing({ kernel, strides, dilations, output }: Windows): number {
  return kernel.reduce((product, size, axis) => {
    const shared = windowMultiplicity(size, strides[axis], dilations[axis])
    const windows = output[axis] ?? Infinity
    return product * Math.min(shared, windows)
  }, 1)
}
