import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { coverage, coverageMarkdown, reasonsMarkdown } from '../../src/ops/coverage.ts'
import { groups } from '../../src/ops/groups.ts'
import { operatorTable } from '../../src/ops/registry.ts'

const docs = resolve(import.meta.dirname, '../../docs')
const read = (name: string) => readFileSync(resolve(docs, name), 'utf8')

describe('the table of operators', () => {
  const rows = coverage()
  const find = (op: string, domain = '') => rows.find((row) => row.op === op && row.domain === domain)
  const named = ({ domain, op }: { domain?: string; op: string }) => `${domain ?? ''}:${op}`

  it('is the documented one: run `npm run operators` where this fails', () => {
    expect(read('operators.md').endsWith(coverageMarkdown())).toBe(true)
    expect(read('operators/without.md').endsWith(reasonsMarkdown())).toBe(true)
  })

  it('gives every declaration a rule or the reason why it has none, and never both', () => {
    const wrong = operatorTable().filter(
      ({ bound, without }) => (bound === undefined) === (without === undefined),
    )
    expect(wrong.map(named)).toEqual([])
  })

  it('says reasons that go on from the name of a node, in one line', () => {
    for (const { without } of rows) if (without !== null) expect(without).toMatch(/^[a-z][^\n.]{10,120}$/)
  })

  it('has every rule in a group, and a page for every group', () => {
    expect(rows.filter(({ group, without }) => group === null && without === null).map(named)).toEqual([])
    for (const [name, { title }] of Object.entries(groups)) {
      expect(existsSync(resolve(docs, `operators/${name}.md`)), name).toBe(true)
      expect(read(`operators/${name}.md`).startsWith(`# ${title}\n`), name).toBe(true)
    }
  })

  it('names every operator of a group on its page', () => {
    for (const { op, group } of rows) {
      if (group !== null)
        expect(read(`operators/${group}.md`), `${op} in ${group}.md`).toMatch(new RegExp(`\\b${op}\\b`))
    }
  })

  it('never lets a jump or a random draw pass as a rule', () => {
    for (const op of ['Sign', 'Floor', 'Round', 'ArgMax', 'Equal', 'NonZero', 'OneHot', 'Hardmax', 'IsNaN']) {
      expect(find(op)?.group, op).toBe('discontinuous')
    }
    for (const op of ['RandomNormal', 'RandomUniformLike', 'Multinomial', 'Bernoulli']) {
      expect(find(op)?.group, op).toBe('random')
    }
  })

  it('has rules and layers for what networks are made of', () => {
    for (const op of ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'LSTM']) {
      expect(find(op)).toMatchObject({ without: null, layers: true })
    }
    expect(find('FusedConv', 'com.microsoft')?.group).toBe('linear')
    const withoutRule = rows.filter((row) => row.domain === '' && row.without !== null)
    expect(withoutRule.map(({ op }) => op)).toEqual([
      'ImageDecoder',
      'RegexFullMatch',
      'StringConcat',
      'StringNormalizer',
      'StringSplit',
      'TfIdfVectorizer',
    ])
  })
})
