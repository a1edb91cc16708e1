import { describe, expect, it } from 'vitest'
import { encloseAt } from '../../../src/calculus/motion/enclosure.ts'
import { exactMotion, type Motion } from '../../../src/calculus/motion/motion.ts'
import { summedMotion } from '../../../src/calculus/motion/product-motion.ts'
import { createNetwork, type Network } from '../../../src/calculus/network.ts'
import { traceAt } from '../../../src/calculus/trace.ts'
import { LipschitzError } from '../../../src/core/errors.ts'
import { createRandom, gaussianVector } from '../../../src/core/random.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { conformanceCases, conformanceDataExists } from '../../helpers/conformance.ts'
import { model, node, tensor, writeTemporary } from '../../helpers/onnx-builder.ts'
import { order, plus, type Rational, rational, times } from '../../helpers/rational.ts'
import { randomGraph } from '../../helpers/soundness/random-graph.ts'

function networkOf(bytes: Uint8Array): Network {
  const typed = inferModel(readModel(writeTemporary(bytes)))
  const { inputs, outputs } = typed.graph
  return createNetwork(typed, inputs, outputs)
}

/** Null where a node is refused. */
function enclosed(network: Network, x: readonly Float64Array[], y: readonly Float64Array[]) {
  try {
    return encloseAt(network, x, y)
  } catch (error) {
    if (error instanceof LipschitzError) return null
    throw error
  }
}

const near = (x: readonly Float64Array[], step: number, seed: number) => {
  const random = createRandom(seed)
  return x.map((part) => {
    const direction = gaussianVector(part.length, random)
    return part.map((value, i) => value + step * direction[i])
  })
}

/** What float64 makes of the two points is within the enclosures, up to what float64 itself loses. */
function expectAround(name: string, motions: readonly Motion[], network: Network, points: Float64Array[][]) {
  const [at, later] = points.map((point) => traceAt(network, point))
  motions.forEach(({ value, doubt, change, blur }, i) => {
    const [a, b] = [at.outputs[i].data, later.outputs[i].data]
    expect(a.length, name).toBe(value.length)
    for (let k = 0; k < value.length; k++) {
      const lost = 1e-13 + 1e-11 * Math.abs(value[k]) + 2 * doubt[k]
      expect(Math.abs(a[k] - value[k]), `${name} value ${k}`).toBeLessThanOrEqual(lost)
      const moved = Math.abs(b[k] - a[k] - (change?.[k] ?? 0))
      expect(moved, `${name} change ${k}`).toBeLessThanOrEqual((blur?.[k] ?? 0) + 2 * lost)
    }
  })
}

describe('enclosures at two points', () => {
  it('hold what exact arithmetic makes of a network of relus', () => {
    const random = createRandom(5)
    const draw = (...dims: number[]) =>
      Float32Array.from(
        gaussianVector(
          dims.reduce((a, b) => a * b),
          random,
        ),
      )
    const [w1, b1, w2] = [draw(7, 5), draw(7), draw(3, 7)]
    const network = networkOf(
      model({
        inputs: { x: [1, 5] },
        outputs: { y: { type: 'float32', shape: null } },
        initializers: { w1: tensor([7, 5], w1), b1: tensor([7], b1), w2: tensor([3, 7], w2) },
        nodes: [
          node('Gemm', ['x', 'w1', 'b1'], ['z'], { transB: 1 }),
          node('Relu', ['z'], ['a']),
          node('Gemm', ['a', 'w2'], ['r'], { transB: 1 }),
          node('Mul', ['r', 'r'], ['y']),
        ],
      }),
    )
    const zero = rational(0)
    const sum = (terms: readonly Rational[]) => terms.reduce(plus)
    const exactly = (x: Float64Array): Rational[] => {
      const hidden = Array.from({ length: 7 }, (_, i) => {
        const z = sum([
          ...Array.from(x, (value, j) => times(rational(value), rational(w1[5 * i + j]))),
          rational(b1[i]),
        ])
        return order(z, zero) > 0 ? z : zero
      })
      return Array.from({ length: 3 }, (_, i) => {
        const r = sum(hidden.map((value, j) => times(value, rational(w2[7 * i + j]))))
        return times(r, r)
      })
    }
    const minus = (a: Rational, b: Rational) => plus(a, times(rational(-1), b))
    for (const step of [1, 1e-3, 1e-9, 1e-14]) {
      const x = gaussianVector(5, random)
      const [y] = near([x], step, 3)
      const [{ value, doubt, change, blur }] = encloseAt(network, [x], [y])
      const [fx, fy] = [exactly(x), exactly(y)]
      for (let k = 0; k < 3; k++) {
        const within = (centre: number, error: number, exact: Rational) => {
          const away = minus(exact, rational(centre))
          expect(order(away, rational(error))).toBeLessThanOrEqual(0)
          expect(order(away, rational(-error))).toBeGreaterThanOrEqual(0)
        }
        within(value[k], doubt[k], fx[k])
        within(change![k], blur![k], minus(fy[k], fx[k]))
      }
    }
  })

  it('are sharp where points are near: differences are not taken of values', () => {
    const network = networkOf(
      model({
        inputs: { x: [1, 4] },
        outputs: { y: { type: 'float32', shape: null } },
        initializers: { w: tensor([4, 4], Float32Array.from(gaussianVector(16, createRandom(2)))) },
        nodes: [node('MatMul', ['x', 'w'], ['z']), node('Tanh', ['z'], ['t']), node('Softmax', ['t'], ['y'])],
      }),
    )
    const x = [Float64Array.of(1, -2, 0.5, 3)]
    const [{ change, blur }] = encloseAt(network, x, near(x, 1e-9, 1))
    const length = (v: Float64Array) => Math.hypot(...v)
    expect(length(blur!)).toBeLessThan(1e-6 * length(change!))
  })

  it('refuse what is decided by elements that are not exact', () => {
    const network = networkOf(
      model({
        inputs: { x: [1, 4] },
        outputs: { y: { type: 'float32', shape: null } },
        initializers: { zero: tensor([1], Float32Array.of(0)) },
        nodes: [
          node('Softplus', ['x'], ['s']),
          node('Greater', ['s', 'zero'], ['c']),
          { ...node('Where', ['c', 's', 'x'], ['y']), name: 'chosen' },
        ],
      }),
    )
    expect(() => encloseAt(network, [new Float64Array(4)])).toThrow(/not enclosed|not known/)
  })

  it('hold values and differences of random graphs', () => {
    let count = 0
    for (let seed = 0; seed < 150; seed++) {
      const graph = randomGraph(31_000 + seed)
      if (graph === null) continue
      const network = networkOf(model(graph.spec))
      const random = createRandom(seed)
      const x = network.inputs.map((input) => {
        const shape = network.typed.operand(input).shape as number[]
        return gaussianVector(
          shape.reduce((a, b) => a * b, 1),
          random,
        )
      })
      const y = near(x, 10 ** (-1 - (seed % 9)), seed)
      const motions = enclosed(network, x, y)
      if (motions === null) continue
      count++
      expectAround(graph.description, motions, network, [x, y])
    }
    expect(count).toBeGreaterThan(40)
  })
})

