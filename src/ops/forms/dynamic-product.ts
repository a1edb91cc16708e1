import * as mag from '../../core/magnitude.ts'
import { mulUp } from '../../core/rounding.ts'
import * as term from '../../core/term.ts'
import type { Value } from '../../graph/graph.ts'
import { type BoundContext, everything, type TensorBound } from '../bound.ts'
import { elementsOf, rangeOf } from '../rules/constant.ts'
import { dynamicSource, roundedDynamically } from '../rules/dynamic.ts'
import { farthest } from '../rules/interval.ts'
import { isFixed, through } from '../rules/join.ts'
import { orders, producerOf } from './pattern.ts'

/**
 * y = (s_x·s_w)·cast((q_x − z_x)·(W − z_w)), a product of data that DynamicQuantizeLinear has rounded with constant integers: the numbers
 * that the codes stand for, times the weights' real values. |Δy| ≤ max|s_w|·‖W − z_w‖₂·|Δx̂|; s_w may be one number or one for each column.
 */
export function dynamicProduct(context: BoundContext): TensorBound | null {
  for (const [integers, scales] of orders(context.node)) {
    const cast = producerOf(integers, 'Cast')
    const product = producerOf(cast?.inputs[0] ?? null, 'MatMulInteger', 'ConvInteger')
    const [codes, weights, zero] = product?.inputs ?? []
    if (!product || !weights || !context.operandOf(weights).isConstant) continue
    for (const [scale, own] of scaleFactors(scales)) {
      const source = dynamicSource(codes, scale, zero)
      const largest = own === null ? 1 : sizeOf(context, own)
      const norm = source === null ? null : context.layerNorm('', product)
      if (source === null || norm === null || largest === null || largest === Infinity) continue
      const rounded = roundedDynamically(context.operandOf(source))
      if (typeof rounded === 'string') return context.refuse(rounded)
      if (rounded.refusal !== null || isFixed(rounded)) continue
      const length = mulUp(mulUp(mag.toNumber(norm.value), largest), rounded.norm)
      return through(rounded, term.scale(norm, largest), everything, length)
    }
  }
  return null
}

/** The scale of the data, alone or times that of the weights. */
function scaleFactors(scales: Value): readonly (readonly [Value, Value | null])[] {
  const product = producerOf(scales, 'Mul')
  return [[scales, null], ...(product === null ? [] : orders(product))]
}

/** The largest absolute value of a constant; null where it is none. */
function sizeOf(context: BoundContext, value: Value): number | null {
  const elements = elementsOf(context.operandOf(value))
  const range = elements === null ? null : rangeOf(elements)
  return range === null ? null : farthest(range)
}
