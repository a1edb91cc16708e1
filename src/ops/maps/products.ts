import type { FloatArray, Tensor } from '../../core/tensor.ts'
import { stridesOf } from '../../core/tensor.ts'
import { floatAttribute, intAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { LinearContext, LinearRule } from '../calculus.ts'
import type { AbsoluteMap, LinearMap } from '../linear-map.ts'
import { ellipsis, type Labels, parseEquation } from '../numeric/einsum-equation.ts'
import { contract, type Loops, loopsOf } from './contraction.ts'
import { inputDims, outputDims, productOf, varyingInputs } from './sizes.ts'
import { broadcastMap } from './terms.ts'

/** An operand of a sum of products: a label for each axis. */
export interface Labelled {
  readonly labels: readonly string[]
  readonly dims: readonly number[]
}

export interface LabelledTensor extends Labelled {
  readonly data: FloatArray
}

function strideOf({ labels, dims }: Labelled, label: string): number {
  const strides = stridesOf(dims)
  let stride = 0
  // A label that occurs twice walks along the diagonal; a dimension of 1 is repeated.
  for (let axis = 0; axis < labels.length; axis++) {
    if (labels[axis] === label && dims[axis] !== 1) stride += strides[axis]
  }
  return stride
}

function sizesOf(operands: readonly Labelled[]): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const { labels, dims } of operands) {
    labels.forEach((label, axis) => {
      sizes.set(label, Math.max(sizes.get(label) ?? 1, dims[axis]))
    })
  }
  return sizes
}

const one = { labels: [], dims: [], data: Float64Array.of(1) } satisfies LabelledTensor

/** factor · Σ a·b into the target's axes; labels that the target lacks are summed. */
export function sumOfProducts(
  target: Labelled,
  a: LabelledTensor,
  b: LabelledTensor = one,
  factor = 1,
): Float64Array {
  return sumInLoops(nested(target, a, b), productOf(target.dims), a.data, b.data, factor)
}

function nested(target: Labelled, a: Labelled, b: Labelled): Loops {
  const labels = [...sizesOf([target, a, b])].map(([label, size]) => ({
    size,
    target: strideOf(target, label),
    a: strideOf(a, label),
    b: strideOf(b, label),
  }))
  return loopsOf(labels)
}

function sumInLoops(loops: Loops, size: number, a: FloatArray, b: FloatArray, factor: number): Float64Array {
  const out = new Float64Array(size)
  contract(loops, out, a, b)
  if (factor !== 1) for (let i = 0; i < out.length; i++) out[i] *= factor
  return out
}

/**
 * The map of one factor of a sum of products, the other held fixed. Its adjoint is such a sum, too: of the output's
 * change with the same other factor.
 */
export function factorMap(
  inputCount: number,
  input: number,
  operand: Labelled,
  other: LabelledTensor,
  output: Labelled,
  factor: number,
): LinearMap {
  const [forward, backward] = [nested(output, operand, other), nested(operand, output, other)]
  const factors = ofOneType(other.data)
  const [outSize, inSize] = [productOf(output.dims), productOf(operand.dims)]
  return {
    apply: (changes) => {
      const change = changes[input]
      return [change ? sumInLoops(forward, outSize, change, factors, factor) : null]
    },
    applyAdjoint: ([change]) => {
      const results = new Array<Float64Array | null>(inputCount).fill(null)
      if (change) results[input] = sumInLoops(backward, inSize, change, factors, factor)
      return results
    },
    absolute: () => {
      const sizes = { ...other, data: other.data.map(Math.abs) }
      const { apply } = factorMap(inputCount, input, operand, sizes, output, Math.abs(factor))
      return { apply, terms: summedTerms(output, [operand, other]) }
    },
  }
}

/** Factors beyond which a copy would take too much memory. */
const mostCopied = 2 ** 21

/** One type of array keeps the loops fast. */
function ofOneType(data: FloatArray): FloatArray {
  return data instanceof Float64Array || data.length > mostCopied ? data : Float64Array.from(data)
}

/** Products that one element of a sum of products adds up: over all labels that it lacks. */
export function summedTerms(output: Labelled, operands: readonly Labelled[]): number {
  let terms = 1
  for (const [label, size] of sizesOf(operands)) if (!output.labels.includes(label)) terms *= size
  return terms
}

/** How a node multiplies: labels of all operands and of the output. */
export interface Product {
  readonly operands: readonly Labelled[]
  readonly output: Labelled
  readonly factor: number
}

/** A product of which one factor varies. */
export function linearProduct(
  context: LinearContext,
  product: Product | null,
  factors = product?.operands.map((_, i) => i) ?? [],
): LinearMap | null {
  const varying = varyingInputs(context).filter((i) => factors.includes(i))
  if (product === null || varying.length !== 1) return null
  const [input] = varying
  const others: LabelledTensor[] = []
  for (const i of factors) {
    if (i === input) continue
    const tensor = context.inputs[i]?.constant() ?? null
    if (tensor === null) return null
    others.push({ ...product.operands[i], data: tensor.data })
  }
  const { operands, output, factor } = product
  return factorMap(context.inputs.length, input, operands[input], combined(others), output, factor)
}

/** Several factors as one, over all their labels. */
export function combined(factors: readonly LabelledTensor[]): LabelledTensor {
  const [first = one, ...rest] = factors
  return rest.reduce<LabelledTensor>((product, factor) => {
    const sizes = sizesOf([product, factor])
    const labels = { labels: [...sizes.keys()], dims: [...sizes.values()] }
    return { ...labels, data: sumOfProducts(labels, product, factor) }
  }, first)
}

