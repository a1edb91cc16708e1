import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from './bounds.ts'
import type { ModelSpec } from './onnx-builder.ts'

/** A graph, and the constant that its bound may not be below; null where there is no bound. */
export type Expectation = readonly [
  name: string,
  spec: Omit<ModelSpec, 'outputs'>,
  least: number | null,
  most?: number,
]

/** Holds the bound of each graph's output `y` between what is given. */
export function describeExpectations(groups: Readonly<Record<string, readonly Expectation[]>>): void {
  describe.each(Object.keys(groups))('what is to be said of %s', (group) => {
    const expectations = groups[group].map(([name, spec, least, most]) => ({ name, spec, least, most }))
    it.each(expectations)('$name', async ({ spec, least, most = Infinity }) => {
      const bounds = await boundModel({ ...spec, outputs: ['y'] })
      if (least === null) {
        expect(bounds.best.joint.refusal?.reason ?? '').not.toBe('')
        return
      }
      expect(bestOf(bounds)).toBeGreaterThanOrEqual(least)
      expect(bestOf(bounds)).toBeLessThanOrEqual(most)
    })
  })
}
