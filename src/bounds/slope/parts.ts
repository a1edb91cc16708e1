import { createHash } from 'node:crypto'
import { linearContext } from '../../calculus/node-context.ts'
import { createRandom, gaussianVector } from '../../core/random.ts'
import { type FloatArray, sizeOf } from '../../core/tensor.ts'
import type { Node, Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import type { ConvolutionOperator, MatrixOperator } from '../../linalg/linear-operator.ts'
import { type UnrolledConvolution, unrolledConvolution } from '../../linalg/unrolled-convolution.ts'
import type { LayerSpec } from '../../ops/layer.ts'
import type { LinearMap } from '../../ops/linear-map.ts'
import { type Slopes, slopesOf } from '../../ops/slopes/slopes.ts'

/** A node that is affine in what varies. */
export interface LinearPart {
  readonly kind: 'linear'
  readonly node: Node
  readonly map: LinearMap
  /** Norm of the map from all inputs that vary, at most. */
  readonly gain: number
  /** Products that one element of the result, or of the adjoint's, adds up at most. */
  readonly terms: number
  /** Set for nodes that may be one matrix times one vector: the matrix, null where they are not. */
  readonly matrix: (() => MatrixFactor | null) | null
  /** Set for nodes that may be one convolution: its products in the arena, null where they are not. */
  readonly convolution: (() => UnrolledConvolution | null) | null
}

/** y = factor·W x, W rows × columns, row-major. */
export interface MatrixFactor {
  readonly rows: number
  readonly columns: number
  readonly data: FloatArray
  readonly factor: number
  /** Whether `data` holds Wᵀ. */
  readonly transposed: boolean
}

/** A node that applies one function to each element of its first input. */
export interface ActivationPart {
  readonly kind: 'activation'
  readonly node: Node
  readonly slopes: Slopes
}

export type Part = LinearPart | ActivationPart

/** What a linearised network is made of. */
export interface Parts {
  /** Null for nodes that are neither affine nor elementwise with known slopes, and for nodes whose sizes are not known. */
  partOf(node: Node): Part | null
  /** Multiply-adds of one application of the node, roughly. */
  costOf(node: Node): number
  /** Elements; null where they are not known. */
  sizeOf(value: Value): number | null
  varies(value: Value): boolean
}

type GainOf = (node: Node, varies: (value: Value) => boolean) => number | null

/** The parts of the main graph, each made when it is first asked for. */
export function partsOf(typed: TypedGraph, gainOf: GainOf, varies: (value: Value) => boolean): Parts {
  const known = new Map<Node, Part | null>()
  const size = (value: Value) => {
    const { shape } = typed.operand(value)
    return shape === null ? null : sizeOf(shape)
  }

  function make(node: Node): Part | null {
    const context = linearContext(typed, node, varies)
    if (context === null || node.captures.size > 0) return null
    const slopes = slopesOf(context)
    if (slopes !== null) {
      const [input, output] = [node.inputs[0], node.outputs[0]]
      const isElementwise = input && output && size(input) !== null && size(input) === size(output)
      const others = node.inputs.slice(1).every((value) => value === null || !varies(value))
      return isElementwise && others ? { kind: 'activation', node, slopes } : null
    }
    const values = [...node.inputs.filter((value) => value !== null && varies(value)), ...node.outputs]
    if (values.some((value) => value !== null && size(value) === null)) return null
    const map = context.operator.linear?.(context) ?? null
    if (map === null) return null
    const gain = gainOf(node, varies)
    if (gain === null) return null
    return { kind: 'linear', node, map, gain, terms: termsOf(node), ...compiledOf(node, map) }
  }

  /**
   * What a node with one layer and one input that varies is, in compiled loops. Which way it acts is known from the
   * layer, its sign from the map itself.
   */
  function compiledOf(node: Node, map: LinearMap): Pick<LinearPart, 'matrix' | 'convolution'> {
    const none = { matrix: null, convolution: null }
    const [layer, ...others] = typed.layers(node)
    const at = node.inputs.findIndex((value) => value !== null && varies(value))
    const single = node.inputs.every((value, i) => i === at || value === null || !varies(value))
    if (layer === undefined || others.length > 0 || !single || at < 0 || node.outputs[0] == null) return none
    const { operator } = layer
    const [columns, rows] = [size(node.inputs[at] as Value), size(node.outputs[0])]
    if (rows === null || columns === null) return none
    const test = (x: Float64Array) => map.apply(node.inputs.map((_, i) => (i === at ? x : null)))[0]
    if (operator.form === 'convolution')
      return { ...none, convolution: () => convolutionOf(layer, operator, rows, columns, test) }
    const isMatrix = operator.form === 'matrix' && operator.blocks === 1
    if (!isMatrix || operator.rows * operator.columns !== rows * columns) return none
    if (operator.input === undefined) return none
    return { ...none, matrix: matrixOf(operator, rows, columns, test) }
  }

  function matrixOf(
    operator: MatrixOperator,
    rows: number,
    columns: number,
    test: (x: Float64Array) => Float64Array | null,
  ): () => MatrixFactor | null {
    return () => {
      const data = operator.load()
      const x = testVector(columns, data)
      const wanted = test(x)
      const transposed = operator.input === 'rows'
      const y = new Float64Array(rows)
      const [row, column] = transposed ? [1, rows] : [columns, 1]
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) y[i] += data[i * row + j * column] * x[j]
      const factor = [operator.factor, -operator.factor].find((sign) => isNear(y, sign, wanted))
      return factor === undefined ? null : { rows, columns, data, factor, transposed }
    }
  }

  /** Elements on the larger side of the map: no sum has more terms; convolutions and matrices say it exactly. */
  function termsOf(node: Node): number {
    const [layer, ...others] = typed.layers(node)
    const whole = [...node.inputs, ...node.outputs].reduce(
      (sum, value) => sum + ((value !== null && !typed.operand(value).isConstant && size(value)) || 0),
      0,
    )
    if (layer === undefined || others.length > 0) return whole
    const { operator } = layer
    if (operator.form === 'diagonal') return 1
    if (operator.form === 'matrix') return Math.max(operator.rows, operator.columns)
    const taps = operator.kernel.reduce((product, length) => product * length, 1)
    return (Math.max(operator.inChannels, operator.outChannels) / operator.groups) * taps
  }

  function costOf(node: Node): number {
    const elements = (values: readonly (Value | null)[]) =>
      values.reduce((sum, value) => sum + ((value && varies(value) && size(value)) || 0), 0)
    const [read, written] = [elements(node.inputs), elements(node.outputs)]
    const operator = typed.layers(node)[0]?.operator
    if (operator === undefined || operator.form === 'diagonal') return read + written
    const { form } = operator
    if (form === 'matrix') return written * (operator.input === 'rows' ? operator.rows : operator.columns)
    const taps = operator.kernel.reduce((product, length) => product * length, 1)
    return (Math.max(read * operator.outChannels, written * operator.inChannels) / operator.groups) * taps
  }

  return {
    partOf: (node) => {
      const found = known.get(node)
      if (found !== undefined) return found
      const part = make(node)
      known.set(node, part)
      return part
    },
    costOf,
    sizeOf: size,
    varies,
  }
}

