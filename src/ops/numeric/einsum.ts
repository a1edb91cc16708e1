import type { Dim, Shape } from '../../core/tensor.ts'
import { stringAttribute } from '../../graph/attribute.ts'
import type { LayerSpec } from '../layer.ts'
import type { InferenceContext, LayerContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { einsumRules } from '../rules/einsum.ts'
import { broadcastShapes } from '../shape/broadcast.ts'
import { allInputs, commonType, infoOf } from '../shape/operands.ts'
import type { Refusing } from '../shape/refusing.ts'
import { type Equation, ellipsis, type Labels, parseEquation } from './einsum-equation.ts'
import { type AxisRole, contractionLayer } from './matrix-layers.ts'
import { isData, weightOf } from './weight.ts'

function equationOf(context: Pick<LayerContext, 'node' | 'fail'>): Equation {
  const text = stringAttribute(context.node, 'equation', null) ?? context.fail('the equation is missing')
  const equation = parseEquation(context, text)
  const operands = context.node.inputs.length
  if (equation.inputs.length !== operands)
    context.fail(`the equation '${text}' is not for ${operands} operands`)
  return equation
}

function inferEinsum(context: InferenceContext): ValueInfo[] {
  const equation = equationOf(context)
  const type = commonType(context, allInputs(context))
  const sizes = new Map<string, Dim>()
  let covered: Shape | null = []
  for (const [i, labels] of equation.inputs.entries()) {
    const shape = context.input(i)?.shape ?? null
    if (shape === null) {
      if (labels.includes(ellipsis)) covered = null
      continue
    }
    const { named, rest } = alignLabels(context, labels, shape)
    for (const [label, dim] of named)
      sizes.set(label, joinDims(context, label, sizes.get(label) ?? null, dim))
    if (rest !== null) covered = broadcastShapes(context, [covered, rest])
  }
  if (covered === null && equation.output.includes(ellipsis)) return [infoOf(type, null)]
  const shape = equation.output.flatMap((label) =>
    label === ellipsis ? (covered ?? []) : [sizes.get(label) ?? null],
  )
  return [infoOf(type, shape)]
}

/** The dimension of each label of a term, and the dimensions that its ellipsis covers (null: it has none). */
function alignLabels(
  context: Refusing,
  labels: Labels,
  shape: Shape,
): { named: [string, Dim][]; rest: Shape | null } {
  const at = labels.indexOf(ellipsis)
  const covered = shape.length - labels.length + 1
  if (at < 0 ? shape.length !== labels.length : covered < 0) {
    context.fail(`an operand of rank ${shape.length} for the labels '${labels.join('')}'`)
  }
  if (at < 0) return { named: labels.map((label, axis) => [label, shape[axis]]), rest: null }
  const before = labels.slice(0, at).map((label, axis): [string, Dim] => [label, shape[axis]])
  const after = labels.slice(at + 1).map((label, axis): [string, Dim] => [label, shape[at + covered + axis]])
  return { named: [...before, ...after], rest: shape.slice(at, at + covered) }
}

/** Runtimes let a dimension of 1 stand for any. */
function joinDims(context: Refusing, label: string, a: Dim, b: Dim): Dim {
  if (a === null || a === 1) return b ?? a
  if (b === null || b === 1 || a === b) return a
  return context.fail(`label ${label} stands for ${a} and for ${b}`)
}

/**
 * The layer of a contraction with one constant operand, where every axis of the constant is either summed
 * against the data, created, or runs along with the data. Sums over axes of one operand alone, repeated labels
 * and broadcast dimensions of 1 are no such layer.
 */
function einsumLayers(context: LayerContext): readonly LayerSpec[] {
  const equation = equationOf(context)
  if (equation.inputs.length !== 2) return []
  for (const [dataIndex, weightIndex] of [
    [0, 1],
    [1, 0],
  ]) {
    const data = context.input(dataIndex)
    const weight = weightOf(context.input(weightIndex))
    if (!isData(data) || weight === null || data.shape === null) continue
    const labels = equation.inputs[weightIndex]
    const dataLabels = equation.inputs[dataIndex]
    const plain = isPlain(labels) && new Set(dataLabels).size === dataLabels.length
    const kept = dataLabels.every((label) => equation.output.includes(label) || labels.includes(label))
    if (!plain || !kept) continue
    const sizes = new Map(alignLabels(context, dataLabels, data.shape).named)
    const roles = labels.map((label, axis) => roleOf(label, weight.dims[axis], sizes, equation.output))
    if (roles.every((role) => role !== null)) return [contractionLayer(data, weight, roles, 1)]
  }
  return []
}

function isPlain(labels: Labels): boolean {
  return !labels.includes(ellipsis) && new Set(labels).size === labels.length
}

function roleOf(
  label: string,
  size: number,
  data: ReadonlyMap<string, Dim>,
  output: Labels,
): AxisRole | null {
  const created = output.includes(label)
  if (!data.has(label)) return created ? 'created' : null
  if (data.get(label) !== size) return null
  return created ? 'parallel' : 'contracted'
}

export const einsums: readonly Operator[] = [
  { op: 'Einsum', bound: einsumRules.Einsum, since: 12, infer: inferEinsum, layers: einsumLayers },
]
