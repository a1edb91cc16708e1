import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { coverage, coverageMarkdown } from '../../src/ops/coverage.ts'

describe('the table of operators', () => {
  const rows = coverage()
  const find = (op: string, domain = '') => rows.find((row) => row.op === op && row.domain === domain)

  it('is the documented one: run `npm run operators` where this fails', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../docs/operators.md'), 'utf8')
    expect(page.endsWith(coverageMarkdown())).toBe(true)
  })

  it('never lets a jump or a random draw pass as a rule', () => {
    for (const op of ['Sign', 'Floor', 'Round', 'ArgMax', 'Equal', 'NonZero', 'OneHot', 'Hardmax', 'IsNaN']) {
      expect(find(op)?.bound, op).toBe('discontinuous')
    }
    for (const op of ['RandomNormal', 'RandomUniformLike', 'Multinomial', 'Bernoulli']) {
      expect(find(op)?.bound, op).toBe('random')
    }
  })

  it('has rules and layers for what networks are made of', () => {
    for (const op of ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'LSTM']) {
      expect(find(op)).toMatchObject({ bound: 'rule', layers: true })
    }
    expect(find('FusedConv', 'com.microsoft')?.bound).toBe('rule')
    expect(rows.filter((row) => row.domain === '' && row.bound === 'rule').length).toBeGreaterThan(120)
  })
})
