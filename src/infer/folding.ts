import { LipschitzError } from '../core/errors.ts'
import { beyondLimit, type Limits } from '../core/limits.ts'
import type { ElementType, Tensor } from '../core/tensor.ts'
import { sizeOf } from '../core/tensor.ts'
import type { Node, Value } from '../graph/graph.ts'
import type { Operator } from '../ops/operator.ts'
import { coneOf } from './cone.ts'
import type { Fact, FactTable } from './facts.ts'
import { foldedInputs, unknownFact } from './facts.ts'
import { createRecentTensors } from './recent-tensors.ts'

/** Computes the elements of constant values on demand. */
export interface Folder {
  /** The elements; null where the value is not constant, or where its declaration cannot tell them. */
  constant(value: Value): Tensor | null
  /** Drops what is remembered of a value: its body is inferred anew, with other shapes. */
  forget(value: Value): void
}

/**
 * Folds by need: a request walks back to tensors that are stored or remembered and computes forward from there,
 * dropping each intermediate result after its last use. Small results are remembered for good, large ones while
 * they were used lately. A request costs the elements of the cone behind the value.
 * Throws `limit` beyond the budgets, `malformed` where a declaration refuses the elements.
 */
export function createFolder(
  facts: FactTable,
  operatorOf: (node: Node) => Operator | null,
  parameters: number,
  limits: Limits,
): Folder {
  const largest = Math.max(limits.foldedElements, parameters)
  const budget = limits.foldedTotal + limits.foldedPerParameter * parameters
  const small = new Map<Value, Tensor | null>()
  const recent = createRecentTensors<Value>(limits.recentBytes)
  let spent = 0

  /** Where the elements of a value are computed: in a body that always runs, if it stands for one of its outputs. */
  function originOf(value: Value): Value {
    let origin = value
    for (let inner = facts.of(origin).sameAs; inner !== null; inner = facts.of(origin).sameAs) origin = inner
    return origin
  }

  function remembered(value: Value): Tensor | null | undefined {
    const tensor = small.get(value)
    return tensor === undefined ? recent.get(value) : tensor
  }

  function remember(value: Value, tensor: Tensor | null): void {
    if (tensor === null || tensor.data.length <= limits.smallElements) small.set(value, tensor)
    else recent.add(value, tensor)
  }

  function spend(elements: number, node: string): void {
    spent += elements
    if (spent <= budget) return
    throw beyondLimit('foldedTotal', `folding constants takes more than ${budget} elements`, {
      node,
    })
  }

  /** What must be in memory before the node can be folded. */
  function inputsOf(node: Node): readonly Value[] {
    return foldedInputs(operatorOf(node), node.inputs)
      .filter((input) => input !== null)
      .map(originOf)
  }

  function load(value: Value): Tensor | null {
    const { stored } = facts.of(value)
    if (stored === null) return null
    spend(stored.size, value.name)
    const tensor = stored.load()
    remember(value, tensor)
    return tensor
  }

  function fold(node: Node, tensorOf: (value: Value) => Tensor | null): readonly (Tensor | null)[] {
    const operator = operatorOf(node)
    const inputs = foldedInputs(operator, node.inputs).map((input) =>
      input === null ? null : tensorOf(originOf(input)),
    )
    const notTold = inputs.some((tensor, index) => tensor === null && node.inputs[index] !== null)
    if (operator?.fold === undefined || notTold) return []
    const outputs = node.outputs.map((output) => (output === null ? unknownFact : facts.of(output)))
    for (const tensor of inputs) spend(tensor?.data.length ?? 0, node.name)
    for (const { shape } of outputs) spend(sizeOf(shape ?? []) ?? 0, node.name)
    const results = foldKnown(() =>
      operator.fold!({
        node,
        inputs,
        operands: node.inputs.map((input) => (input === null ? null : facts.of(input))),
        outputs,
        fail: (message) => {
          throw new LipschitzError('malformed', `${node.op}: ${message}`, { node: node.name })
        },
        allocate: (type, dims) => allocate(node, type, dims, largest),
      }),
    )
    for (const [index, tensor] of results.entries()) checkResult(node, outputs[index], tensor)
    return results
  }

  function compute(target: Value): Tensor | null {
    const tensors = new Map<Value, Tensor | null>()
    // What is at hand is pinned now: the cache may forget it before it is used.
    function isAtHand(value: Value): boolean {
      const tensor = remembered(value)
      if (tensor !== undefined) tensors.set(value, tensor)
      return tensor !== undefined || facts.of(value).stored !== null
    }
    const { order, uses } = coneOf(target, isAtHand, inputsOf)

    function tensorOf(value: Value): Tensor | null {
      const known = tensors.get(value)
      if (known !== undefined) return known
      const tensor = load(value)
      tensors.set(value, tensor)
      return tensor
    }

    for (const node of order) {
      const results = fold(node, tensorOf)
      for (const input of inputsOf(node)) {
        const left = (uses.get(input) ?? 0) - 1
        uses.set(input, left)
        if (left === 0) tensors.delete(input)
      }
      for (const [index, output] of node.outputs.entries()) {
        if (output === null) continue
        const tensor = results[index] ?? null
        if (output === target || uses.has(output)) tensors.set(output, tensor)
        if (output === target || (tensor?.data.length ?? 0) <= limits.smallElements) remember(output, tensor)
      }
    }
    return tensorOf(target)
  }

  return {
    forget(value) {
      small.delete(value)
      recent.remove(value)
    },
    constant(value) {
      if (!facts.of(value).isConstant) return null
      const origin = originOf(value)
      const known = remembered(origin)
      return known === undefined ? compute(origin) : known
    },
  }
}

/** Ends a folding whose result has a dimension that is not known. */
const unknownSize = Symbol('unknown size')

function foldKnown(fold: () => readonly Tensor[] | null): readonly Tensor[] {
  try {
    return fold() ?? []
  } catch (error) {
    if (error === unknownSize) return []
    throw error
  }
}

function allocate(node: Node, type: ElementType, dims: readonly number[], most: number): Tensor {
  const elements = sizeOf(dims) ?? Number.NaN
  if (Number.isNaN(elements)) throw unknownSize
  if (elements > most) {
    const reason = `makes a constant of shape [${dims.join(',')}], more than ${most} elements`
    throw beyondLimit('foldedElements', `${node.op} ${reason}`, { node: node.name })
  }
  return {
    type,
    dims,
    data: isExactInFloat32(type) ? new Float32Array(elements) : new Float64Array(elements),
  }
}

const wide: ReadonlySet<ElementType> = new Set(['float64', 'int32', 'int64', 'uint32', 'uint64'])

function isExactInFloat32(type: ElementType): boolean {
  return !wide.has(type)
}

/** A declaration that folds another shape than it infers is our own mistake, not the file's. */
function checkResult(node: Node, info: Fact | undefined, tensor: Tensor): void {
  const { type, shape } = info ?? unknownFact
  const agrees =
    (type === null || type === tensor.type) &&
    (shape === null ||
      (shape.length === tensor.dims.length &&
        shape.every((dim, i) => dim === null || dim === tensor.dims[i])))
  if (agrees && tensor.data.length === sizeOf(tensor.dims)) return
  throw new LipschitzError(
    'internal',
    `${node.op} folds to ${tensor.type}[${tensor.dims.join(',')}] where ${type}[${shape?.join(',')}] was inferred`,
    { node: node.name },
  )
}
