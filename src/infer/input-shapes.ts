import { LipschitzError } from '../core/errors.ts'
import type { Dim, Shape } from '../core/tensor.ts'
import type { Graph, Note, Value } from '../graph/graph.ts'

/** Names that exporters write for "any size": two of them need not be the same size. */
const anonymous = new Set(['', '?', '*', '-1', 'None', 'none', 'unk', 'unknown', 'dynamic'])

interface Binding {
  readonly size: number
  /** Who bound it: an input whose shape the user gave, or the batch rule. */
  readonly by: string | null
}

/**
 * The shapes of the graph's inputs: as declared, with dimensions filled in from `given` (from the command line)
 * and the first dimension of every input, where it is dynamic, bound to 1. A symbol that is bound once is bound
 * alike wherever it occurs. Other dynamic dimensions stay unknown.
 * Throws `usage` for a name that is no input and `shape` where `given` contradicts the file or itself.
 */
export function bindInputShapes(
  graph: Graph,
  given: ReadonlyMap<string, readonly Dim[]>,
): { readonly shapes: ReadonlyMap<Value, Shape | null>; readonly notes: readonly Note[] } {
  const inputs = [...graph.inputs]
  checkNames(inputs, given)
  const symbols = new Map<string, Binding>()
  const shapes = new Map<Value, Shape | null>()
  for (const input of inputs) shapes.set(input, withGiven(input, given.get(input.name), symbols))

  const notes: Note[] = []
  for (const input of inputs) {
    const shape = shapes.get(input) ?? null
    if (shape === null || shape.length === 0 || shape[0] !== null) continue
    const symbol = symbolAt(input, 0)
    const bound = symbol === null ? undefined : symbols.get(symbol)
    if (bound !== undefined) continue
    if (symbol !== null) symbols.set(symbol, { size: 1, by: null })
    shapes.set(input, [1, ...shape.slice(1)])
    notes.push({
      rule: 'batch-bound',
      message: `the first dimension of input '${input.name}'${symbol === null ? '' : ` (${symbol})`} is dynamic; it is taken as 1`,
    })
  }
  for (const input of inputs) {
    const shape = shapes.get(input) ?? null
    if (shape === null) continue
    const bound = shape.map((dim, axis) => dim ?? symbols.get(symbolAt(input, axis) ?? '')?.size ?? null)
    shapes.set(input, bound)
  }
  return { shapes, notes }
}

function checkNames(inputs: readonly Value[], given: ReadonlyMap<string, readonly Dim[]>): void {
  const names = inputs.map((input) => input.name)
  for (const name of given.keys()) {
    if (names.includes(name)) continue
    throw new LipschitzError('usage', `the model has no input '${name}'`, {
      hint:
        names.length === 0
          ? 'it has no inputs'
          : `its inputs are ${names.map((known) => `'${known}'`).join(', ')}`,
    })
  }
}

function symbolAt(input: Value, axis: number): string | null {
  const symbol = input.declared.symbols?.[axis] ?? null
  return symbol === null || anonymous.has(symbol) ? null : symbol
}

/** The declared shape with the user's dimensions put in; records what they bind symbols to. */
function withGiven(
  input: Value,
  given: readonly Dim[] | undefined,
  symbols: Map<string, Binding>,
): Shape | null {
  const declared = input.declared.shape
  if (given === undefined) return declared
  if (declared === null) return given
  if (declared.length !== given.length)
    throw contradiction(input, given, `the file declares rank ${declared.length}`)
  return declared.map((dim, axis) => {
    const size = given[axis]
    if (size === null) return dim
    if (dim !== null && dim !== size)
      throw contradiction(input, given, `the file declares ${dim} for dimension ${axis}`)
    const symbol = symbolAt(input, axis)
    if (symbol === null) return size
    const earlier = symbols.get(symbol)
    if (earlier !== undefined && earlier.size !== size) {
      throw contradiction(
        input,
        given,
        `'${symbol}' is ${earlier.size} in the shape given for '${earlier.by}'`,
      )
    }
    symbols.set(symbol, { size, by: input.name })
    return size
  })
}

function contradiction(input: Value, given: readonly Dim[], reason: string): LipschitzError {
  const shape = given.map((dim) => dim ?? '?').join(',')
  return new LipschitzError(
    'shape',
    `the shape ${shape} given for input '${input.name}' is not possible: ${reason}`,
    {
      tensor: input.name,
    },
  )
}