/** A random vector that nobody can choose the weights for: it follows from their checksum. */
function testVector(length: number, weights: FloatArray): Float64Array {
  const { buffer, byteOffset, byteLength } = weights
  const digest = createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest()
  return gaussianVector(length, createRandom(digest.readUIntBE(0, 6)))
}

function isNear(y: Float64Array, factor: number, wanted: Float64Array | null): boolean {
  if (wanted === null || wanted.length !== y.length) return false
  let [distance, length] = [0, 0]
  for (let i = 0; i < y.length; i++) {
    distance += (factor * y[i] - wanted[i]) ** 2
    length += wanted[i] ** 2
  }
  return distance <= 1e-18 * length
}

function convolutionOf(
  { kind }: Pick<LayerSpec, 'kind'>,
  operator: ConvolutionOperator,
  rows: number,
  columns: number,
  test: (x: Float64Array) => Float64Array | null,
): UnrolledConvolution | null {
  const weights = operator.load()
  const found = unrolledConvolution(operator, weights)
  if (found === null) return null
  const { inputs, outputs, apply, applyAdjoint } = found
  const acting =
    kind === 'conv' ? found : { inputs: outputs, outputs: inputs, apply: applyAdjoint, applyAdjoint: apply }
  if (acting.inputs !== columns || acting.outputs !== rows) return null
  const x = testVector(columns, weights)
  return isNear(acting.apply(x), 1, test(x)) ? acting : null
}
