/** Holds the bound of one operator against closed forms and against secants that onnxruntime measures. */
import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from './bounds.ts'
import { type AttributeValue, type Message, type ModelSpec, model, node, tensor } from './onnx-builder.ts'
import { generator } from './seeded.ts'
import { openNetwork, steepest, steepestSecants } from './slope.ts'

/** One operator with inputs that vary and constants, and what its bound has to be. */
export interface Case {
  readonly name: string
  readonly op: string
  readonly x: readonly number[]
  /** Further data inputs. */
  readonly more?: Readonly<Record<string, readonly number[]>>
  readonly attributes?: Record<string, AttributeValue>
  readonly constants?: Readonly<Record<string, Message>>
  /** Names of all inputs where they are not x, more, constants in this order. */
  readonly inputs?: readonly string[]
  readonly opset?: number
  readonly domain?: string
  /** The constant in closed form, where it is one. */
  readonly exact?: number
  /** Measured over bound at least: how tight the rule has to be. */
  readonly tight?: number
  readonly scale?: number
  readonly center?: number
  readonly flat?: boolean
  readonly range?: readonly [number, number]
}

const random = generator(7)
export const numbers = (dims: readonly number[]) =>
  tensor(
    dims,
    Float32Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, () => 2 * random() - 1),
  )

/** Attributes of several cases. */
export const variants = (list: readonly Record<string, AttributeValue>[]) => list

export const vector = [1, 12]
export const image = [1, 2, 6, 6]

function specOf(one: Case): ModelSpec {
  const { x, more = {}, constants = {} } = one
  const names = one.inputs ?? ['x', ...Object.keys(more), ...Object.keys(constants)]
  return {
    opset: one.opset ?? 21,
    inputs: { x, ...more },
    outputs: { out: { type: 'float32', shape: null } },
    initializers: constants,
    nodes: [
      node(one.op, names, one.op === 'TopK' ? ['out', 'positions'] : ['out'], one.attributes, {
        domain: one.domain ?? '',
      }),
    ],
  }
}

export function describeCases(family: string, cases: readonly Case[]): void {
  describe(`bounds of ${family}`, () => {
    it.each(cases)('$name: no secant is steeper, and the steepest comes near', async (one) => {
      const spec = specOf(one)
      const { range } = one
      const inputs = { x: one.x, ...one.more }
      const inputRanges =
        range && new Map(Object.keys(inputs).map((name) => [name, { lo: range[0], hi: range[1] }]))
      const bound = bestOf(await boundModel(spec, { inputRanges }))
      if (one.exact !== undefined) {
        expect(bound).toBeGreaterThanOrEqual(one.exact * (1 - 1e-7))
        expect(bound).toBeLessThanOrEqual(one.exact * (1 + 1e-5))
      }
      const network = await openNetwork(model(spec), inputs)
      const [center, scale] = [one.center ?? 0, one.scale ?? 1]
      const secants = await steepestSecants(network, { seed: 3, points: 4, center, scale, flat: one.flat })
      await network.release()
      // a range holds for the points that it promises alone
      const reach = range === undefined ? Infinity : Math.min(range[1] - center, center - range[0])
      const inside = secants.filter(
        ({ distance }) => distance / 2 + scale <= reach + 1e-9 || range === undefined,
      )
      expect(bound).toBeLessThan(Infinity)
      expect(steepest(inside)).toBeLessThanOrEqual(bound * (1 + 1e-5) + 1e-6)
      expect(steepest(secants)).toBeGreaterThanOrEqual((one.tight ?? 0) * bound)
    })
  })
}
