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

describe('Scan without a state', () => {
  const spec: ModelSpec = {
    inputs: { x: [5, 2] },
    outputs: { all: { type: 'float32', shape: null } },
    initializers: { turn },
    nodes: [
      node('Scan', ['x'], ['all'], {
        body: subgraph({
          inputs: { slice: [2] },
          outputs: ['seen'],
          nodes: [node('MatMul', ['slice', 'turn'], ['turned']), node('Relu', ['turned'], ['seen'])],
        }),
        num_scan_inputs: 1,
      }),
    ],
  }

  it('has the constant of its body, however many parts there are', async () => {
    const bound = bestOf(await boundModel(spec))
    expect(bound).toBeCloseTo(2, 6)
    expect(await measured(spec, { x: [5, 2] })).toBeLessThanOrEqual(bound)
  })
})

describe('Scan of version 8', () => {
  const body = subgraph({
    inputs: { state: [2], slice: [2] },
    outputs: ['sum', 'seen'],
    nodes: [node('Add', ['state', 'slice'], ['sum']), node('Tanh', ['sum'], ['seen'])],
  })
  const spec = (batch: number): ModelSpec => ({
    opset: 8,
    inputs: { x: [batch, 3, 2] },
    outputs: { total: [batch, 2], all: [batch, 3, 2] },
    initializers: { start: tensor([batch, 2], new Float32Array(2 * batch)) },
    nodes: [
      node('Scan', ['', 'start', 'x'], ['total', 'all'], { body, num_scan_inputs: 1 }, { name: 'scan' }),
    ],
  })

  it('is followed as later ones, once for each element of the batch', async () => {
    const bound = bestOf(await boundModel(spec(1)))
    expect(bound).toBeCloseTo(Math.sqrt(9 + 1 + 4 + 9), 6)
    expect(await measured(spec(1), { x: [1, 3, 2] })).toBeLessThanOrEqual(bound)
  })

  it('holds for all elements of a batch together', async () => {
    const bound = bestOf(await boundModel(spec(2)))
    expect(bound).toBeLessThanOrEqual(Math.SQRT2 * Math.sqrt(23) * (1 + 1e-9))
    expect(await measured(spec(2), { x: [2, 3, 2] })).toBeLessThanOrEqual(bound)
  })
})

describe('SequenceMap', () => {
  const spec = (inner: Message): ModelSpec => ({
    opset: 17,
    inputs: { x: [4, 2] },
    outputs: { y: [4, 2] },
    initializers: { turn, zero: tensor([], [0], 'int64') },
    nodes: [
      node('Gather', ['x', 'zero'], ['first']),
      node('SplitToSequence', ['x'], ['rows'], { axis: 0 }),
      node(
        'SequenceMap',
        ['rows'],
        ['mapped'],
        { body: subgraph({ inputs: { row: [1, 2] }, outputs: { out: [1, 2] }, nodes: [inner] }) },
        { name: 'map' },
      ),
      node('ConcatFromSequence', ['mapped'], ['y'], { axis: 0 }),
    ],
  })

  it('has the constant of its body', async () => {
    const turned = spec(node('MatMul', ['row', 'turn'], ['out']))
    const bound = bestOf(await boundModel(turned))
    expect(bound).toBeCloseTo(2, 6)
    expect(await measured(turned, { x: [4, 2] })).toBeLessThanOrEqual(bound * (1 + 1e-6))
  })

  it('is refused where its body is', async () => {
    const { refusal } = await boundModel(spec(node('Floor', ['row'], ['out'])))
    expect(refusal?.reason).toMatch(/discontinuous/)
  })

  it('is refused where its body reads what depends on the data', async () => {
    const { refusal } = await boundModel(spec(node('Add', ['row', 'first'], ['out'])))
    expect(refusal).toMatchObject({ node: 'map' })
  })
})

describe('random numbers inside of bodies', () => {
  const drawing = subgraph({
    inputs: { i: count, on: flag, state: [1, 2] },
    outputs: ['on', 'next', 'seen'],
    nodes: [
      node('RandomNormalLike', ['state'], ['noise']),
      node('Add', ['state', 'noise'], ['next']),
      node('Tanh', ['next'], ['seen']),
    ],
  })
  const over = (trips: string): ModelSpec => ({
    inputs: { x: [1, 2], steps: count },
    outputs: ['y'],
    initializers: { go, trips: int64s(2), start: tensor([1, 2], [0.5, 1]) },
    nodes: [
      node('Loop', [trips, 'go', 'start'], ['last', 'all'], { body: drawing }, { name: 'loop' }),
      node('Add', ['x', 'last'], ['y']),
    ],
  })

  it.each(['trips', 'steps'])(
    'are no constants although the loop over %s reads constants alone',
    async (trips) => {
      const { refusal } = await boundModel(over(trips), { inputs: ['x'] })
      expect(refusal?.reason).toMatch(/draws random numbers/)
    },
  )

  it('are refused in a branch whose condition is not known, and in a Scan', async () => {
    const branch = subgraph({
      inputs: {},
      outputs: ['r'],
      nodes: [node('RandomNormalLike', ['start'], ['r'])],
    })
    const plain = subgraph({ inputs: {}, outputs: ['s'], nodes: [node('Identity', ['start'], ['s'])] })
    const { refusal } = await boundModel(
      {
        inputs: { x: [1, 2], chosen: flag },
        outputs: ['y'],
        initializers: { start: tensor([1, 2], [0.5, 1]) },
        nodes: [
          node('If', ['chosen'], ['z'], { then_branch: plain, else_branch: branch }),
          node('Add', ['x', 'z'], ['y']),
        ],
      },
      { inputs: ['x'] },
    )
    expect(refusal?.reason).toMatch(/draws random numbers/)
  })

  it('change nothing where only constants are carried by a loop without them', async () => {
    const quiet = subgraph({
      inputs: { i: count, on: flag, state: [1, 2] },
      outputs: ['on', 'next', 'seen'],
      nodes: [node('Tanh', ['state'], ['next']), node('Tanh', ['next'], ['seen'])],
    })
    const spec = over('steps')
    const add = node('Add', ['x', 'last'], ['y'])
    const loop = node('Loop', ['steps', 'go', 'start'], ['last', 'all'], { body: quiet }, { name: 'loop' })
    expect(bestOf(await boundModel({ ...spec, nodes: [loop, add] }, { inputs: ['x'] }))).toBe(1)
  })
})
