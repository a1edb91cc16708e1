import { stringAttribute } from '../../graph/attribute.ts'
import type { Calculus, LinearRule } from '../calculus.ts'
import { arithmeticCalculus } from './arithmetic.ts'
import { attentionCalculus } from './attention.ts'
import { bilinearCalculus } from './bilinear.ts'
import { choiceCalculus } from './choices.ts'
import { controlCalculus } from './control.ts'
import { convolutionMaps } from './convolution.ts'
import { elementwiseMaps, offsetSizes } from './elementwise.ts'
import { fusedCalculus } from './fused.ts'
import { interpolationMaps } from './interpolation.ts'
import { normalizationCalculus } from './normalization.ts'
import { poolCalculus } from './pools.ts'
import { productMaps } from './products.ts'
import { recurrentCalculus } from './recurrent.ts'
import { reductionMaps } from './reduction.ts'
import { reductionCalculus } from './reductions.ts'
import { movement } from './selection.ts'
import { elementwiseCalculus } from './slopes.ts'
import { softmaxCalculus } from './softmax.ts'

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

/** Operators whose outputs do not change where they are differentiable. */
const locallyConstant = [
  'Equal',
  'Greater',
  'GreaterOrEqual',
  'Less',
  'LessOrEqual',
  'And',
  'Or',
  'Xor',
  'Not',
  'IsNaN',
  'IsInf',
  'ArgMax',
  'ArgMin',
] as const

/** In the order in which later entries add to earlier ones. */
const families: readonly Readonly<Record<string, Calculus>>[] = [
  Object.fromEntries(Object.entries(rules).map(([op, linear]) => [op, { linear }])),
  Object.fromEntries(locallyConstant.map((op) => [op, { locallyConstant: true }])),
  offsetSizes,
  elementwiseCalculus,
  arithmeticCalculus,
  bilinearCalculus,
  softmaxCalculus,
  reductionCalculus,
  poolCalculus,
  normalizationCalculus,
  recurrentCalculus,
  controlCalculus,
  attentionCalculus,
  choiceCalculus,
  fusedCalculus,
]

const byOperator = new Map<string, Calculus>()
for (const family of families) {
  for (const [op, calculus] of Object.entries(family))
    byOperator.set(op, { ...byOperator.get(op), ...calculus })
}

/** Names of all operators that have an entry here. */
export const operatorsWithCalculus: readonly string[] = [...byOperator.keys()]

/**
 * What is known of an operator. Names that two domains share mean the same map, unless an entry has the domain in front
 * (com.microsoft.Attention).
 */
export function calculusOf(domain: string, op: string): Calculus {
  return byOperator.get(`${domain}.${op}`) ?? byOperator.get(op) ?? {}
}
