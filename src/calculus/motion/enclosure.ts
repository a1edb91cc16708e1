import { LipschitzError } from '../../core/errors.ts'
import { beyondLimit } from '../../core/limits.ts'
import { isFloatType, type Tensor } from '../../core/tensor.ts'
import type { Node, Value } from '../../graph/graph.ts'
import type { EvaluationContext, TracedTensor } from '../../ops/calculus.ts'
import type { Operator } from '../../ops/operator.ts'
import { hasSlopes, slopesOf } from '../../ops/slopes/slopes.ts'
import { makeAffine } from '../affine-node.ts'
import type { Network } from '../network.ts'
import { contextAt, refused, valuesAt, widenedTensor } from '../node-at.ts'
import { affineMotion } from './affine-motion.ts'
import { slopedMotion } from './elementwise-motion.ts'
import { exactMotion, isBounded, type Motion, movedMotion } from './motion.ts'
import { createMotionAlgebra } from './motion-algebra.ts'

/** A tensor on the way: a motion, or elements of another type, which are exact. */
interface Enclosed {
  readonly type: Tensor['type']
  readonly motion: Motion
}

/**
 * What the outputs are at a point, and how far they move from it to another, proven: elements of the file's floating types
 * taken as the real numbers that they are, every rounding of this program accounted for (see `Motion`). With one point
 * alone nothing changes. Throws `unsupported`, with the node, where a node on the way is not known to be enclosed: bodies,
 * operators without linear part, slopes or definition, decisions by elements that are not exact; `limit` where enclosures
 * grow beyond all bounds, as they may between points that are far apart. Cost: about eight evaluations.
 */
export function encloseAt(
  network: Network,
  from: readonly Float64Array[],
  to: readonly Float64Array[] | null = null,
): readonly Motion[] {
  const { typed, needed } = network
  const { pointElements } = typed.model.limits
  const held = new Map<Value, Enclosed>()
  let elements = 0
  network.inputs.forEach((value, i) => {
    const dims = typed.operand(value).shape as readonly number[]
    held.set(value, { type: 'float64', motion: movedMotion(dims, from[i], to?.[i] ?? null) })
  })
  for (const [value, tensor] of network.held) held.set(value, exact(widenedTensor(tensor)))

  function read(node: Node, value: Value): Enclosed {
    const known = held.get(value)
    if (known !== undefined) return known
    const tensor = typed.operand(value).constant()
    if (tensor === null) throw refused(node, `reads '${value.name}', which is not known exactly`)
    const constant = exact(widenedTensor(tensor))
    held.set(value, constant)
    return constant
  }

  for (const node of typed.graph.nodes) {
    if (!needed.has(node)) continue
    const { operator } = typed.typed(node)
    if (operator === null) throw refused(node, 'is not known')
    const inputs = node.inputs.map((value) => value && read(node, value))
    const traced = inputs.map((input, i) => {
      const isConstant = input !== null && typed.operand(node.inputs[i]!).isConstant
      return input && tracedOf(input, isFloatType(input.type) && !isConstant)
    })
    const results = resultsOf(network, node, operator, inputs, traced)
    node.outputs.forEach((value, i) => {
      const result = results[i] ?? null
      if (value === null || result === null || held.has(value)) return
      elements += result.motion.value.length
      // four arrays for each
      if (4 * elements > pointElements)
        throw beyondLimit('pointElements', `its values take more than ${pointElements} elements`)
      if (!isBounded(result.motion))
        throw new LipschitzError('limit', `${node.op} has no bounded enclosure here`, { node: node.name })
      held.set(value, result)
    })
  }
  return network.outputs.map((value) => {
    const found = held.get(value)?.motion ?? null
    if (found === null || !found.value.every(Number.isFinite))
      throw new LipschitzError('unsupported', `'${value.name}' is not enclosed`, { tensor: value.name })
    return found
  })
}

