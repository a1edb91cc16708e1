import type { ElementType } from '../../core/tensor.ts'
import { hasAttribute, intAttribute, intsAttribute, stringsAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import type { InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { featureRules } from '../rules/feature.ts'
import { jumps } from '../rules/jumps.ts'
import { kernelMachineRules } from '../rules/kernel-machine.ts'
import { movementRules, selection } from '../rules/movement.ts'
import { normalizationRules } from '../rules/normalization.ts'
import { infoOf, likeFirstInput, requiredInput, unknownInfo } from '../shape/operands.ts'
import { checkedInfo } from './checked-info.ts'

const domain = 'ai.onnx.ml'

function inferFloats(context: InferenceContext): ValueInfo[] {
  return [infoOf('float32', requiredInput(context, 0).shape)]
}

/** Rows [N, features] to [N, targets]; a single row may come as [features]. */
function inferTargets(attribute: string | null): (context: InferenceContext) => ValueInfo[] {
  return (context) => {
    const targets = attribute === null ? 1 : intAttribute(context.node, attribute, 1)
    return [checkedInfo(context, 'float32', [rowsOf(context), targets])]
  }
}

function rowsOf(context: InferenceContext): number | null {
  const { shape } = requiredInput(context, 0)
  return shape === null ? null : shape.length > 1 ? shape[0] : 1
}

/** The class of each row, and scores whose number of columns depends on how a binary decision is written. */
function inferClassifier(context: InferenceContext): ValueInfo[] {
  const rows = rowsOf(context)
  return [infoOf(labelType(context.node), [rows]), infoOf('float32', [rows, null])]
}

function labelType(node: Node): ElementType {
  return (stringsAttribute(node, 'classlabels_strings', null)?.length ?? 0) > 0 ? 'string' : 'int64'
}

/** X [.., n] and indices [.., k]: columns [.., k]; a vector counts as one row. */
function inferFeatureExtractor(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const indices = requiredInput(context, 1).shape
  const count = indices === null || indices.length === 0 ? null : indices[indices.length - 1]
  if (shape === null) return [infoOf(type, null)]
  return [infoOf(type, shape.length === 1 ? [1, count] : [...shape.slice(0, -1), count])]
}

function inferFeatureVectorizer(context: InferenceContext): ValueInfo[] {
  const widths = intsAttribute(context.node, 'inputdimensions', null)
  return [
    checkedInfo(context, 'float32', [
      rowsOf(context),
      widths === null ? null : widths.reduce((sum, width) => sum + width, 0),
    ]),
  ]
}

/** Types that a mapping's values may have, by the attribute that lists them. */
const valueTypes: readonly (readonly [string, ElementType])[] = [
  ['values_strings', 'string'],
  ['values_int64s', 'int64'],
  ['values_floats', 'float32'],
]

function inferLabelEncoder(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const found = valueTypes.find(([attribute]) => hasAttribute(context.node, attribute))
  const classes = hasAttribute(context.node, 'classes_strings')
  return [infoOf(found?.[1] ?? (classes ? (type === 'string' ? 'int64' : 'string') : null), shape)]
}

/** Categories along a new last axis. */
function inferOneHotEncoder(context: InferenceContext): ValueInfo[] {
  const { shape } = requiredInput(context, 0)
  const { node } = context
  const categories = intsAttribute(node, 'cats_int64s', null) ?? stringsAttribute(node, 'cats_strings', null)
  return [infoOf('float32', shape === null ? null : [...shape, categories?.length ?? null])]
}

/** Maps and sequences are no tensors: nothing is known of them. */
function inferNoTensor(context: InferenceContext): ValueInfo[] {
  return context.node.outputs.map(() => unknownInfo)
}

const maps = 'reads a map from names to numbers, which is no tensor'

/** Operators of classical machine learning. */
export const classicalOperators: readonly Operator[] = [
  {
    op: 'ArrayFeatureExtractor',
    bound: featureRules.ArrayFeatureExtractor,
    domain,
    infer: inferFeatureExtractor,
  },
  { op: 'FeatureVectorizer', bound: movementRules.Concat, domain, infer: inferFeatureVectorizer },
  { op: 'Scaler', bound: featureRules.Scaler, domain, infer: inferFloats },
  { op: 'Normalizer', bound: normalizationRules.Normalizer, domain, infer: inferFloats },
  { op: 'Binarizer', bound: jumps, domain, infer: likeFirstInput },
  { op: 'Imputer', comparesWithNaN: true, bound: featureRules.Imputer, domain, infer: likeFirstInput },
  { op: 'SVMRegressor', bound: kernelMachineRules.SVMRegressor, domain, infer: inferTargets(null) },
  { op: 'SVMClassifier', bound: kernelMachineRules.SVMClassifier, domain, infer: inferClassifier },
  { op: 'TreeEnsembleRegressor', bound: jumps, domain, infer: inferTargets('n_targets') },
  { op: 'TreeEnsembleClassifier', bound: jumps, domain, infer: inferClassifier },
  { op: 'LabelEncoder', bound: jumps, domain, infer: inferLabelEncoder },
  { op: 'CategoryMapper', bound: jumps, domain, infer: inferLabelEncoder },
  { op: 'OneHotEncoder', bound: jumps, domain, infer: inferOneHotEncoder },
  { op: 'TreeEnsemble', bound: jumps, domain, since: 5, infer: inferNoTensor },
  { op: 'ZipMap', bound: selection, domain, infer: inferNoTensor },
  { op: 'CastMap', without: maps, domain, infer: inferNoTensor },
  { op: 'DictVectorizer', without: maps, domain, infer: inferNoTensor },
]
