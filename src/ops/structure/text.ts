import { intsAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { broadcastShapes } from '../shape/broadcast.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'

/** Strings and pictures: operators that are typed, never computed. */

function inferSplit(context: InferenceContext) {
  const { shape } = requiredInput(context, 0)
  return [infoOf('string', shape && [...shape, null]), infoOf('int64', shape)]
}

/** Words may be dropped, so the last axis is open. */
function inferNormalizer(context: InferenceContext) {
  const { shape } = requiredInput(context, 0)
  return [infoOf('string', shape && [...shape.slice(0, -1), null])]
}

function inferTfIdf(context: InferenceContext) {
  const { shape } = requiredInput(context, 0)
  const columns =
    intsAttribute(context.node, 'ngram_indexes', []).reduce((max, index) => Math.max(max, index), -1) + 1
  return [infoOf('float32', shape && [...shape.slice(0, -1), columns])]
}

function inferImage(context: InferenceContext) {
  const channels = stringAttribute(context.node, 'pixel_format', 'RGB') === 'Grayscale' ? 1 : 3
  return [infoOf('uint8', [null, null, channels])]
}

const strings = 'has strings as data, which have no distance'

export const textOperators = [
  { op: 'StringNormalizer', without: strings, since: 10, infer: inferNormalizer, shapesFollowData: true },
  {
    op: 'StringConcat',
    without: strings,
    since: 20,
    infer: (context) => [
      infoOf(
        'string',
        broadcastShapes(context, [requiredInput(context, 0).shape, requiredInput(context, 1).shape]),
      ),
    ],
  },
  { op: 'StringSplit', without: strings, since: 20, infer: inferSplit, shapesFollowData: true },
  {
    op: 'RegexFullMatch',
    without: strings,
    since: 20,
    infer: (context) => [infoOf('bool', requiredInput(context, 0).shape)],
  },
  {
    op: 'TfIdfVectorizer',
    without: 'counts sequences of ids, which have no distance',
    since: 9,
    infer: inferTfIdf,
  },
  {
    op: 'ImageDecoder',
    without: 'decodes bytes of a compressed picture: no continuous map',
    since: 20,
    infer: inferImage,
    shapesFollowData: true,
  },
] satisfies readonly Operator[]
