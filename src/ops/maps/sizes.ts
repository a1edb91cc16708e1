import { type Shape, sizeOf } from '../../core/tensor.ts'
import type { LinearContext } from '../calculus.ts'

/** The dims of a shape of which all are known; null for others. */
export function knownDims(shape: Shape | null | undefined): readonly number[] | null {
  return shape == null || shape.includes(null) ? null : (shape as readonly number[])
}

export function productOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

/** Dims of input i; null where it is omitted or a dimension is not known. */
export function inputDims(context: LinearContext, i: number): readonly number[] | null {
  return knownDims(context.inputs[i]?.shape)
}

/** Dims of output i; null where it is omitted or a dimension is not known. */
export function outputDims(context: LinearContext, i = 0): readonly number[] | null {
  return knownDims(context.outputs[i]?.shape)
}

/** Indices of the inputs that vary. */
export function varyingInputs(context: LinearContext): number[] {
  return context.inputs.flatMap((input, i) => (input !== null && context.varies(i) ? [i] : []))
}

/** Elements of input i; null where it is omitted or a dimension is not known. */
export function inputSize(context: LinearContext, i: number): number | null {
  const shape = context.inputs[i]?.shape ?? null
  return shape === null ? null : sizeOf(shape)
}