/** A node that no point makes one that is enclosed: what is known before anything is computed. Null where there is none. */
export function nodeWithoutEnclosure({ typed, needed }: Network): Node | null {
  const isFloat = (value: Value | null) => value !== null && isFloatType(typed.operand(value).type ?? 'bool')
  for (const node of needed) {
    const { operator } = typed.typed(node)
    if (operator === null || operator.unroll !== undefined) return node
    if (operator.linear !== undefined || operator.definition !== undefined || hasSlopes(node)) continue
    const varies = node.inputs.some((value) => isFloat(value) && !typed.operand(value!).isConstant)
    if (varies && operator.foldsFrom !== 'shapes' && node.outputs.some(isFloat)) return node
  }
  return null
}

const exact = (tensor: Tensor): Enclosed => ({ type: tensor.type, motion: exactMotion(tensor) })

function tracedOf({ type, motion }: Enclosed, varies: boolean): TracedTensor {
  return { tensor: { type, dims: motion.dims, data: motion.value }, slot: varies ? 0 : -1 }
}

function resultsOf(
  network: Network,
  node: Node,
  operator: Operator,
  inputs: readonly (Enclosed | null)[],
  traced: readonly (TracedTensor | null)[],
): readonly (Enclosed | null)[] {
  const { outputs } = network.typed.typed(node)
  const motions = inputs.map((input) => input?.motion ?? null)
  const context = contextAt(node, operator, traced, outputs)
  const varies = traced.some((input) => input !== null && input.slot >= 0)
  if (!varies || operator.foldsFrom === 'shapes')
    return valuesAt(context).map((tensor) => tensor && computed(context, operator, tensor))
  if (operator.unroll !== undefined) throw refused(node, 'runs a body, which is not enclosed')
  const found =
    affine(network, node, operator, traced, motions) ??
    sloped(context, operator, motions) ??
    defined(context, operator, inputs)
  if (found === null) throw refused(node, 'is not known to be enclosed')
  return found.map((motion, i) => {
    const type = outputs[i]?.type ?? null
    // what is no floating-point number may jump
    return motion === null || type === null || !isFloatType(type) ? null : { type: 'float64', motion }
  })
}

/** What is made of integers, of shapes, or by choosing among constants is exact. */
function computed(context: EvaluationContext, operator: Operator, tensor: Tensor): Enclosed {
  const isFloat = (i: number) => isFloatType(context.inputs[i]?.type ?? null)
  const readsFloats = context.inputs.some((_, i) => isFloat(i))
  if (!isFloatType(tensor.type) || !readsFloats || operator.foldsFrom === 'shapes') return exact(tensor)
  const map = operator.linear?.({ ...context, varies: isFloat }) ?? null
  if (map?.absolute?.().isSelection === true) return exact(tensor)
  throw refused(context.node, 'computes with numbers of its own, which is not enclosed')
}

function affine(
  network: Network,
  node: Node,
  operator: Operator,
  traced: readonly (TracedTensor | null)[],
  motions: readonly (Motion | null)[],
): readonly Motion[] | null {
  if (operator.linear === undefined) return null
  const made =
    network.affine.get(node) ?? makeAffine(node, operator, traced, network.typed.typed(node).outputs)
  if (made === null || made.offsetSize === undefined) return null
  return affineMotion(
    made,
    motions.map((motion, i) => ((traced[i]?.slot ?? -1) < 0 ? null : motion)),
  )
}

function sloped(
  context: EvaluationContext,
  operator: Operator,
  motions: readonly (Motion | null)[],
): readonly Motion[] | null {
  const [motion] = motions
  const secants = slopesOf(context)
  const isUnary = context.inputs.every((_, i) => i === 0 || !context.varies(i))
  if (!motion || secants === null || !isUnary) return null
  const [result] = valuesAt(context)
  if (result === null || result.data.length !== motion.value.length) return null
  return [{ ...slopedMotion(motion, result.data, secants, operator.isExact === true), dims: result.dims }]
}

function defined(
  context: EvaluationContext,
  operator: Operator,
  inputs: readonly (Enclosed | null)[],
): readonly (Motion | null)[] | null {
  const algebra = createMotionAlgebra()
  const variables = inputs.map((input) => input && algebra.variable(input.motion))
  try {
    const results = operator.definition?.({ ...context, algebra, variables }) ?? null
    return results?.map((result) => result && algebra.find(result)) ?? null
  } catch (error) {
    if (!(error instanceof LipschitzError)) throw error
    throw refused(context.node, error.message)
  }
}
