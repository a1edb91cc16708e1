import { sizeOf } from '../../core/tensor.ts'
import { intsAttribute } from '../../graph/attribute.ts'
import type { LinearContext } from '../calculus.ts'
import { windowPlaces } from '../maps/pools.ts'
import { placesOf } from '../maps/terms.ts'

/** An element of one of a node's inputs. */
export interface Candidate {
  readonly input: number
  readonly element: number
}

/** A node each of whose first output's elements is the largest, or the smallest, of some elements. */
export interface Extreme {
  readonly kind: 'largest' | 'smallest'
  /** Of each element of the output, at least one. */
  readonly candidates: readonly (readonly Candidate[])[]
}

type ExtremeRule = (context: LinearContext) => Extreme | null

const dimsOf = (shape: readonly (number | null)[] | null | undefined) =>
  shape == null || sizeOf(shape) === null ? null : (shape as readonly number[])

/** Of the operands, repeated to the output's dims. */
const between =
  (kind: Extreme['kind']): ExtremeRule =>
  ({ inputs, outputs }) => {
    const output = dimsOf(outputs[0]?.shape)
    const operands = inputs.map((input) => dimsOf(input?.shape))
    if (output === null || operands.some((dims) => dims === null)) return null
    const places = operands.map((dims) => placesOf(dims as readonly number[], output))
    const candidates = Array.from({ length: sizeOf(output) as number }, (_, element) =>
      places.map((own, input) => ({ input, element: own === null ? element : own[element] })),
    )
    return { kind, candidates }
  }

/** Candidates of all windows: each becomes an object. */
const MOST = 1e5

/** Of windows; padding is never the largest. */
const windowed: ExtremeRule = (context) => {
  const dims = dimsOf(context.inputs[0]?.shape)
  const kernel = intsAttribute(context.node, 'kernel_shape', [])
  const size = sizeOf(context.outputs[0]?.shape ?? [null])
  if (size === null || kernel.reduce((taps, length) => taps * length, size) > MOST) return null
  const windows = dims && windowPlaces(context, dims)
  if (windows === null) return null
  const { places, taps } = windows
  const candidates = Array.from({ length: places.length / taps }, (_, at) =>
    [...places.subarray(at * taps, (at + 1) * taps)]
      .filter((element) => element >= 0)
      .map((element) => ({ input: 0, element })),
  )
  return candidates.every(({ length }) => length > 0) ? { kind: 'largest', candidates } : null
}

const rules: Readonly<Record<string, ExtremeRule>> = {
  Max: between('largest'),
  Min: between('smallest'),
  MaxPool: windowed,
}

/** What a node chooses from; null where it is no maximum or minimum of single elements, or of unknown size. */
export function extremeOf(context: LinearContext): Extreme | null {
  const { domain, op } = context.node
  return domain === '' && Object.hasOwn(rules, op) ? rules[op](context) : null
}
