import { linearMapOf } from '../calculus/node-context.ts'
import { createRandom, gaussianVector, hashText } from '../core/random.ts'
import type { FloatArray, Shape } from '../core/tensor.ts'
import { sizeOf } from '../core/tensor.ts'
import { readModel } from '../graph/read-model.ts'
import { inferModel } from '../infer/infer.ts'
import { layersOf, type PlacedLayer } from '../infer/layers.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { ritzPair } from '../linalg/convolution/ritz.ts'
import type { MatrixOperator } from '../linalg/linear-operator.ts'
import { type AuditOptions, defaults } from './options.ts'

/** A vector in the shape of what it stands for. */
export interface ShapedVector {
  readonly dims: readonly number[]
  readonly data: Float64Array
}

/** The singular vectors that the norm of a layer belongs to: A·v = σ·u, both of length 1. Estimates, no proof. */
export interface LayerVectors {
  readonly node: string
  readonly role: string
  readonly weight: string
  readonly sigma: number
  /** On the side of the output. */
  readonly u: ShapedVector
  /** On the side of the input. */
  readonly v: ShapedVector
}

/** A linear map by its products, and the shapes of its sides. */
interface Products {
  readonly input: readonly number[]
  readonly output: readonly number[]
  apply(x: Float64Array): Float64Array
  applyAdjoint(y: Float64Array): Float64Array
}

/** Lanczos steps for one layer, and the residual, as a part of σ², that ends them before. */
const steps = 120
const accuracy = 1e-10

/**
 * The leading singular vectors of the dense, convolution and recurrent layers of a model, in the order of its graph:
 * what warm-starts power iteration in training code. Left out: layers whose input size is not known, scales and
 * embeddings, weights that are not finite. Cost: two products with a layer for each of at most 120 steps.
 */
export async function singularVectors(path: string, options: AuditOptions = {}): Promise<LayerVectors[]> {
  const typed = inferModel(readModel(path, options), { inputShapes: options.inputShapes })
  return layersOf(typed).flatMap((layer) => {
    const { node, spec, key } = layer
    const candidates = productsOf(typed, layer).map((products) => {
      const seed = hashText(key, hashText(String(options.seed ?? defaults.seed)))
      return leadingVectors(products, seed)
    })
    const best = candidates.reduce<Leading | null>((a, b) => (b.sigma > (a?.sigma ?? -1) ? b : a), null)
    if (best === null || !Number.isFinite(best.sigma)) return []
    return { node: node.name, role: spec.role, weight: spec.weightName, ...best }
  })
}

type Leading = Pick<LayerVectors, 'sigma' | 'u' | 'v'>

function leadingVectors({ input, output, apply, applyAdjoint }: Products, seed: number): Leading {
  const start = gaussianVector(
    input.reduce((size, dim) => size * dim, 1),
    createRandom(seed),
  )
  const { vector } = ritzPair((v, z) => z.set(applyAdjoint(apply(v))), start, steps, accuracy)
  const v = scaled(vector, 1 / lengthOf(vector))
  const image = apply(v)
  const sigma = lengthOf(image)
  const u = sigma === 0 ? image : scaled(image, 1 / sigma)
  return { sigma, u: { dims: output, data: u }, v: { dims: input, data: v } }
}

function lengthOf(x: Float64Array): number {
  return Math.sqrt(x.reduce((sum, value) => sum + value * value, 0))
}

const scaled = (x: Float64Array, factor: number) => x.map((value) => value * factor)

/** Matrices by their blocks; convolutions by what their node does to one batch element. */
function productsOf(typed: TypedGraph, layer: PlacedLayer): Products[] {
  const { kind, operator } = layer.spec
  if (operator.form === 'matrix' && kind !== 'embedding' && operator.arrangement === 'diagonal')
    return matrixProducts(operator)
  return operator.form === 'convolution' ? nodeProducts(typed, layer) : []
}

function matrixProducts({ rows, columns, blocks, input, factor, load }: MatrixOperator): Products[] {
  const weights = load()
  const acrossRows = input === 'rows'
  return Array.from({ length: blocks }, (_, block) => {
    const own = weights.subarray(block * rows * columns, (block + 1) * rows * columns)
    const along = (x: Float64Array) => product(own, rows, columns, factor, x)
    const across = (x: Float64Array) => adjointProduct(own, rows, columns, factor, x)
    return acrossRows
      ? { input: [rows], output: [columns], apply: across, applyAdjoint: along }
      : { input: [columns], output: [rows], apply: along, applyAdjoint: across }
  })
}

function product(
  weights: FloatArray,
  rows: number,
  columns: number,
  factor: number,
  x: Float64Array,
): Float64Array {
  const y = new Float64Array(rows)
  for (let i = 0, at = 0; i < rows; i++) {
    let sum = 0
    for (let j = 0; j < columns; j++, at++) sum += weights[at] * x[j]
    y[i] = factor * sum
  }
  return y
}

function adjointProduct(
  weights: FloatArray,
  rows: number,
  columns: number,
  factor: number,
  y: Float64Array,
): Float64Array {
  const x = new Float64Array(columns)
  for (let i = 0, at = 0; i < rows; i++) {
    const own = factor * y[i]
    for (let j = 0; j < columns; j++, at++) x[j] += weights[at] * own
  }
  return x
}

function nodeProducts(typed: TypedGraph, { node }: PlacedLayer): Products[] {
  const { inputs, outputs } = typed.typed(node)
  const at = inputs.findIndex((input) => input !== null && !input.isConstant)
  const [input, output] = [oneOf(inputs[at]?.shape), oneOf(outputs[0]?.shape)]
  const map = at < 0 ? null : linearMapOf(typed, node, (value) => value === inputs[at]?.value)
  if (map === null || input === null || output === null) return []
  return [
    {
      input,
      output,
      apply: (x) => map.apply(node.inputs.map((_, i) => (i === at ? x : null)))[0] as Float64Array,
      applyAdjoint: (y) => map.applyAdjoint([y])[at] as Float64Array,
    },
  ]
}

/** The dims of one batch element; null where one is not known, or the batch is no single element. */
function oneOf(shape: Shape | null | undefined): number[] | null {
  if (shape?.[0] !== 1 || sizeOf(shape) === null) return null
  return shape.slice(1) as number[]
}
