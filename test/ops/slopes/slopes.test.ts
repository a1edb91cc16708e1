import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Attribute, Node } from '../../../src/graph/graph.ts'
import type { LinearContext } from '../../../src/ops/calculus.ts'
import { erf } from '../../../src/ops/numeric/special-functions.ts'
import type { Operator } from '../../../src/ops/operator.ts'
import { findOperator } from '../../../src/ops/registry.ts'
import { slopedOperators, slopesOf } from '../../../src/ops/slopes/slopes.ts'

type Attributes = Readonly<Record<string, number | string>>

function contextOf(
  op: string,
  attributes: Attributes,
  domain: string,
  constants: readonly number[],
): LinearContext {
  const entries = Object.entries(attributes).map(([name, value]): [string, Attribute] => [
    name,
    typeof value === 'string' ? { kind: 'string', value } : { kind: 'float', value },
  ])
  const version = domain === '' ? 22 : 1
  const node = { op, domain, version, attributes: new Map(entries), inputs: [] } as unknown as Node
  const constant = (value: number) => {
    const tensor = { type: 'float64', dims: [1], data: Float64Array.of(value) } as const
    return { shape: [1], isConstant: true, constant: () => tensor, smallConstant: () => tensor }
  }
  return {
    node,
    operator: findOperator(domain, op, version) as Operator,
    inputs: [{ shape: [1], isConstant: false }, ...constants.map(constant)],
    outputs: [{ type: 'float64', shape: [1] }],
    varies: (i: number) => i === 0,
    fail: (message: string) => {
      throw new Error(message)
    },
  } as unknown as LinearContext
}

interface Case {
  readonly op: string
  readonly attributes?: Attributes
  readonly domain?: string
  readonly constants?: readonly number[]
  readonly f: (x: number) => number
  /** Where it is defined. */
  readonly on?: readonly [number, number]
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
const ms = 'com.microsoft'

const cases: readonly Case[] = [
  { op: 'Relu', f: (x) => Math.max(x, 0) },
  { op: 'LeakyRelu', attributes: { alpha: -0.3 }, f: (x) => (x < 0 ? -0.3 * x : x) },
  { op: 'PRelu', constants: [0.2], f: (x) => (x < 0 ? 0.2 * x : x) },
  { op: 'Abs', f: Math.abs },
  { op: 'Clip', constants: [-1, 2.5], f: (x) => Math.min(Math.max(x, -1), 2.5) },
  { op: 'Elu', attributes: { alpha: 1.7 }, f: (x) => (x < 0 ? 1.7 * Math.expm1(x) : x) },
  { op: 'Elu', attributes: { alpha: -0.5 }, f: (x) => (x < 0 ? -0.5 * Math.expm1(x) : x) },
  { op: 'Selu', attributes: { alpha: 1.6, gamma: 1.1 }, f: (x) => 1.1 * (x < 0 ? 1.6 * Math.expm1(x) : x) },
  {
    op: 'Celu',
    attributes: { alpha: 0.4 },
    f: (x) => Math.max(x, 0) + Math.min(0, 0.4 * Math.expm1(x / 0.4)),
  },
  { op: 'Sigmoid', f: sigmoid },
  {
    op: 'HardSigmoid',
    attributes: { alpha: 0.3, beta: 0.6 },
    f: (x) => Math.min(1, Math.max(0, 0.3 * x + 0.6)),
  },
  { op: 'HardSwish', f: (x) => x * Math.min(1, Math.max(0, x / 6 + 0.5)) },
  { op: 'Tanh', f: Math.tanh },
  { op: 'Erf', f: erf },
  { op: 'Softplus', f: softplus },
  { op: 'Softsign', f: (x) => x / (1 + Math.abs(x)) },
  { op: 'Swish', attributes: { alpha: 1.3 }, f: (x) => x * sigmoid(1.3 * x) },
  { op: 'Swish', attributes: { alpha: -2 }, f: (x) => x * sigmoid(-2 * x) },
  { op: 'Gelu', f: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)) },
  {
    op: 'Gelu',
    attributes: { approximate: 'tanh' },
    f: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  },
  { op: 'Gelu', domain: ms, f: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)) },
  { op: 'QuickGelu', domain: ms, f: (x) => x * sigmoid(Math.fround(1.702) * x) },
  { op: 'FastGelu', domain: ms, f: (x) => (x / 2) * (1 + Math.tanh(0.797885 * x + 0.035677 * x ** 3)) },
  {
    op: 'BiasGelu',
    domain: ms,
    constants: [0.7],
    f: (x) => ((x + 0.7) / 2) * (1 + erf((x + 0.7) / Math.SQRT2)),
  },
  { op: 'Mish', f: (x) => x * Math.tanh(softplus(x)) },
  { op: 'Sin', f: Math.sin },
  { op: 'Cos', f: Math.cos },
  { op: 'Atan', f: Math.atan },
  { op: 'Asinh', f: Math.asinh },
  { op: 'ThresholdedRelu', attributes: { alpha: 0 }, f: (x) => Math.max(x, 0) },
  { op: 'Shrink', attributes: { bias: 0.5, lambd: 0.5 }, f: (x) => x - Math.min(Math.max(x, -0.5), 0.5) },
  { op: 'ParametricSoftplus', attributes: { alpha: 0.7, beta: -2 }, f: (x) => 0.7 * softplus(-2 * x) },
  { op: 'ScaledTanh', attributes: { alpha: 1.4, beta: 0.6 }, f: (x) => 1.4 * Math.tanh(0.6 * x) },
  { op: 'Exp', f: Math.exp },
  { op: 'Log', f: Math.log, on: [0.01, 8] },
  { op: 'Sqrt', f: Math.sqrt, on: [0.01, 8] },
  { op: 'Sinh', f: Math.sinh },
  { op: 'Cosh', f: Math.cosh },
  { op: 'Reciprocal', f: (x) => 1 / x, on: [0.05, 8] },
  { op: 'Pow', constants: [2], f: (x) => x * x },
]