describe.skipIf(!conformanceDataExists)('enclosures of the conformance models', () => {
  it('hold values and differences of most operators', () => {
    const seen = new Map<string, number>()
    for (const { name, operators: own, withOneInput } of conformanceCases()) {
      // two models of each operator are enough
      if (own.every((op) => (seen.get(op) ?? 0) >= 2)) continue
      const one = withOneInput()
      if (one === null) continue
      const network = (() => {
        try {
          const typed = inferModel(readModel(one.path))
          const { inputs, outputs } = typed.graph
          const floats = outputs.filter(
            (output) => typed.operand(output).type === 'float32' && output.producer,
          )
          return floats.length === 0 ? null : createNetwork(typed, inputs, floats)
        } catch (error) {
          if (error instanceof LipschitzError) return null
          throw error
        }
      })()
      if (network === null) continue
      const x = [Float64Array.from(one.value)]
      for (const step of [1e-3, 1e-8]) {
        const y = near(x, step, 7)
        const motions = enclosed(network, x, y)
        if (motions === null) continue
        for (const op of own) seen.set(op, (seen.get(op) ?? 0) + 0.5)
        expectAround(name, motions, network, [x, y])
      }
    }
    const expected =
      'Conv ConvTranspose MatMul Gemm Add Mul Div Sub Relu Sigmoid Tanh Softmax LayerNormalization MaxPool AveragePool ' +
      'LSTM GRU RNN BatchNormalization Concat Max Min ReduceMax ReduceMean Clip LRN Transpose Slice Pad'
    for (const op of expected.split(' ')) expect([...seen.keys()], op).toContain(op)
  })

  it('count the roundings of offsets that cancel, and give no bound of sums that overflow', () => {
    const network = networkOf(
      model({
        inputs: { x: [1, 2] },
        outputs: { y: { type: 'float32', shape: [1, 2] } },
        initializers: { a: tensor([1, 2], [3, -3]), b: tensor([2, 2], [0.1, 0.2, 0.1, 0.2]) },
        nodes: [node('Gemm', ['a', 'b', 'x'], ['y'])],
      }),
    )
    const [x, y] = [[Float64Array.of(1, 2)], [Float64Array.of(1, 3)]]
    // the products of 0.3 and 0.6 cancel, each rounded
    const [{ doubt }] = encloseAt(network, x, y)
    expect(Math.min(...doubt)).toBeGreaterThan(1e-16)
    const huge = exactMotion({ dims: [2], data: Float64Array.of(1.5e308, -Infinity) })
    expect([...summedMotion(huge, huge, 1).doubt]).toEqual([Infinity, 0])
  })
})
