import { floatAttribute } from '../../graph/attribute.ts'
import type { Algebra, Variable } from '../algebra.ts'
import type { Calculus, DerivativeRule, EvaluationContext } from '../calculus.ts'
import { channelBias, dataMap, weightMap, windowedOf, windowProducts } from './convolution.ts'
import { scaled, summed } from './definition.ts'
import { channelDims } from './elementwise.ts'
import {
  added,
  biasMap,
  combined,
  einsumProduct,
  factorMap,
  gemmProduct,
  type Labelled,
  matrixProduct,
  type Product,
  productValue,
} from './products.ts'
import { outputDims, productOf } from './sizes.ts'
import { repeated } from './terms.ts'

/** One map for each factor that varies, the others at the point; null where an operand is missing. */
function factorMaps(context: EvaluationContext, product: Product | null) {
  if (product === null) return null
  const { operands, output, factor } = product
  const given = operands.map((operand, i) => ({ ...operand, data: context.values[i]?.data ?? null }))
  if (given.some(({ data }) => data === null)) return null
  const all = given as ((typeof operands)[number] & { data: Float64Array })[]
  return operands.flatMap((operand, i) => {
    if (!context.varies(i)) return []
    const others = combined(all.filter((_, j) => j !== i))
    return [factorMap(context.inputs.length, i, operand, others, output, factor)]
  })
}

/** A product of two factors in terms of an algebra, whose labels are single letters. */
function defineProduct(
  algebra: Algebra,
  { operands, output, factor }: Product,
  [a, b]: readonly (Variable | null)[],
): Variable | null {
  if (operands.length !== 2 || !a || !b) return null
  const names = [...new Set([...operands, output].flatMap(({ labels }) => labels))]
  const letters = ({ labels }: Labelled) =>
    labels.map((label) => String.fromCharCode(97 + names.indexOf(label))).join('')
  if (operands.some(({ labels }) => new Set(labels).size < labels.length)) return null
  const product = algebra.product(a, letters(operands[0]), b, letters(operands[1]), letters(output))
  const scaledProduct = factor === 1 ? product : scaled(algebra, product, factor)
  return algebra.reshape(scaledProduct, output.dims)
}

function productCalculus(productOf: (context: EvaluationContext) => Product | null): Calculus {
  return {
    definition: (context) => {
      const product = productOf(context)
      return product && [defineProduct(context.algebra, product, context.variables)]
    },
    evaluate: (context) => {
      const product = productOf(context)
      const values = context.values.filter((value) => value !== null)
      return product === null || values.length < product.operands.length
        ? null
        : [productValue(product, values)]
    },
    derivative: (context) => added(factorMaps(context, productOf(context)) ?? []),
  }
}

const gemm: Calculus = {
  definition: (context) => {
    const { algebra, variables } = context
    const product = gemmProduct(context)
    const whole = product && defineProduct(algebra, product, variables)
    if (!whole) return null
    const bias = variables[2] ?? null
    const beta = floatAttribute(context.node, 'beta', 1)
    return [bias === null ? whole : algebra.zip(whole, scaled(algebra, bias, beta), summed)]
  },
  evaluate: (context) => {
    const product = gemmProduct(context)
    const [a, b, bias] = context.values
    if (product === null || !a || !b) return null
    const out = productValue(product, [a, b])
    if (bias)
      addTo(out, repeated(bias.data, bias.dims, product.output.dims), floatAttribute(context.node, 'beta', 1))
    return [out]
  },
  derivative: (context) => {
    const output = outputDims(context)
    const beta = floatAttribute(context.node, 'beta', 1)
    if (output === null) return null
    return added([...(factorMaps(context, gemmProduct(context)) ?? []), biasMap(context, 2, output, beta)])
  },
}

function addTo(out: Float64Array, more: ArrayLike<number>, factor: number): void {
  for (let i = 0; i < out.length; i++) out[i] += factor * more[i]
}

/** The value with its bias, and the derivative where data and weights both vary. */
function convolution(transposed: boolean): Calculus {
  const derivative: DerivativeRule = (context) => {
    const shape = windowedOf(context, transposed)
    const output = outputDims(context)
    const [data, weights] = context.values
    if (shape === null || output === null || !data || !weights) return null
    return added([
      context.varies(0) ? dataMap(context, shape, transposed, weights.data) : null,
      context.varies(1) ? weightMap(context, shape, transposed, data.data) : null,
      channelBias(context, 2, output),
    ])
  }
  return {
    evaluate: (context) => {
      const shape = windowedOf(context, transposed)
      const output = outputDims(context)
      const [data, weights, bias] = context.values
      if (shape === null || output === null || !data || !weights) return null
      const { gather, spread } = windowProducts(shape, weights.data)
      const out = (transposed ? spread : gather)(Float64Array.from(data.data))
      if (bias) addTo(out, repeated(bias.data, channelDims(productOf(bias.dims), output.length), output), 1)
      return [out]
    },
    derivative,
  }
}

/** Operators that multiply their inputs with one another. */
export const bilinearCalculus: Readonly<Record<string, Calculus>> = {
  MatMul: productCalculus(matrixProduct),
  Einsum: productCalculus(einsumProduct),
  Gemm: gemm,
  Conv: convolution(false),
  ConvTranspose: convolution(true),
}
