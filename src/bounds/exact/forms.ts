import type { Node, Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import type { Extreme } from '../../ops/slopes/candidates.ts'
import type { StraightPiece } from '../../ops/slopes/pieces.ts'
import { integersOf, toFloat } from './dyadic.ts'
import type { Row } from './piecewise-network.ts'

/** Elements of a tensor as affine forms of the variables, times 2^scale. */
export interface Forms {
  readonly forms: readonly Form[]
  readonly scale: number
}

export interface Form {
  readonly terms: ReadonlyMap<number, bigint>
  readonly constant: bigint
}

/** Of the neurons in a maximum. */
export const relu: readonly StraightPiece[] = [
  { slope: 0, offset: 0 },
  { slope: 1, offset: 0 },
]

/**
 * Maxima and minima in rounds of pairs: max(a, b) = b + relu(a − b) and min(a, b) = b − relu(b − a). `open` takes what a
 * neuron reads, and in which round, and gives the variable that it writes.
 */
export function extremeForms(
  typed: TypedGraph,
  node: Node,
  known: ReadonlyMap<Value, Forms>,
  { kind, candidates }: Extreme,
  open: (form: Form, scale: number, round: number) => number,
): Forms | null {
  const inputs = node.inputs.map((value): Forms | null => {
    if (value === null) return null
    const found = known.get(value)
    if (found !== undefined) return found
    const constant = typed.operand(value).constant()
    if (constant === null) return null
    const { values, scale } = integersOf(constant.data)
    return { scale, forms: values.map((constant) => ({ terms: new Map(), constant })) }
  })
  if (inputs.includes(null)) return null
  const scale = inputs.reduce((most, forms) => Math.max(most, forms?.scale ?? 0), 0)
  const one = 1n << BigInt(scale)
  let rounds = candidates.map((list) =>
    list.map(({ input, element }) => {
      const { forms, scale: own } = inputs[input] as Forms
      return combined(forms[element], 1n << BigInt(scale - own))
    }),
  )
  for (let round = 0; rounds.some(({ length }) => length > 1); round++) {
    rounds = rounds.map((list) => {
      const winners: Form[] = []
      for (let i = 0; i < list.length; i += 2) {
        const [a, b] = [list[i], list[i + 1]]
        if (b === undefined) {
          winners.push(a)
          continue
        }
        const [above, below] = kind === 'largest' ? [a, b] : [b, a]
        const variable = open(combined(above, 1n, below, -1n), scale, round)
        const step: Form = { terms: new Map([[variable, one]]), constant: 0n }
        winners.push(combined(b, 1n, step, kind === 'largest' ? 1n : -1n))
      }
      return winners
    })
  }
  return { forms: rounds.map(([form]) => form), scale }
}

/** factor·a + other·b. */
function combined(a: Form, factor: bigint, b: Form | null = null, other = 0n): Form {
  const terms = new Map([...a.terms].map(([variable, coefficient]) => [variable, factor * coefficient]))
  for (const [variable, coefficient] of b?.terms ?? [])
    terms.set(variable, (terms.get(variable) ?? 0n) + other * coefficient)
  return { terms, constant: factor * a.constant + other * (b?.constant ?? 0n) }
}

export function rowOf({ terms, constant }: Form, scale: number): Row {
  const present = [...terms].filter(([, coefficient]) => coefficient !== 0n).sort(([a], [b]) => a - b)
  const integers = present.map(([, coefficient]) => coefficient)
  return {
    variables: Int32Array.from(present, ([variable]) => variable),
    integers,
    constant,
    scale,
    floats: Float64Array.from(integers, (value) => toFloat(value, scale)),
    offset: toFloat(constant, scale),
  }
}