const ends = fc
  .tuple(
    fc.double({ min: -8, max: 8, noNaN: true }),
    fc.double({ min: -8, max: 8, noNaN: true }),
    fc.constantFrom(1, 1e-3),
  )
  .map(([a, b, width]) => (width === 1 ? [a, b] : [a, a + width * Math.abs(b)]))
  .map((pair) => pair.toSorted((x, y) => x - y))

describe('slopes of activations', () => {
  it.each(cases)(
    'hold every secant of $op $attributes',
    ({ op, attributes = {}, domain = '', constants = [], f, on }) => {
      const slopes = slopesOf(contextOf(op, attributes, domain, constants))
      expect(slopes).not.toBeNull()
      fc.assert(
        fc.property(
          ends,
          fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4 }),
          (pair, parts) => {
            const [lo, hi] =
              on === undefined
                ? pair
                : pair.map((x) => Math.min(Math.max(Math.abs(x), on[0]), on[1])).toSorted((x, y) => x - y)
            const range = slopes!({ lo, hi })
            const points = [lo, hi, ...parts.map((part) => lo + part * (hi - lo))].map((x) =>
              Math.min(Math.max(x, lo), hi),
            )
            for (const x of points) {
              for (const y of points) {
                if (Math.abs(x - y) < 1e-4) continue
                const secant = (f(x) - f(y)) / (x - y)
                const slack = (1e-15 * (1 + Math.abs(f(x)) + Math.abs(f(y)))) / Math.abs(x - y)
                expect(secant).toBeGreaterThanOrEqual(range.lo - slack)
                expect(secant).toBeLessThanOrEqual(range.hi + slack)
              }
            }
          },
        ),
        { numRuns: 150 },
      )
    },
  )

  it.each(cases)(
    'are attained nearly by $op $attributes',
    ({ op, attributes = {}, domain = '', constants = [], f, on }) => {
      const slopes = slopesOf(contextOf(op, attributes, domain, constants))!
      fc.assert(
        fc.property(ends, (pair) => {
          const [lo, hi] =
            on === undefined
              ? pair
              : pair.map((x) => Math.min(Math.max(Math.abs(x), on[0]), on[1])).toSorted((x, y) => x - y)
          if (hi - lo < 1e-2) return
          const range = slopes({ lo, hi })
          const count = 4000
          let [least, most] = [Infinity, -Infinity]
          for (let i = 0; i < count; i++) {
            const [x, y] = [lo + (i * (hi - lo)) / count, lo + ((i + 1) * (hi - lo)) / count]
            const secant = (f(y) - f(x)) / (y - x)
            least = Math.min(least, secant)
            most = Math.max(most, secant)
          }
          const room = 0.02 * (range.hi - range.lo) + 1e-6
          expect(least - range.lo).toBeLessThanOrEqual(room)
          expect(range.hi - most).toBeLessThanOrEqual(room)
        }),
        { numRuns: 12 },
      )
    },
  )

  it('reach to both ends of the line', () => {
    for (const { op, attributes = {}, domain = '', constants = [], on } of cases) {
      if (on !== undefined || ['Exp', 'Sinh', 'Cosh', 'Pow'].includes(op)) continue
      const { lo, hi } = slopesOf(contextOf(op, attributes, domain, constants))!({
        lo: -Infinity,
        hi: Infinity,
      })
      expect(Number.isFinite(lo) && Number.isFinite(hi) && lo < hi, op).toBe(true)
    }
  })

  it('have the known constants on the whole line', () => {
    const whole = (op: string, attributes: Attributes = {}) =>
      slopesOf(contextOf(op, attributes, '', []))!({ lo: -Infinity, hi: Infinity })
    expect(whole('Gelu').hi).toBeCloseTo(1.128904145185, 9)
    expect(whole('Gelu').lo).toBeCloseTo(-0.128904145185, 9)
    expect(whole('Gelu', { approximate: 'tanh' }).hi).toBeCloseTo(1.128993068659, 9)
    expect(whole('Swish').hi).toBeCloseTo(1.099839320129, 9)
    expect(whole('Mish').lo).toBeCloseTo(-0.112526122389, 9)
    expect(whole('Mish').hi).toBeCloseTo(1.088498161252, 9)
    expect(whole('HardSwish').lo).toBeCloseTo(-0.5, 9)
    expect(whole('HardSwish').hi).toBeCloseTo(1.5, 9)
    expect(whole('Sigmoid')).toMatchObject({ lo: 0 })
    expect(whole('Relu')).toEqual({ lo: 0, hi: 1 })
  })

  it('are not there where they would be wrong', () => {
    const refused = (op: string, attributes: Attributes, constants: readonly number[] = []) =>
      slopesOf(contextOf(op, attributes, '', constants))
    expect(refused('ThresholdedRelu', { alpha: 1 })).toBeNull()
    expect(refused('Shrink', { bias: 0, lambd: 0.5 })).toBeNull()
    expect(refused('Celu', { alpha: -1 })).toBeNull()
    expect(refused('Clip', {}, [2, 1])).toBeNull()
    expect(refused('Pow', {}, [3])).toBeNull()
    expect(refused('Sqrt', {})!({ lo: 0, hi: 1 })).toEqual({ lo: -Infinity, hi: Infinity })
  })

  it('belong to operators that there are', () => {
    for (const [names, domain, version] of [
      [slopedOperators[0], '', 28],
      [slopedOperators[1], ms, 1],
    ] as const) {
      for (const op of names)
        expect(
          [version, 1].some((v) => findOperator(domain, op, v) !== null),
          op,
        ).toBe(true)
    }
  })
})

describe('ranges that are none', () => {
  it('have slopes of all sizes', () => {
    const slopes = slopesOf(contextOf('Relu', {}, '', []))
    expect(slopes?.({ lo: Number.NaN, hi: 1 })).toEqual({ lo: -Infinity, hi: Infinity })
    expect(slopes?.({ lo: -1, hi: 1 })).toEqual({ lo: 0, hi: 1 })
  })
})
