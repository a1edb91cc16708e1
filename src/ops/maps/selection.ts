import type { Tensor } from '../../core/tensor.ts'
import type { LinearContext } from '../calculus.ts'
import type { LinearMap } from '../linear-map.ts'
import type { FoldingContext, ValueInfo } from '../operand.ts'
import { inputDims, productOf, varyingInputs } from './sizes.ts'

/** For one output: the input element that each of its elements is, numbered through all varying inputs; −1 for none. */
export type Sources = Int32Array

/** Elements of one varying input, and the number of its first one. */
interface Block {
  readonly input: number
  readonly first: number
  readonly size: number
}

/**
 * Each output element is one input element or does not vary: the adjoint adds up what stands for the same one.
 * Cost: one pass over the outputs.
 */
export function selectionMap(
  inputCount: number,
  blocks: readonly Block[],
  sources: readonly (Sources | null)[],
): LinearMap {
  if (isIdentity(blocks, sources)) return identityMap(inputCount, blocks[0].input)
  const apply: LinearMap['apply'] = (changes) =>
    sources.map((source) => {
      if (source === null) return null
      const out = new Float64Array(source.length)
      for (const { input, first, size } of blocks) {
        const change = changes[input]
        if (change) gather(out, source, change, first, size)
      }
      return out
    })
  return {
    apply,
    absolute: () => ({ apply, terms: 1, isSelection: true }),
    applyAdjoint: (changes) => {
      const results = new Array<Float64Array | null>(inputCount).fill(null)
      for (const { input, first, size } of blocks) {
        const result = new Float64Array(size)
        sources.forEach((source, i) => {
          const change = changes[i]
          if (source !== null && change) scatter(result, source, change, first, size)
        })
        results[input] = result
      }
      return results
    },
  }
}

function gather(out: Float64Array, source: Sources, change: Float64Array, first: number, size: number): void {
  for (let i = 0; i < source.length; i++) {
    const from = source[i] - first
    if (from >= 0 && from < size) out[i] = change[from]
  }
}

function scatter(
  out: Float64Array,
  source: Sources,
  change: Float64Array,
  first: number,
  size: number,
): void {
  for (let i = 0; i < source.length; i++) {
    const to = source[i] - first
    if (to >= 0 && to < size) out[to] += change[i]
  }
}

function isIdentity(blocks: readonly Block[], sources: readonly (Sources | null)[]): boolean {
  const [source, ...others] = sources
  if (blocks.length !== 1 || source == null || others.some((other) => other !== null)) return false
  return source.length === blocks[0].size && source.every((from, i) => from === i)
}

/** The first output changes as input i does. */
export function identityMap(inputCount: number, input = 0): LinearMap {
  const apply: LinearMap['apply'] = (changes) => [changes[input] ?? null]
  return {
    apply,
    absolute: () => ({ apply, terms: 1, isSelection: true }),
    applyAdjoint: (changes) => {
      const results = new Array<Float64Array | null>(inputCount).fill(null)
      results[input] = changes[0] ?? null
      return results
    },
  }
}

/** The varying inputs side by side; null where a size is not known. */
export function blocksOf(context: LinearContext): Block[] | null {
  const blocks: Block[] = []
  let first = 0
  for (const input of varyingInputs(context)) {
    const dims = inputDims(context, input)
    if (dims === null) return null
    blocks.push({ input, first, size: productOf(dims) })
    first += productOf(dims)
  }
  return first < 2 ** 31 ? blocks : null
}

/**
 * The map of an operator that moves elements: its own folding, applied twice to numbered elements, tells where each
 * output element comes from. The numbers of the second run are one higher, which tells elements that vary from what
 * the node puts in itself.
 */
export function movement(context: LinearContext, dataInputs: 'all' | readonly number[]): LinearMap | null {
  const blocks = blocksOf(context)
  if (blocks === null || !blocks.every(({ input }) => dataInputs === 'all' || dataInputs.includes(input)))
    return null
  const first = foldNumbered(context, blocks, 0)
  const second = first && foldNumbered(context, blocks, 1)
  if (first === null || second === null) return null
  const sources = context.outputs.map((output, i) => {
    if (output === null || first[i] === undefined) return null
    const [a, b] = [first[i].data, second[i].data]
    return Int32Array.from(a, (number, at) => (b[at] - number === 1 ? number : -1))
  })
  return selectionMap(context.inputs.length, blocks, sources)
}

function foldNumbered(
  context: LinearContext,
  blocks: readonly Block[],
  start: number,
): readonly Tensor[] | null {
  const inputs: (Tensor | null)[] = []
  for (const [i, operand] of context.inputs.entries()) {
    const block = blocks.find(({ input }) => input === i)
    const tensor = block === undefined ? (operand?.constant() ?? null) : numbered(context, block, start)
    if (tensor === null && operand !== null) return null
    inputs.push(tensor)
  }
  return context.operator.fold?.(foldingContext(context, inputs)) ?? null
}

function numbered(context: LinearContext, { input, first, size }: Block, start: number): Tensor {
  const data = Float64Array.from({ length: size }, (_, i) => first + start + i)
  return { type: 'float64', dims: inputDims(context, input)!, data }
}

/** What folding reads, with every floating type as float64: no result is rounded to a narrower one. */
export function foldingContext(context: LinearContext, inputs: readonly (Tensor | null)[]): FoldingContext {
  return {
    node: context.node,
    inputs: inputs.map((tensor) => tensor && { ...tensor, type: widened(tensor.type) }),
    operands: context.inputs.map((operand) => operand && widenedInfo(operand)),
    outputs: context.outputs.map((info) => (info === null ? { type: null, shape: null } : widenedInfo(info))),
    fail: context.fail,
    allocate: (type, dims) => ({
      type: widened(type),
      dims,
      data: new Float64Array(productOf(dims)),
    }),
  }
}

function widenedInfo({ type, shape }: ValueInfo): ValueInfo {
  return { type: type && widened(type), shape }
}

export function widened<Type extends string>(type: Type): Type | 'float64' {
  return type.startsWith('float') || type === 'bfloat16' ? 'float64' : type
}
