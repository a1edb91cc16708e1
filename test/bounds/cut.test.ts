import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { bestOf, boundModel } from '../helpers/bounds.ts'
import { int64s, type ModelSpec, model, node, tensor, writeTemporary } from '../helpers/onnx-builder.ts'

const table = tensor([3, 2], [1, -2, 0.5, 4, 0, 0])
/** Norm 5. */
const weights = tensor([2, 2], [3, 0, 0, 5])
const ids = { type: 'int64', shape: [1, 4] } as const

/** Rows of two tables, added and multiplied with a matrix. */
const twoTables: ModelSpec = {
  inputs: { words: ids, kinds: ids },
  outputs: { y: { type: 'float32', shape: null } },
  initializers: { table, weights },
  nodes: [
    node('Gather', ['table', 'words'], ['a']),
    node('Gather', ['table', 'kinds'], ['b']),
    node('Add', ['a', 'b'], ['sum']),
    node('MatMul', ['sum', 'weights'], ['y']),
  ],
}

describe('networks of integers', () => {
  it('are bounded from the rows of their tables on, several tables as independent inputs', async () => {
    expect(bestOf(await boundModel(twoTables))).toBeCloseTo(5 * Math.SQRT2, 6)
  })

  it('are bounded from one-hot vectors on where there is no table', async () => {
    const oneHot: ModelSpec = {
      inputs: { words: ids },
      outputs: { y: { type: 'float32', shape: null } },
      initializers: { codes: int64s([0, 1]), weights },
      nodes: [
        node('Unsqueeze', ['words', 'axis'], ['column']),
        node('Equal', ['column', 'codes'], ['hits']),
        node('Cast', ['hits'], ['vectors'], { to: 1 }),
        node('MatMul', ['vectors', 'weights'], ['y']),
      ],
    }
    const spec = { ...oneHot, initializers: { ...oneHot.initializers, axis: int64s([2]) } }
    expect(bestOf(await boundModel(spec))).toBeCloseTo(5, 6)
  })

  it('are not cut where there is a floating-point input', async () => {
    const spec = {
      ...twoTables,
      inputs: { ...twoTables.inputs, x: [1, 4, 2] },
      nodes: [...(twoTables.nodes ?? []).slice(0, 3), node('Mul', ['sum', 'x'], ['y'])],
    }
    const { selected } = await boundModel(spec)
    expect(selected.inputs.map((input) => input.name)).toEqual(['x'])
    expect(selected.cuts).toEqual([])
  })

  it('say in the report where they are cut, and in which range', async () => {
    const { models } = await audit(writeTemporary(model(twoTables)), { threads: 1 })
    const [{ domain, findings, lipschitz, inputs }] = models
    expect(lipschitz.upper.value).toBeCloseTo(5 * Math.SQRT2, 6)
    expect(domain.ranges).toEqual([
      { input: 'a', lo: -2, hi: 4 },
      { input: 'b', lo: -2, hi: 4 },
    ])
    expect(inputs.map((input) => input.audited)).toEqual([false, false])
    const cuts = findings.filter((finding) => finding.rule === 'cut-at-embedding')
    expect(cuts.map((finding) => finding.node)).toEqual(['a', 'b'])
  })

  it('take a range for what they are cut at', async () => {
    const ranges = [{ input: 'a', lo: 0, hi: 1 }]
    const { models } = await audit(writeTemporary(model(twoTables)), { threads: 1, inputRanges: ranges })
    expect(models[0].domain.ranges).toContainEqual(ranges[0])
  })
})
