import { floatsAttribute, intAttribute, intsAttribute, stringsAttribute } from '../../graph/attribute.ts'
import type { MatrixOperator } from '../../linalg/linear-operator.ts'
import type { LayerSpec } from '../layer.ts'
import type { InferenceContext, LayerContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { linearModelRules } from '../rules/linear-model.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'
import { checkedInfo } from './checked-info.ts'
import { isData } from './weight.ts'

type AttributeContext = Pick<LayerContext, 'node' | 'fail'>

/** Rows of the coefficients: one per target, or one per class (one row may decide between two classes). */
type RowsOf = (context: AttributeContext) => number

const targets: RowsOf = ({ node }) => intAttribute(node, 'targets', 1)

const classes: RowsOf = ({ node }) => {
  const intercepts = floatsAttribute(node, 'intercepts', [])
  return intercepts.length > 0 ? intercepts.length : Math.max(1, labelsOf(node).length)
}

function labelsOf(node: AttributeContext['node']): readonly unknown[] {
  const strings = stringsAttribute(node, 'classlabels_strings', [])
  return strings.length > 0 ? strings : intsAttribute(node, 'classlabels_ints', [])
}

/** The coefficients [rows, features], an attribute of the node, as a layer. */
function coefficientLayers(rowsOf: RowsOf): (context: LayerContext) => readonly LayerSpec[] {
  return (context) => {
    const data = context.input(0)
    const coefficients = floatsAttribute(context.node, 'coefficients', null)
    if (!isData(data) || coefficients === null) return []
    const rows = rowsOf(context)
    const columns = coefficients.length / rows
    const features = data.shape?.at(-1) ?? null
    if (!Number.isInteger(columns) || (features !== null && features !== columns)) {
      context.fail(`${coefficients.length} coefficients for ${rows} rows and ${features ?? 'some'} features`)
    }
    const load = () => Float32Array.from(coefficients)
    const operator: MatrixOperator = {
      form: 'matrix',
      rows,
      columns,
      blocks: 1,
      arrangement: 'diagonal',
      input: 'columns',
      factor: 1,
      load,
    }
    return [
      {
        role: '',
        kind: 'dense',
        weightName: 'coefficients',
        weightShape: [rows, columns],
        inputShape: data.shape,
        stored: null,
        operator,
      },
    ]
  }
}

function batchOf(context: InferenceContext): number | null {
  const { shape } = requiredInput(context, 0)
  return shape === null ? null : shape.length > 1 ? shape[0] : 1
}

function inferRegressor(context: InferenceContext): ValueInfo[] {
  return [checkedInfo(context, 'float32', [batchOf(context), targets(context)])]
}

/** The class of each row, and a score for each class. */
function inferClassifier(context: InferenceContext): ValueInfo[] {
  const batch = batchOf(context)
  const rows = classes(context)
  const labels = labelsOf(context.node).length
  const scores = rows === 1 && labels === 2 ? 2 : rows
  const isText = stringsAttribute(context.node, 'classlabels_strings', []).length > 0
  return [infoOf(isText ? 'string' : 'int64', [batch]), infoOf('float32', [batch, scores])]
}

const domain = 'ai.onnx.ml'

/** Linear models of classical machine learning: their weights are attributes. */
export const linearModels: readonly Operator[] = [
  {
    op: 'LinearRegressor',
    domain,
    infer: inferRegressor,
    layers: coefficientLayers(targets),
    bound: linearModelRules.LinearRegressor,
  },
  {
    op: 'LinearClassifier',
    domain,
    infer: inferClassifier,
    layers: coefficientLayers(classes),
    bound: linearModelRules.LinearClassifier,
  },
]
