import { describe, expect, it } from 'vitest'
import { describeModel } from '../../src/audit/model.ts'
import { isOutOfMemory, unlessOutOfMemory } from '../../src/audit/out-of-memory.ts'
import { withoutBounds } from '../../src/bounds/network-bounds.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { modelFile, node, tensor } from '../helpers/onnx-builder.ts'

describe('a step that can be done without', () => {
  it('is left out where it needs more memory than there is', () => {
    const told: string[] = []
    const tell = () => told.push('left out')
    expect(unlessOutOfMemory(() => new Float64Array(2 ** 52), tell)).toBeNull()
    expect(told).toEqual(['left out'])
    expect(unlessOutOfMemory(() => 3, tell)).toBe(3)
    expect(told).toHaveLength(1)
  })

  it('fails all the same for any other reason', () => {
    const step = () => new Array(-1)
    expect(() => unlessOutOfMemory(step, () => {})).toThrow(RangeError)
    expect(isOutOfMemory(new Error('allocation failed'))).toBe(false)
  })
})

describe('a network that there was no time to bound', () => {
  const path = modelFile({
    inputs: { x: [1, 2] },
    outputs: ['y'],
    initializers: { w: tensor([2, 2], [1, 2, 3, 4]) },
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
  })
  const typed = inferModel(readModel(path))
  const report = (unfinished: 'time-limit' | 'interrupted') => {
    const bounds = withoutBounds(typed, { inputs: null, outputs: null }, 'there was no time')
    const proof = { box: new Map(), ball: null, layers: [], measured: [], bounds, unfinished }
    return describeModel(path, typed, proof, {})
  }

  it.each(['time-limit', 'interrupted'] as const)('has no bound, and says why: %s', (reason) => {
    const { lipschitz, findings } = report(reason)
    expect(lipschitz.upper).toMatchObject({ value: null, unbounded: true })
    expect(findings[0]).toMatchObject({ rule: reason, message: 'no certificate: there was no time' })
    expect(findings.map(({ rule }) => rule)).not.toContain('no-audited-input')
  })
})
