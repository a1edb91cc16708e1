import type { Dim } from '../../core/tensor.ts'
import type { Operand } from '../operand.ts'

/** The entries of a small constant integer tensor, NaN where unknown; null when it is not constant or not given. */
export function integersOf(operand: Operand | null): number[] | null {
  const tensor = operand?.smallConstant() ?? null
  return tensor === null ? null : Array.from(tensor.data)
}

/** As `integersOf`, but null unless every entry is known. */
export function knownIntegersOf(operand: Operand | null): number[] | null {
  const entries = integersOf(operand)
  return entries?.every((entry) => !Number.isNaN(entry)) ? entries : null
}

/** The single element of a constant scalar (or one-element tensor); null when unknown. */
export function knownScalarOf(operand: Operand | null): number | null {
  const entries = knownIntegersOf(operand)
  return entries?.length === 1 ? entries[0] : null
}

/** Length of a 1-D operand, from its elements or its shape; null when unknown. */
export function lengthOf(operand: Operand | null): Dim {
  if (operand === null || operand.shape === null || operand.shape.length !== 1) return null
  return operand.shape[0]
}

/** An entry of a shape tensor as a dimension. */
export function dimOf(entry: number): Dim {
  return Number.isNaN(entry) ? null : entry
}

/** A dimension as an entry of a shape tensor. */
export function entryOf(dim: Dim): number {
  return dim ?? Number.NaN
}

/** Product of dimensions: 0 where one is 0 even if others are unknown; null when unknown. */
export function productOf(dims: readonly Dim[]): Dim {
  let product: Dim = 1
  for (const dim of dims) {
    if (dim === 0) return 0
    product = product === null || dim === null ? null : product * dim
  }
  return product
}
