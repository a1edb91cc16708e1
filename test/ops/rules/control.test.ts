import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../../helpers/bounds.ts'
import {
  int64s,
  type Message,
  type ModelSpec,
  model,
  node,
  subgraph,
  tensor,
} from '../../helpers/onnx-builder.ts'
import { openNetwork, steepest, steepestSecants } from '../../helpers/slope.ts'

const go = tensor([], [1], 'bool')
const flag = { type: 'bool', shape: [] } as const
const count = { type: 'int64', shape: [] } as const
/** Norm 2. */
const turn = tensor([2, 2], [0, 2, -2, 0])

function looping(body: Message, trips: Message, more: Partial<ModelSpec> = {}): ModelSpec {
  return {
    inputs: { x: [1, 2] },
    outputs: { last: [1, 2], all: { type: 'float32', shape: null } },
    initializers: { go, trips, turn },
    nodes: [node('Loop', ['trips', 'go', 'x'], ['last', 'all'], { body }, { name: 'loop' })],
    ...more,
  }
}

const turning = subgraph({
  inputs: { i: count, on: flag, state: [1, 2] },
  outputs: ['on', 'next', 'seen'],
  nodes: [
    node('MatMul', ['state', 'turn'], ['turned']),
    node('Relu', ['turned'], ['next']),
    node('Tanh', ['next'], ['seen']),
  ],
})

async function measured(spec: ModelSpec, shapes: Record<string, readonly number[]>): Promise<number> {
  const network = await openNetwork(model(spec), shapes)
  const secants = await steepestSecants(network, { seed: 3, points: 6 })
  await network.release()
  return steepest(secants)
}

describe('Loop', () => {
  it('is followed step by step', async () => {
    const spec = looping(turning, int64s(3))
    const bound = bestOf(await boundModel(spec))
    // the last state 2³, and beside it 2, 2² and 2³ of the outputs of all steps
    expect(bound).toBeCloseTo(Math.sqrt(64 + 4 + 16 + 64), 6)
    expect(await measured(spec, { x: [1, 2] })).toBeLessThanOrEqual(bound)
  })

  it('of no steps passes its data on', async () => {
    const spec = looping(turning, int64s(0), { outputs: { last: [1, 2] } })
    expect(bestOf(await boundModel(spec))).toBe(1)
  })

  it('carries ranges along', async () => {
    const squaring = subgraph({
      inputs: { i: count, on: flag, state: [1, 2] },
      outputs: ['on', 'next', 'seen'],
      nodes: [node('Mul', ['state', 'state'], ['next']), node('Relu', ['next'], ['seen'])],
    })
    const spec = looping(squaring, int64s(2), { outputs: { last: [1, 2] } })
    expect(bestOf(await boundModel(spec))).toBe(Infinity)
    const inputRanges = new Map([['x', { lo: 0, hi: 1 }]])
    expect(bestOf(await boundModel(spec, { inputRanges }))).toBeCloseTo(4, 6)
  })

  it.each([
    ['a condition that follows the data', node('Less', ['i', 'trips'], ['on_']), 3],
    ['very many steps', node('Identity', ['on'], ['on_']), 10_000_000],
  ])('has no bound with %s', async (_, condition, trips) => {
    const body = subgraph({
      inputs: { i: count, on: flag, state: [1, 2] },
      outputs: ['on_', 'next', 'seen'],
      nodes: [condition, node('Relu', ['state'], ['next']), node('Tanh', ['next'], ['seen'])],
    })
    const { refusal } = await boundModel(looping(body, int64s(trips)))
    expect(refusal).toMatchObject({ node: 'loop' })
  })

  it('has no bound where the number of steps is an input', async () => {
    const { refusal } = await boundModel(
      looping(turning, int64s(1), {
        inputs: { x: [1, 2], steps: count },
        nodes: [node('Loop', ['steps', 'go', 'x'], ['last', 'all'], { body: turning }, { name: 'loop' })],
      }),
    )
    expect(refusal?.reason).toMatch(/number of times that is not known/)
  })
})

describe('Scan', () => {
  const body = subgraph({
    inputs: { state: [2], slice: [2] },
    outputs: ['sum', 'seen'],
    nodes: [node('Add', ['state', 'slice'], ['sum']), node('Tanh', ['sum'], ['seen'])],
  })
  const spec: ModelSpec = {
    inputs: { x: [3, 2] },
    outputs: { total: [2], all: [3, 2] },
    initializers: { start: tensor([2], [0, 0]) },
    nodes: [node('Scan', ['start', 'x'], ['total', 'all'], { body, num_scan_inputs: 1 }, { name: 'scan' })],
  }

  it('is followed along a sequence of known length', async () => {
    const bound = bestOf(await boundModel(spec))
    expect(bound).toBeCloseTo(Math.sqrt(9 + 1 + 4 + 9), 6)
    expect(await measured(spec, { x: [3, 2] })).toBeLessThanOrEqual(bound)
  })

  it('has no bound along one of unknown length', async () => {
    const open = { ...spec, inputs: { x: ['steps', 2] }, outputs: { total: [2] } }
    const { refusal } = await boundModel({
      ...open,
      inputs: { x: { type: 'float32', shape: [1, null, 2] } },
      nodes: [
        node('Squeeze', ['x', 'axis'], ['rows']),
        node('Scan', ['start', 'rows'], ['total', 'all'], { body, num_scan_inputs: 1 }, { name: 'scan' }),
      ],
      initializers: { ...spec.initializers, axis: int64s([0]) },
    } as ModelSpec)
    expect(refusal).toMatchObject({ node: 'scan' })
  })
})
