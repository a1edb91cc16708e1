import type { Ball } from '../bounds/ball.ts'
import type { Selected } from '../bounds/selection.ts'
import { LipschitzError } from '../core/errors.ts'
import { sizeOf } from '../core/tensor.ts'
import type { Value } from '../graph/graph.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { BallOption } from './options.ts'

/**
 * The ball of inputs that is the domain. Throws `usage` where a point cannot be one of the network's inputs: unknown
 * sizes, elements that are no finite numbers, tables that take the place of inputs.
 */
export function ballOf(
  typed: TypedGraph,
  { inputs, cuts, held }: Selected,
  { name, read, radius, norm }: BallOption,
): Ball {
  if (!(radius > 0 && Number.isFinite(radius)))
    throw refusal(`the radius is ${radius}`, 'give a finite number above 0')
  if (cuts.length > 0)
    throw refusal('integers have no distance: there is no ball around them', 'leave --around out')
  const known = (values: readonly Value[]) =>
    values.map((value) => ({ name: value.name, shape: typed.operand(value).shape }))
  for (const { name, shape } of known(inputs)) {
    if (shape === null || sizeOf(shape) === null)
      throw refusal(`the shape of '${name}' is not known`, `give it with --input-shape ${name}=…`)
  }
  const point = read(known(inputs), known(held))
  const center = new Map<string, Float64Array>()
  for (const { name: input, shape } of known(inputs)) {
    const elements = Float64Array.from(point.get(input)?.data ?? [])
    if (elements.length !== sizeOf(shape ?? []))
      throw refusal(`${name} has no elements for the input '${input}'`)
    if (!elements.every(Number.isFinite)) throw refusal(`${name} holds what is no finite number`)
    center.set(input, elements)
  }
  return { center, radius, norm }
}

function refusal(message: string, hint?: string): LipschitzError {
  return new LipschitzError('usage', message, hint === undefined ? {} : { hint })
}
