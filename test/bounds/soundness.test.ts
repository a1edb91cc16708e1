import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { judgeModel } from '../helpers/soundness/soundness.ts'

const fixture = (name: string) => resolve(import.meta.dirname, '../../fixtures', name)

describe('bounds of whole networks', () => {
  it.each([
    'trained/digits-mlp.onnx',
    'trained/digits-resnet.onnx',
    'trained/digits-spectral.onnx',
    'formats/near-int8-channel.onnx',
  ])('no pair of points is driven further apart than claimed by %s', async (name) => {
    const { verdicts, skipped } = await judgeModel(fixture(name), { runs: 400 })
    expect(skipped).toBeNull()
    for (const verdict of verdicts) {
      expect(verdict.measured).toBeGreaterThan(0)
      expect(verdict).toMatchObject({ holds: true, refusal: null })
    }
  })
})
