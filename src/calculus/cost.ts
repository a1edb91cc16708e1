import { sizeOf } from '../core/tensor.ts'
import { intsAttribute } from '../graph/attribute.ts'
import type { Node } from '../graph/graph.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { Network } from './network.ts'

/** What a node takes beside its multiplications: reading and writing arrays, calls. In multiplications. */
const overhead = 5000

/** What an element takes that is not multiplied by weights: calls, reading, writing, often several passes. */
const elementCost = 20

/** Small steps that recurrences take for each step in time. */
const recurrentSteps = 30

/** Multiplications of evaluating the network once, about; a product with the Jacobian takes as many. */
export function calculusCost({ typed, needed }: Network): number {
  let cost = 0
  for (const node of needed) cost += nodeCost(typed, node)
  return cost
}

function nodeCost(typed: TypedGraph, node: Node): number {
  const { inputs, outputs } = typed.typed(node)
  const sizes = outputs.map((output) => sizeOf(output?.shape ?? [null]) ?? 0)
  const written = sizes.reduce((sum, size) => sum + size, 0)
  let cost = overhead + elementCost * written
  const layers = typed.layers(node)
  if (layers.length === 0) {
    // Windows of pools are read element by element.
    const kernel = intsAttribute(node, 'kernel_shape', [])
    return cost + elementCost * written * (kernel.reduce((taps, size) => taps * size, 1) - 1)
  }
  if (layers.some(({ kind }) => kind === 'recurrent')) {
    const [first = 1, second = 1] = inputs[0]?.shape ?? []
    cost += recurrentSteps * overhead * Math.max(first ?? 1, second ?? 1)
  }
  const produced = outputs[0]?.shape ?? []
  for (const input of inputs) {
    const shape = input?.isConstant ? input.shape : null
    const size = shape === null ? null : sizeOf(shape)
    if (shape === null || size === null || shape.length < 2) continue
    // Each output meets the weights of its own channel: all weights over the dimension that both have.
    const shared = shape.filter((dim) => produced.includes(dim))
    cost += (written * size) / Math.max(1, ...shared.map((dim) => dim ?? 1))
  }
  return cost
}
