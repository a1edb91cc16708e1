import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../../helpers/bounds.ts'
import { float, type Message, node, scalar } from '../../helpers/onnx-builder.ts'

/** Holds the parametric constants against derivatives of the functions themselves, for any constants. */

const logistic = (t: number) => 1 / (1 + Math.exp(-t))
const clip = (t: number, lo: number, hi: number) => Math.min(Math.max(t, lo), hi)

/** erf to 1e-7: by its series near 0, which cancels further out, and by the asymptotic one there. */
function erf(t: number): number {
  if (Math.abs(t) > 3) {
    const tail = Math.exp(-t * t) / (Math.abs(t) * Math.sqrt(Math.PI))
    return Math.sign(t) * (1 - tail * (1 - 1 / (2 * t * t) + 3 / (4 * t ** 4)))
  }
  let [sum, term] = [0, t]
  for (let n = 1; Math.abs(term) > 1e-18; n++) {
    sum += term / (2 * n - 1)
    term *= (-t * t) / n
  }
  return (2 * sum) / Math.sqrt(Math.PI)
}

/** Gates with the nodes that compute them from 't' into 'g'. */
const gates: Readonly<Record<string, { g: (t: number) => number; nodes: readonly Message[] }>> = {
  sigmoid: { g: logistic, nodes: [node('Sigmoid', ['t'], ['g'])] },
  erf: { g: erf, nodes: [node('Erf', ['t'], ['g'])] },
  tanh: { g: Math.tanh, nodes: [node('Tanh', ['t'], ['g'])] },
  clip: { g: (t) => clip(t, -1, 4), nodes: [node('Clip', ['t', '-1', '4'], ['g'])] },
  hardSigmoid: {
    g: (t) => clip(0.7 * t + 0.1, 0, 1),
    nodes: [node('HardSigmoid', ['t'], ['g'], { alpha: float(0.7), beta: float(0.1) })],
  },
  cubic: {
    g: (t) => Math.tanh(t + 0.3 * t ** 3),
    nodes: [
      node('Pow', ['t', '3'], ['cube']),
      node('Mul', ['cube', '0.3'], ['part']),
      node('Add', ['t', 'part'], ['w']),
      node('Tanh', ['w'], ['g']),
    ],
  },
}

/** The largest |f′| on a grid that is fine where the gate moves. */
function largestSlope(f: (x: number) => number, center: number, width: number): number {
  let largest = 0
  const h = width * 1e-4
  for (let i = -4000; i <= 4000; i++) {
    const x = center + (width * i) / 500
    largest = Math.max(largest, Math.abs(f(x + h) - f(x - h)) / (2 * h))
  }
  return largest
}

const constants = (names: Record<string, number>) =>
  Object.fromEntries(Object.entries(names).map(([name, value]) => [name, scalar(value)]))

const coefficient = fc
  .double({ min: -3, max: 3, noNaN: true })
  .map(Math.fround)
  .filter((x) => Math.abs(x) > 0.05)

describe('the constants of gated products', () => {
  it.each(Object.keys(gates))('hold for %s with any coefficients, and are nearly attained', async (name) => {
    const { g, nodes } = gates[name]
    const shift = name === 'cubic' ? fc.constant(0) : coefficient
    await fc.assert(
      fc.asyncProperty(
        coefficient,
        shift,
        coefficient,
        coefficient,
        coefficient,
        shift,
        async (p, q, a, b, c, d) => {
          const bound = bestOf(
            await boundModel({
              opset: 17,
              inputs: { x: [1, 4] },
              outputs: { y: [1, 4] },
              initializers: constants({ p, q, a, b, c, d, '-1': -1, '4': 4, '3': 3, '0.3': 0.3 }),
              nodes: [
                node('Mul', ['x', 'p'], ['px']),
                node('Add', ['q', 'px'], ['factor']),
                node('Mul', ['c', 'x'], ['cx']),
                node('Add', ['cx', 'd'], ['t']),
                ...nodes,
                node('Mul', ['g', 'a'], ['ag']),
                node('Add', ['ag', 'b'], ['gate']),
                node('Mul', ['factor', 'gate'], ['y']),
              ],
            }),
          )
          const f = (x: number) => (p * x + q) * (a * g(c * x + d) + b)
          const found = largestSlope(f, -d / c, 1 / Math.abs(c))
          expect(bound).toBeGreaterThanOrEqual(found * (1 - 1e-4))
          // exact but for a shift between factor and gate, which is bounded apart
          const apart = Math.abs(d - (c * q) / p)
          const loose = name === 'clip' || name === 'hardSigmoid' ? 0 : apart
          expect(bound).toBeLessThanOrEqual(found * 1.05 + 2.5 * Math.abs(p * a) * loose)
        },
      ),
      { numRuns: 40, seed: 3, endOnFailure: true },
    )
  })
})
