import { int64s, tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases } from '../../helpers/rule-cases.ts'

const cases: readonly Case[] = [
  ...(
    [
      ['ReduceSum', Math.sqrt(6)],
      ['ReduceMean', 1 / Math.sqrt(6)],
      ['ReduceMax', 1],
      ['ReduceMin', 1],
      ['ReduceL1', Math.sqrt(6)],
      ['ReduceL2', 1],
      ['ReduceLogSumExp', 1],
    ] as const
  ).map(
    ([op, exact]): Case => ({
      name: op,
      op,
      x: [2, 3, 2],
      constants: { a: int64s([1, 2]) },
      opset: 18,
      exact,
      tight: op === 'ReduceLogSumExp' ? 0.4 : 0.9,
    }),
  ),
  {
    name: 'ReduceMean of all',
    op: 'ReduceMean',
    x: [2, 3, 2],
    opset: 13,
    attributes: { keepdims: 0 },
    exact: 1 / Math.sqrt(12),
    tight: 0.999,
  },
  {
    name: 'ReduceSumSquare in a range',
    op: 'ReduceSumSquare',
    x: [2, 6],
    range: [-1, 1],
    scale: 0.95,
    tight: 0.3,
  },
  {
    name: 'CumSum',
    op: 'CumSum',
    x: [10],
    constants: { a: tensor([], [0], 'int64') },
    exact: 6.690744926,
    tight: 0.999,
  },
  {
    name: 'CumSum, exclusive',
    op: 'CumSum',
    x: [2, 5],
    constants: { a: tensor([], [-1], 'int64') },
    attributes: { exclusive: 1, reverse: 1 },
    tight: 0.999,
  },
]

describeCases('reductions', cases)
