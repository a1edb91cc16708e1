import { expect, it } from 'vitest'
import { isObstacle, lowerBound } from '../../../src/bounds/lower/lower-bound.ts'
import { select } from '../../../src/bounds/selection.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'

it('finds a pair of points where the longest derivative stands at kinks, in no direction that there is', () => {
  const typed = inferModel(readModel('fixtures/trained/digits-resnet-folded.onnx'))
  const options = { effort: 'normal', seed: 0, ranges: new Map(), provenOnly: true } as const
  const lower = lowerBound(typed, select(typed, { inputs: null, outputs: null }), options)
  if (isObstacle(lower)) throw new Error(lower.reason)
  expect(lower.certificate).toBe('deterministic')
  // a typical Jacobian has a norm of 13.6, and the constant is at most 345.9
  expect(lower.value).toBeGreaterThan(13)
  expect(lower.value).toBeLessThan(346)
})
