import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bandOf } from '../../../src/bounds/slope/band.ts'
import { linearContext } from '../../../src/calculus/node-context.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { slopesOf } from '../../../src/ops/slopes/slopes.ts'
import { type AttributeValue, model, node, writeTemporary } from '../../helpers/onnx-builder.ts'

function slopes(op: string, attributes: Record<string, AttributeValue> = {}) {
  const nodes = [node(op, ['x'], ['y'], attributes)]
  const typed = inferModel(
    readModel(writeTemporary(model({ opset: 20, inputs: { x: [1] }, outputs: ['y'], nodes }), 'node.onnx')),
  )
  return slopesOf(linearContext(typed, typed.graph.nodes[0], () => true)!)!
}

const functions: Readonly<Record<string, (x: number) => number>> = {
  Relu: (x) => Math.max(0, x),
  Abs: Math.abs,
  Tanh: Math.tanh,
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Softplus: (x) => Math.log1p(Math.exp(x)),
  Mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  HardSwish: (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  Sin: Math.sin,
  Exp: Math.exp,
}

const ends = fc.double({ min: -6, max: 6, noNaN: true })

describe('bands around graphs', () => {
  it.each(Object.keys(functions))('hold %s between any two points', (op) => {
    const [f, secants] = [functions[op], slopes(op)]
    fc.assert(
      fc.property(fc.array(ends, { minLength: 3, maxLength: 3 }), fc.nat(1000), (some, width) => {
        const [l, middle, u] = some.toSorted((a, b) => a - b)
        const at = { lo: middle, hi: Math.min(u, middle + width * 1e-6) }
        const { slope, lo, hi } = bandOf(secants, { lo: l, hi: u }, at)!
        for (let i = 0; i <= 40; i++) {
          const z = l + ((u - l) * i) / 40
          for (const c of [at.lo, at.hi]) {
            const off = f(z) - f(c) - slope * (z - c)
            expect(off).toBeGreaterThanOrEqual(lo - 1e-12)
            expect(off).toBeLessThanOrEqual(hi + 1e-12)
          }
        }
      }),
    )
  })

  it('are as high as linear relaxation makes them for ReLU', () => {
    const secants = slopes('Relu')
    fc.assert(
      fc.property(ends, ends, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, part) => {
        const [l, u] = [-Math.abs(a), Math.abs(b)]
        fc.pre(u - l > 1e-3)
        const c = l + part * (u - l)
        const { lo, hi } = bandOf(secants, { lo: l, hi: u }, { lo: c, hi: c })!
        expect(hi - lo).toBeCloseTo((-l * u) / (u - l), 9)
      }),
    )
  })

  it('are lines where the function is one', () => {
    expect(bandOf(slopes('Relu'), { lo: 1, hi: 5 }, { lo: 2, hi: 2 })).toMatchObject({ slope: 1 })
    const { lo, hi } = bandOf(slopes('LeakyRelu', { alpha: 0.25 }), { lo: -4, hi: -1 }, { lo: -2, hi: -2 })!
    expect(hi - lo).toBeLessThan(1e-12)
  })

  it('are none where secants have no bound', () => {
    expect(bandOf(slopes('Log'), { lo: -1, hi: 2 }, { lo: 1, hi: 1 })).toBeNull()
  })
})
