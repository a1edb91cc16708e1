/** Holds bounds in ℓ∞ and ℓ1 against the matrix that onnxruntime computes with, or against pairs of points. */
import { describe, expect, it } from 'vitest'
import { boundInNorm } from '../../src/bounds/norm-bounds.ts'
import { usefulMerges } from '../../src/bounds/useful-merges.ts'
import * as mag from '../../src/core/magnitude.ts'
import type { OtherNorm } from '../../src/core/norm-name.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import { inducedNormOf } from '../../src/norms/induced.ts'
import { linearPart, type Matrix } from './linear-part.ts'
import { type Message, type ModelSpec, model, node, writeTemporary } from './onnx-builder.ts'
import { generator, tensorsFrom } from './seeded.ts'
import { type Network, openNetwork } from './slope.ts'

const random = generator(21)
export const numbers = tensorsFrom(random)

export function boundOf(spec: ModelSpec, norm: OtherNorm, range?: readonly [number, number]) {
  const typed = inferModel(readModel(writeTemporary(model(spec), 'norms.onnx')))
  const inputRanges = new Map(
    range && typed.graph.inputs.map(({ name }) => [name, { lo: range[0], hi: range[1] }]),
  )
  const options = { inputs: null, outputs: null, inputRanges }
  const merged = usefulMerges(typed, options)
  const norms = new Map(
    [...layersOf(typed), ...merged].map(({ key, spec }) => [key, inducedNormOf(spec, norm)]),
  )
  const { best } = boundInNorm(typed, norm, (key) => norms.get(key) ?? 'has none', { ...options, merged })
  return {
    value: best.joint.refusal === null ? mag.toNumber(best.joint.lipschitz.value) : Infinity,
    offset: mag.toNumber(best.joint.offset.value),
    refusal: best.joint.refusal,
  }
}

const lengths = {
  linf: (x: ArrayLike<number>) => Array.from(x).reduce((most, value) => Math.max(most, Math.abs(value)), 0),
  l1: (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + Math.abs(value), 0),
} satisfies Record<OtherNorm, unknown>

/** The norm of a matrix [outputs][inputs], by its definition. */
const matrixNorms = {
  linf: (rows: readonly (readonly number[])[]) => Math.max(...rows.map((row) => lengths.l1(row))),
  l1: (rows: readonly (readonly number[])[]) =>
    Math.max(...rows[0].map((_, column) => lengths.l1(rows.map((row) => row[column])))),
} satisfies Record<OtherNorm, unknown>

function toRows({ rows, columns, data }: Matrix): number[][] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from(data.subarray(row * columns, (row + 1) * columns)),
  )
}

export const both = ['linf', 'l1'] as const

export interface Case {
  readonly name: string
  readonly x: readonly number[]
  readonly more?: Readonly<Record<string, readonly number[]>>
  readonly nodes: readonly Message[]
  readonly constants?: ModelSpec['initializers']
  readonly range?: readonly [number, number]
  readonly opset?: number
  /** Bound over norm at most; 1 where the rule is exact. */
  readonly loose?: number
  /** Measured over bound at least. */
  readonly tight?: number
}

export const one = (op: string, inputs: readonly string[], attributes = {}) => [
  node(op, inputs, ['y'], attributes),
]
export const specOf = ({ x, more = {}, nodes, constants, opset = 18 }: Case): ModelSpec => ({
  opset,
  inputs: { x, ...more },
  outputs: { y: { type: 'float32', shape: null } },
  nodes,
  initializers: constants,
})

/** Each a linear map, whose norms are those of its matrix. */
export function describeLinear(title: string, cases: readonly Case[]): void {
  describe(title, () => {
    it.each(cases)('$name', async (each) => {
      const spec = specOf(each)
      const entries = toRows(await linearPart(model(spec), each.x))
      for (const norm of both) {
        const exact = matrixNorms[norm](entries)
        const { value, refusal } = boundOf(spec, norm)
        expect({ norm, refusal }).toMatchObject({ refusal: null })
        expect(value, norm).toBeGreaterThanOrEqual(exact * (1 - 1e-5))
        expect(value, norm).toBeLessThanOrEqual(exact * (each.loose ?? 1) * (1 + 1e-4))
      }
    })
  })
}

export interface Apart {
  readonly distance: number
  readonly change: number
  /** What rounding may have added to the change. */
  readonly noise: number
}

/** Pairs of points of a box, and how far a network drives them apart, in a norm: single elements change, and all of them by as much. */
export async function pairsApart(
  network: Network,
  norm: OtherNorm,
  [lo, hi]: readonly [number, number],
  count: number,
  seed: number,
): Promise<Apart[]> {
  const draw = generator(seed)
  const found: Apart[] = []
  for (let pair = 0; pair < count; pair++) {
    const x = Float32Array.from({ length: network.size }, () => lo + (hi - lo) * draw())
    const step = 10 ** (-2 * draw())
    const single = pair % 2 === 0 ? Math.floor(draw() * network.size) : -1
    const y = x.map((value, i) =>
      single >= 0 && i !== single ? value : Math.min(hi, Math.max(lo, value + (draw() < 0.5 ? -step : step))),
    )
    const [fx, fy] = [await network.run(x), await network.run(y)]
    const distance = lengths[norm](x.map((value, i) => value - y[i]))
    const change = lengths[norm](fx.map((value, i) => value - fy[i]))
    if (distance > 1e-3) found.push({ distance, change, noise: 1e-5 * lengths[norm](fx) })
  }
  return found
}

/** No pair of points is further apart than claimed. */
export function describeCurved(title: string, cases: readonly Case[]): void {
  describe(title, () => {
    it.each(cases)('$name', async (each) => {
      const spec = specOf(each)
      const network = await openNetwork(model(spec), { x: each.x })
      const [lo, hi] = each.range ?? [-3, 3]
      for (const norm of both) {
        const { value, offset, refusal } = boundOf(spec, norm, each.range)
        const pairs = await pairsApart(network, norm, [lo, hi], 250, 5)
        const steepest = Math.max(
          0,
          ...pairs.map(({ distance, change, noise }) => (change - offset - noise) / distance),
        )
        expect({ refusal }).toEqual({ refusal: null })
        expect(steepest, norm).toBeLessThanOrEqual(value * (1 + 1e-4))
        expect(steepest, norm).toBeGreaterThan((each.tight ?? 0.02) * value)
      }
      await network.release()
    })
  })
}
