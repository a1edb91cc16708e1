import { describe, expect, it } from 'vitest'
import { findOperator, operatorTable } from '../../src/ops/registry.ts'

describe('the registry', () => {
  const table = operatorTable()
  const identity = ({ domain, op, since }: (typeof table)[number]) => `${domain ?? ''}:${op}@${since ?? 1}`

  it('declares every operator once per version', () => {
    const seen = table.map(identity)
    expect(seen.filter((one, i) => seen.indexOf(one) !== i)).toEqual([])
  })

  it('finds for each declaration the one of its own version', () => {
    for (const operator of table) {
      expect(findOperator(operator.domain ?? '', operator.op, operator.since ?? 1), identity(operator)).toBe(
        operator,
      )
    }
  })

  it('takes the newest declaration that is not newer than the model', () => {
    expect(findOperator('', 'Slice', 9)?.since ?? 1).toBe(1)
    expect(findOperator('', 'Slice', 10)?.since).toBe(10)
    expect(findOperator('', 'Slice', 22)).toBe(findOperator('', 'Slice', 10))
  })

  it('reads ai.onnx as the empty domain', () => {
    expect(findOperator('ai.onnx', 'Relu', 13)).toBe(findOperator('', 'Relu', 13))
  })

  it('knows no operator before it existed, after it was removed, or of another domain', () => {
    expect(findOperator('', 'Trilu', 13)).toBeNull()
    expect(findOperator('', 'Upsample', 9)).not.toBeNull()
    expect(findOperator('', 'Upsample', 10)).toBeNull()
    expect(findOperator('', 'Scatter', 11)).toBeNull()
    expect(findOperator('com.example', 'Relu', 1)).toBeNull()
    expect(findOperator('', '__proto__', 13)).toBeNull()
  })

  it('knows the 203 operators of the standard at opset 28', () => {
    const standard = new Set(table.filter(({ domain }) => domain === undefined).map(({ op }) => op))
    const beyond = ['Affine', 'Crop', 'ImageScaler', 'ParametricSoftplus', 'Scale', 'ScaledTanh']
    for (const op of [...beyond, 'SimplifiedLayerNormalization']) standard.delete(op)
    expect(standard.size).toBe(203)
  })
})
