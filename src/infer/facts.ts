import type { ElementType, Shape } from '../core/tensor.ts'
import { sizeOf } from '../core/tensor.ts'
import type { Node, Value } from '../graph/graph.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import type { ValueInfo } from '../ops/operand.ts'
import type { Operator } from '../ops/operator.ts'

/** What the forward pass finds out about a value. */
export interface Fact extends ValueInfo {
  /** The elements follow from the file and from shapes; they are folded when somebody asks. */
  readonly isConstant: boolean
  /** The tensor in the file that holds exactly these elements. */
  readonly stored: StoredTensor | null
  /**
   * Dimensions that are not known may depend on data (behind NonZero, say), not only on the shapes of the
   * inputs: then even the value's shape is data.
   */
  readonly shapeIsData: boolean
  /** The value of a body that this one is, where constants decide that the body runs. */
  readonly sameAs: Value | null
}

/** The facts found so far; initializers have theirs from the start. */
export interface FactTable {
  of(value: Value): Fact
  set(value: Value, fact: Fact): void
}

export function createFacts(): FactTable {
  const facts = new Map<Value, Fact>()
  return {
    of: (value) => facts.get(value) ?? (value.stored === null ? unknownFact : sourceFact(value, unknownInfo)),
    set: (value, fact) => facts.set(value, fact),
  }
}

export const unknownInfo: ValueInfo = { type: null, shape: null }

export const unknownFact: Fact = {
  ...unknownInfo,
  isConstant: false,
  stored: null,
  shapeIsData: true,
  sameAs: null,
}

/** The fact of a value that no node writes: an initializer, or an input of the given type and shape. */
export function sourceFact(value: Value, info: ValueInfo): Fact {
  const { stored } = value
  if (stored === null) return { ...info, isConstant: false, stored: null, shapeIsData: false, sameAs: null }
  return {
    type: stored.type,
    shape: stored.dims,
    isConstant: isFoldable(stored.type),
    stored,
    shapeIsData: false,
    sameAs: null,
  }
}

/** The facts of a node's outputs, in their order, from those of its inputs and what its declaration inferred. */
export function outputFacts(
  node: Node,
  operator: Operator | null,
  inputs: readonly (Fact | null)[],
  infos: readonly ValueInfo[],
  readData: boolean,
): Fact[] {
  const given = inputs.filter((fact) => fact !== null)
  const folds = operator !== null && operator.draws?.(node) !== true && canFold(operator, inputs)
  const shapesFollowData =
    operator === null ||
    operator.shapesFollowData === true ||
    readData ||
    given.some((fact) => fact.shapeIsData) ||
    given.every((fact) => isKnown(fact.shape))
  const stored =
    operator?.stored?.(
      node,
      inputs.map((fact) => fact?.stored ?? null),
    ) ?? null

  return node.outputs.map((_, index) => {
    const { type, shape } = infos[index] ?? unknownInfo
    const shapeKnown = isKnown(shape)
    return {
      type,
      shape,
      isConstant: folds && isFoldable(type),
      stored: index === 0 && stored !== null && holds(stored, type, shape) ? stored : null,
      shapeIsData: !shapeKnown && !folds && shapesFollowData,
      sameAs: null,
    }
  })
}

/** The inputs whose elements folding needs. */
export function foldedInputs<T>(operator: Operator | null, inputs: readonly T[]): readonly T[] {
  const needed = { elements: inputs.length, first: 1, shapes: 0 }
  return inputs.slice(0, needed[operator?.foldsFrom ?? 'elements'])
}

function canFold(operator: Operator, inputs: readonly (Fact | null)[]): boolean {
  if (operator.fold === undefined) return false
  if (operator.foldsFrom === 'shapes') {
    const isTold = (fact: Fact) => fact.shape !== null && (isKnown(fact.shape) || !fact.shapeIsData)
    return inputs.every((fact) => fact === null || isTold(fact))
  }
  return foldedInputs(operator, inputs).every((fact) => fact === null || fact.isConstant)
}

/** Folded data are real numbers. */
function isFoldable(type: ElementType | null): boolean {
  return type !== 'string' && type !== 'complex64' && type !== 'complex128'
}

function isKnown(shape: Shape | null): boolean {
  return shape !== null && sizeOf(shape) !== null
}

function holds(stored: StoredTensor, type: ElementType | null, shape: Shape | null): boolean {
  return (
    stored.type === type &&
    shape?.length === stored.dims.length &&
    stored.dims.every((dim, axis) => dim === shape[axis])
  )
}
