import { Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../../helpers/bounds.ts'
import { float, type ModelSpec, model, node, tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases, numbers } from '../../helpers/rule-cases.ts'
import { openNetwork, steepest, steepestSecants } from '../../helpers/slope.ts'

const hidden = 3
const features = 2

/** A recurrence over `steps` steps with random weights; states are inputs where `states` says so. */
function cell(
  op: string,
  gates: number,
  steps: number,
  more: Partial<Case> & { states?: boolean } = {},
): Case {
  const directions = more.attributes?.direction === 'bidirectional' ? 2 : 1
  const { states = false, constants = {}, attributes = {}, ...rest } = more
  const names = states ? (op === 'LSTM' ? ['h', 'c'] : ['h']) : []
  return {
    name: `${op} over ${steps} steps ${JSON.stringify({ ...attributes, states })}`,
    op,
    x: [steps, 1, features],
    more: Object.fromEntries(names.map((name) => [name, [directions, 1, hidden]])),
    constants: {
      W: numbers([directions, gates * hidden, features]),
      R: numbers([directions, gates * hidden, hidden]),
      B: numbers([directions, 2 * gates * hidden]),
      ...constants,
    },
    inputs: ['x', 'W', 'R', 'B', '', ...names],
    attributes: { hidden_size: hidden, ...attributes },
    opset: 14,
    tight: 0.001,
    ...(states ? { range: [-1, 1] as const, scale: 0.9 } : {}),
    ...rest,
  }
}

describeCases('recurrences', [
  cell('RNN', 1, 4),
  cell('RNN', 1, 3, { attributes: { direction: 'bidirectional' }, states: true }),
  cell('GRU', 3, 1),
  cell('GRU', 3, 4),
  cell('GRU', 3, 4, { attributes: { linear_before_reset: 1, direction: 'reverse' } }),
  cell('GRU', 3, 2, { states: true }),
  cell('LSTM', 4, 1),
  cell('LSTM', 4, 4),
  cell('LSTM', 4, 3, { attributes: { direction: 'bidirectional' } }),
  cell('LSTM', 4, 2, { states: true }),
  cell('LSTM', 4, 3, { attributes: { input_forget: 1 } }),
  cell('LSTM', 4, 3, { attributes: { input_forget: 1, direction: 'bidirectional' }, states: true }),
  cell('LSTM', 4, 2, {
    attributes: { input_forget: 1 },
    constants: { P: numbers([1, 3 * hidden]) },
    inputs: ['x', 'W', 'R', 'B', '', '', '', 'P'],
  }),
  cell('LSTM', 4, 3, {
    constants: { P: numbers([1, 3 * hidden]) },
    inputs: ['x', 'W', 'R', 'B', '', '', '', 'P'],
  }),
])

describe('recurrences', () => {
  const spec = (steps: number | string, attributes = {}) => ({
    opset: 14,
    inputs: { x: typeof steps === 'number' ? [steps, 1, 1] : [1, steps, 1], c: [1, 1, 1] },
    outputs: ['y'],
    initializers: { W: tensor([1, 4, 1], [0, 0, 0, 2]), R: tensor([1, 4, 1], [0, 0, 0, 0]) },
    nodes: [
      node('LSTM', ['x', 'W', 'R', '', '', '', ...('state' in attributes ? ['c'] : [])], ['', 'y'], {
        hidden_size: 1,
        ...attributes,
      }),
    ],
  })

  it('come to the slope of the candidate where gates do not depend on the input', async () => {
    // both gates are ½: the slope of ½·tanh(½·tanh(2x)) at 0
    expect(bestOf(await boundModel(spec(1), { inputs: ['x'] }))).toBeCloseTo(0.5, 6)
  })

  it('share the elasticity of the bound among their matrices', async () => {
    const { elasticities } = await boundModel(spec(1), { inputs: ['x'] })
    expect(elasticities?.get('y:W.c')).toBeCloseTo(1, 4)
    expect(elasticities?.get('y:W.f') ?? 0).toBe(0)
  })

  it('are tighter where the range of the data keeps gates from opening', async () => {
    const open = {
      opset: 14,
      inputs: { x: [4, 1, 2] },
      outputs: ['y'],
      initializers: {
        W: numbers([1, 12, 2]),
        R: numbers([1, 12, 3]),
        B: tensor([1, 24], new Float32Array(24).fill(-0.75)),
      },
      nodes: [node('LSTM', ['x', 'W', 'R', 'B'], ['y'], { hidden_size: 3 })],
    }
    const anywhere = bestOf(await boundModel(open))
    const within = bestOf(await boundModel(open, { inputRanges: new Map([['x', { lo: -0.5, hi: 0.5 }]]) }))
    expect(within).toBeLessThan(anywhere / 4)
    const network = await openNetwork(model(open), { x: [4, 1, 2] })
    const secants = await steepestSecants(network, { seed: 3, points: 6, scale: 0.4 })
    await network.release()
    const inside = secants.filter(({ distance }) => distance < 0.2)
    expect(steepest(inside)).toBeLessThanOrEqual(within)
    expect(steepest(inside)).toBeGreaterThan(within / 20)
  })

  it('hold for sequences of any length where lengths are inputs', async () => {
    const weights = { W: numbers([1, 4, 2]), R: numbers([1, 4, 4]) }
    const plain = {
      opset: 14,
      inputs: { x: [3, 1, 2] },
      outputs: { y: { type: 'float32', shape: null }, last: { type: 'float32', shape: null } } as const,
      initializers: weights,
      nodes: [node('RNN', ['x', 'W', 'R'], ['y', 'last'], { hidden_size: 4, activations: ['Relu'] })],
    }
    const whole = bestOf(await boundModel(plain))
    const lengths = { ...plain, inputs: { x: [3, 1, 2], n: { type: 'int32', shape: [1] } } } as ModelSpec
    const cut = {
      ...lengths,
      nodes: [
        node('RNN', ['x', 'W', 'R', '', 'n'], ['y', 'last'], { hidden_size: 4, activations: ['Relu'] }),
      ],
    }
    const bound = bestOf(await boundModel(cut, { inputs: ['x'] }))
    expect(bound).toBeGreaterThanOrEqual(whole * (1 - 1e-9))
    for (const length of [1, 2, 3]) {
      const fixed = { n: new Tensor('int32', Int32Array.of(length), [1]) }
      const network = await openNetwork(model(cut), { x: [3, 1, 2] }, { fixed })
      const secants = await steepestSecants(network, { seed: length, points: 4 })
      await network.release()
      expect(steepest(secants)).toBeLessThanOrEqual(bound)
    }
  })

  it('forget over any number of steps where their weights are small', async () => {
    const free = (again: number, steps: number | string): ModelSpec => ({
      opset: 14,
      inputs: { x: { type: 'float32', shape: [1, steps, 2] } },
      outputs: { y: { type: 'float32', shape: null } },
      initializers: { W: tensor([1, 2, 2], [2, 0, 0, 1]), R: tensor([1, 2, 2], [again, 0, 0, again / 2]) },
      nodes: [node('RNN', ['x', 'W', 'R'], ['y'], { hidden_size: 2, activations: ['Relu'], layout: 1 })],
    })
    const bound = bestOf(await boundModel(free(0.75, 'steps')))
    expect(bound).toBeCloseTo(2 / (1 - 0.75), 6)
    // the longer the sequence the nearer
    const unrolled = bestOf(await boundModel(free(0.75, 40)))
    expect(unrolled).toBeLessThanOrEqual(bound)
    expect(unrolled).toBeGreaterThan(0.9 * bound)
    expect(bestOf(await boundModel(free(1, 'steps')))).toBe(Infinity)
  })

  it('count gates where clipping has moved their arguments to', async () => {
    const [units, open] = [2, 10]
    const biases = Float32Array.from({ length: 6 * units }, (_, i) => (i < units ? open : 0))
    const clipped: ModelSpec = {
      opset: 14,
      inputs: { x: [1, 1, units] },
      outputs: { h: { type: 'float32', shape: null } },
      initializers: {
        W: tensor([1, 3 * units, units], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1]),
        R: tensor([1, 3 * units, units], new Float32Array(6 * units)),
        B: tensor([1, 6 * units], biases),
      },
      // z = σ(1) and not σ(10): nearly all of the candidate would be held back
      nodes: [node('GRU', ['x', 'W', 'R', 'B'], ['', 'h'], { hidden_size: units, clip: float(1) })],
    }
    const bound = bestOf(await boundModel(clipped, { inputRanges: new Map([['x', { lo: -1, hi: 1 }]]) }))
    const network = await openNetwork(model(clipped), { x: [1, 1, units] })
    const secants = await steepestSecants(network, { seed: 3, points: 4, scale: 0.3 })
    await network.release()
    expect(steepest(secants)).toBeGreaterThan(0.25)
    expect(bound).toBeGreaterThanOrEqual(steepest(secants))
  })

  it.each([
    ['a number of steps that is not known', spec('steps', { layout: 1 }), /not known/],
    ['other activations', spec(2, { activations: ['Sigmoid', 'Tanh', 'Relu'] }), /activations/],
  ])('have no bound with %s', async (_, model, reason) => {
    const { refusal } = await boundModel(model, { inputs: ['x'] })
    expect(refusal?.reason).toMatch(reason)
  })
})
