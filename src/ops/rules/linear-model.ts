import * as term from '../../core/term.ts'
import { floatsAttribute, stringAttribute } from '../../graph/attribute.ts'
import { type BoundContext, type BoundRule, everything, type TensorBound } from '../bound.ts'
import { up } from './interval.ts'
import { through } from './join.ts'

/**
 * Linear models: scores = transform(W·x + b), with W the node's layer. A single row that decides between two classes
 * writes its score and that of the other class, of the same slope: √2.
 */

/** The constants of the transforms that have one: logistic ¼ and softmax ½ as in networks. */
const transforms: ReadonlyMap<string, number> = new Map([
  ['NONE', 1],
  ['LOGISTIC', 0.25],
  ['SOFTMAX', 0.5],
])

function scores(context: BoundContext, copies: number): TensorBound {
  const x = context.input(0)
  const norm = context.layerNorm()
  const name = stringAttribute(context.node, 'post_transform', 'NONE')
  const slope = transforms.get(name)
  if (x === null || norm === null) return context.refuse('has no coefficients')
  if (slope === undefined) return context.refuse(`has the post_transform ${name}, which has no bound`)
  return through(x, term.scale(norm, copies === 1 ? slope : up(slope * Math.sqrt(copies))), everything)
}

const regressor: BoundRule = (context) => [scores(context, 1)]

/** The label jumps; the scores do not. */
const classifier: BoundRule = (context) => {
  const rows = floatsAttribute(context.node, 'intercepts', []).length
  return [context.refuse('is discontinuous'), scores(context, rows > 1 ? 1 : 2)]
}

export const linearModelRules = {
  LinearRegressor: regressor,
  LinearClassifier: classifier,
} satisfies Record<string, BoundRule>
