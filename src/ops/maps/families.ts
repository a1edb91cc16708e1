import { stringAttribute } from '../../graph/attribute.ts'
import type { Calculus, LinearRule } from '../linear-map.ts'
import { convolutionMaps } from './convolution.ts'
import { elementwiseMaps } from './elementwise.ts'
import { interpolationMaps } from './interpolation.ts'
import { productMaps } from './products.ts'
import { reductionMaps } from './reduction.ts'
import { movement } from './selection.ts'

/** Operators that move elements, known from their folding, with the inputs whose elements they move. */
const movements = {
  Identity: [0],
  Dropout: [0],
  Reshape: [0],
  Flatten: [0],
  Squeeze: [0],
  Unsqueeze: [0],
  ExpandDims: [0],
  Transpose: [0],
  DepthToSpace: [0],
  SpaceToDepth: [0],
  Slice: [0],
  Split: [0],
  Concat: 'all',
  Pad: [0, 2],
  Gather: [0],
  GatherElements: [0],
  GatherND: [0],
  Expand: [0],
  Tile: [0],
  Trilu: [0],
  Compress: [0],
  Where: [1, 2],
} satisfies Record<string, 'all' | readonly number[]>

/** Scatter moves elements unless it adds, multiplies or compares them with what is there. */
const scatter: LinearRule = (context) =>
  stringAttribute(context.node, 'reduction', 'none') === 'none' ? movement(context, [0, 2]) : null

const rules: Readonly<Record<string, LinearRule>> = {
  ...Object.fromEntries(
    Object.entries(movements).map(([op, data]): [string, LinearRule] => [
      op,
      (context) => movement(context, data),
    ]),
  ),
  Scatter: scatter,
  ScatterElements: scatter,
  ScatterND: scatter,
  ...elementwiseMaps,
  ...productMaps,
  ...convolutionMaps,
  ...interpolationMaps,
  ...reductionMaps,
}

const byOperator = new Map<string, Calculus>(Object.entries(rules).map(([op, linear]) => [op, { linear }]))

/** Names of all operators that have an entry here. */
export const operatorsWithCalculus: readonly string[] = [...byOperator.keys()]

/** What is known of an operator, in whatever domain: names that two domains share mean the same map. */
export function calculusOf(op: string): Calculus {
  return byOperator.get(op) ?? {}
}
