import { LipschitzError } from '../../core/errors.ts'
import type { FloatArray, Tensor } from '../../core/tensor.ts'
import type { AffineAxes, LayerKind, LayerSpec } from '../layer.ts'
import type { LayerContext, Operand } from '../operand.ts'

/** A constant operand whose dimensions are all known: what a layer's weight has to be. */
export interface Weight {
  readonly operand: Operand
  readonly dims: readonly number[]
}

/** The operand as a weight; null where it is omitted, is data, or has dimensions that are not known. */
export function weightOf(operand: Operand | null): Weight | null {
  if (!operand?.isConstant || operand.shape === null) return null
  const dims = operand.shape.filter((dim) => dim !== null)
  return dims.length === operand.shape.length ? { operand, dims } : null
}

/** Whether the operand is there and follows from the inputs of the model. */
export function isData(operand: Operand | null): operand is Operand {
  return operand !== null && !operand.isConstant
}

/** The elements of a constant operand; throws `unsupported` where folding gives up. */
export function elementsOf(operand: Operand): Tensor {
  const tensor = operand.constant()
  if (tensor !== null) return tensor
  const { name } = operand.value
  const reason = 'they depend on sizes that are not known, or take too long to compute'
  throw new LipschitzError('unsupported', `the elements of '${name}' are not known: ${reason}`, {
    tensor: name,
  })
}

/** How a layer differs from the plain case of one layer per node whose weight is used as it is. */
interface LayerOptions {
  readonly role?: string
  readonly kind: LayerKind
  /** The operator's weights are the tensor's elements in their order. */
  readonly asStored: boolean
}

/** The layer of a node with its data input and its weight. */
export function layerOf(
  data: Operand,
  weight: Weight,
  operator: LayerSpec['operator'],
  options: LayerOptions,
): LayerSpec {
  return {
    role: options.role ?? '',
    kind: options.kind,
    weightName: weight.operand.value.name,
    weightShape: weight.dims,
    inputShape: data.shape,
    stored: options.asStored ? weight.operand.stored : null,
    operator,
  }
}

/** Says of the one layer of a node that the node is nothing else. */
export function affine(
  layers: (context: LayerContext) => readonly LayerSpec[],
  axesOf: (context: LayerContext) => AffineAxes,
): (context: LayerContext) => readonly LayerSpec[] {
  return (context) => layers(context).map((spec) => ({ ...spec, affine: axesOf(context) }))
}

/** Reads the operand's elements when the layer is measured, not before. */
export function loaderOf(operand: Operand): () => FloatArray {
  return () => elementsOf(operand).data
}