const batchLabel = (fromEnd: number) => `batch ${fromEnd}`

/** Labels of a matrix (or vector) operand with batch axes in front, aligned at the end. */
function matrixLabels(dims: readonly number[], inner: readonly [string, string]): string[] {
  const batch = dims.slice(0, -2).map((_, axis) => batchLabel(dims.length - 2 - axis))
  return [...batch, ...inner]
}

/** MatMul as numpy multiplies. */
export function matrixProduct(context: LinearContext): Product | null {
  const [a, b, output] = [inputDims(context, 0), inputDims(context, 1), outputDims(context)]
  if (a === null || b === null || output === null) return null
  const left = a.length === 1 ? ['k'] : matrixLabels(a, ['i', 'k'])
  const right = b.length === 1 ? ['k'] : matrixLabels(b, ['k', 'j'])
  const ends = [...(a.length === 1 ? [] : ['i']), ...(b.length === 1 ? [] : ['j'])]
  const batch = output
    .slice(0, output.length - ends.length)
    .map((_, axis, { length }) => batchLabel(length - axis))
  return {
    operands: [
      { labels: left, dims: a },
      { labels: right, dims: b },
    ],
    output: { labels: [...batch, ...ends], dims: output },
    factor: 1,
  }
}

/** α·A′·B′ of Gemm. */
export function gemmProduct(context: LinearContext): Product | null {
  const [a, b, output] = [inputDims(context, 0), inputDims(context, 1), outputDims(context)]
  if (a === null || b === null || output === null) return null
  const turned = (name: string) => intAttribute(context.node, name, 0) === 1
  return {
    operands: [
      { labels: turned('transA') ? ['k', 'i'] : ['i', 'k'], dims: a },
      { labels: turned('transB') ? ['j', 'k'] : ['k', 'j'], dims: b },
    ],
    output: { labels: ['i', 'j'], dims: output },
    factor: floatAttribute(context.node, 'alpha', 1),
  }
}

/** The product of a Gemm and its bias, which may vary by itself. */
export const gemm: LinearRule = (context) => {
  const output = outputDims(context)
  const factors = [0, 1].filter((i) => context.varies(i))
  if (output === null || factors.length > 1) return null
  const product = factors.length === 0 ? null : linearProduct(context, gemmProduct(context), [0, 1])
  if (factors.length === 1 && product === null) return null
  const bias = biasMap(context, 2, output, floatAttribute(context.node, 'beta', 1))
  return added([product, bias])
}

/** The map of a bias that varies; null where it does not. */
export function biasMap(
  context: LinearContext,
  input: number,
  output: readonly number[],
  factor = 1,
): LinearMap | null {
  const dims = context.varies(input) ? inputDims(context, input) : null
  return dims === null ? null : broadcastMap(context.inputs.length, output, [{ input, dims, factor }])
}

/** The sum of maps of the same node; null where there is none. */
export function added(maps: readonly (LinearMap | null)[]): LinearMap | null {
  const [first, ...rest] = maps.filter((map) => map !== null)
  if (first === undefined) return null
  return rest.reduce(
    (a, b) => ({
      apply: (changes) => addAll(a.apply(changes), b.apply(changes)),
      applyAdjoint: (changes) => addAll(a.applyAdjoint(changes), b.applyAdjoint(changes)),
      ...(a.absolute !== undefined &&
        b.absolute !== undefined && { absolute: bothAbsolute(a.absolute, b.absolute) }),
    }),
    first,
  )
}

function bothAbsolute(first: () => AbsoluteMap, second: () => AbsoluteMap): () => AbsoluteMap {
  return () => {
    const [a, b] = [first(), second()]
    return { apply: (sizes) => addAll(a.apply(sizes), b.apply(sizes)), terms: a.terms + b.terms }
  }
}

function addAll(
  a: readonly (Float64Array | null)[],
  b: readonly (Float64Array | null)[],
): (Float64Array | null)[] {
  return a.map((x, i) => sumOf(x, b[i] ?? null))
}

function sumOf(a: Float64Array | null, b: Float64Array | null): Float64Array | null {
  if (a === null || b === null) return a ?? b
  return a.map((x, i) => x + b[i])
}

/** Labels of Einsum; those of an ellipsis count from its end. */
export function einsumProduct(context: LinearContext): Product | null {
  const { inputs, output } = parseEquation(context, stringAttribute(context.node, 'equation', ''))
  const dims = context.inputs.map((_, i) => inputDims(context, i))
  const result = outputDims(context)
  if (result === null || dims.some((known) => known === null)) return null
  const spread = (labels: Labels, rank: number) => {
    const covered = rank - labels.length + 1
    return labels.flatMap((label) =>
      label === ellipsis ? Array.from({ length: covered }, (_, i) => batchLabel(covered - i)) : [label],
    )
  }
  return {
    operands: inputs.map((labels, i) => ({ labels: spread(labels, dims[i]!.length), dims: dims[i]! })),
    output: { labels: spread(output, result.length), dims: result },
    factor: 1,
  }
}

/** The value of a product. */
export function productValue({ operands, output, factor }: Product, values: readonly Tensor[]): Float64Array {
  const [first, ...rest] = operands.map((operand, i) => ({ ...operand, data: values[i].data }))
  return sumOfProducts(output, first, combined(rest), factor)
}

export const productMaps = {
  MatMul: (context) => linearProduct(context, matrixProduct(context)),
  Gemm: gemm,
  Einsum: (context) => linearProduct(context, einsumProduct(context)),
} satisfies Record<string, LinearRule>
