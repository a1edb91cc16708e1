import type { Dim } from '../../core/tensor.ts'
import { intAttribute, stringAttribute, stringsAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import type { InferenceContext, LayerContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { recurrentRules } from '../rules/recurrent.ts'
import { infoOf, requiredInput, shapeOfRank } from '../shape/operands.ts'
import { checkedInfo } from './checked-info.ts'
import { quantizedRecurrentLayers, recurrentLayers } from './recurrent-layers.ts'

/** Directions that a recurrence runs in: one, or two for `bidirectional`. */
function directionsOf(context: Pick<LayerContext, 'node' | 'fail'>): readonly ('forward' | 'backward')[] {
  const direction = stringAttribute(context.node, 'direction', 'forward')
  if (direction === 'forward') return ['forward']
  if (direction === 'reverse') return ['backward']
  return direction === 'bidirectional' ? ['forward', 'backward'] : context.fail(`direction is '${direction}'`)
}

/** Whether batch stands before time in data and states (`layout` = 1, since version 14). */
export function batchFirst(node: Node): boolean {
  return intAttribute(node, 'layout', 0) === 1
}

/** What the weights and attributes of a recurrence must agree on. */
interface Cell {
  /** Gates in one weight matrix: 1 for RNN, 3 for GRU, 4 for LSTM. */
  readonly gates: 1 | 3 | 4
  /** Whether there is a cell state beside the hidden one. */
  readonly cellState: boolean
}

/** Activations of one direction, by the number of gates. */
const activationsOf = { 1: 1, 3: 2, 4: 3 } as const

/**
 * X [time, batch, features] (or batch first): Y [time, directions, batch, hidden], Y_h and, for LSTM, Y_c
 * [directions, batch, hidden]; with `layout` = 1 [batch, time, directions, hidden] and [batch, directions, hidden].
 */
function inferRecurrent(cell: Cell): (context: InferenceContext) => ValueInfo[] {
  return (context) => {
    const { type } = requiredInput(context, 0)
    const directions = directionsOf(context).length
    const hidden = hiddenSize(context, cell, directions)
    const activations = stringsAttribute(context.node, 'activations', []).length
    const wanted = directions * activationsOf[cell.gates]
    if (activations > 0 && activations !== wanted)
      context.fail(`it has ${activations} activations instead of ${wanted}`)
    const [first, second] = shapeOfRank(context, 0, 3) ?? [null, null]
    const isBatchFirst = batchFirst(context.node)
    const [time, batch] = isBatchFirst ? [second, first] : [first, second]
    const state = checkedInfo(
      context,
      type,
      isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden],
    )
    const all = infoOf(
      type,
      isBatchFirst ? [batch, time, directions, hidden] : [time, directions, batch, hidden],
    )
    return cell.cellState ? [all, state, state] : [all, state]
  }
}

/** `hidden_size`, or what the recurrence weights [directions, gates·hidden, hidden] say; fails where they disagree. */
function hiddenSize(context: InferenceContext, { gates }: Cell, directions: number): Dim {
  const features = requiredInput(context, 0).shape?.[2] ?? null
  const weights = shapeOfRank(context, 1, 3)
  const recurrence = shapeOfRank(context, 2, 3)
  const hidden = intAttribute(context.node, 'hidden_size', null) ?? recurrence?.[2] ?? null
  expectDims(context, 'W', weights, [directions, hidden && gates * hidden, features])
  expectDims(context, 'R', recurrence, [directions, hidden && gates * hidden, hidden])
  return hidden
}

function expectDims(
  context: InferenceContext,
  name: string,
  actual: readonly Dim[] | null,
  expected: readonly Dim[],
): void {
  const differs = actual?.some((dim, i) => dim !== null && expected[i] !== null && dim !== expected[i])
  if (differs)
    context.fail(`${name} has shape [${actual?.join(',')}] instead of [${expected.map((dim) => dim ?? '?')}]`)
}

/** As LSTM, with quantised weights that stand transposed: [directions, features, 4·hidden]. */
function inferQuantizedLstm(context: InferenceContext): ValueInfo[] {
  const { type } = requiredInput(context, 0)
  const directions = directionsOf(context).length
  const hidden = intAttribute(context.node, 'hidden_size', null)
  const [time, batch] = shapeOfRank(context, 0, 3) ?? [null, null]
  const state = checkedInfo(context, type, [directions, batch, hidden])
  return [infoOf(type, [time, directions, batch, hidden]), state, state]
}

export const recurrences: readonly Operator[] = [
  {
    op: 'RNN',
    bound: recurrentRules.RNN,
    infer: inferRecurrent({ gates: 1, cellState: false }),
    layers: recurrentLayers(['h']),
  },
  {
    op: 'GRU',
    bound: recurrentRules.GRU,
    infer: inferRecurrent({ gates: 3, cellState: false }),
    layers: recurrentLayers(['z', 'r', 'h']),
  },
  {
    op: 'LSTM',
    bound: recurrentRules.LSTM,
    infer: inferRecurrent({ gates: 4, cellState: true }),
    layers: recurrentLayers(['i', 'o', 'f', 'c']),
  },
  {
    op: 'DynamicQuantizeLSTM',
    bound: recurrentRules.DynamicQuantizeLSTM,
    domain: 'com.microsoft',
    infer: inferQuantizedLstm,
    layers: quantizedRecurrentLayers(['i', 'o', 'f', 'c']),
  },
]
