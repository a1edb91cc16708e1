import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditRow } from './audited.ts'
import { corpus } from './corpus.ts'
import { laxer, stricter, strictness, unasked } from './differences.ts'
import { check } from './outcome.ts'
import type { Row } from './row.ts'
import { askRuntime, type Verdict } from './runtime.ts'

const top = mkdtempSync(join(tmpdir(), 'lipschitz-hostile-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

const light = Object.values(corpus)
  .flat()
  .filter(({ isHeavy }) => !isHeavy)
const known = new Map<Row, ReturnType<typeof auditRow>>()

/** Each row is audited once. */
function audited(row: Row): ReturnType<typeof auditRow> {
  const found = known.get(row) ?? auditRow(row, join(top, String(known.size), 'home'))
  known.set(row, found)
  return found
}

describe.each(Object.entries(corpus))('%s', (_, rows) => {
  it.each(rows.filter(({ isHeavy }) => !isHeavy).map((row) => [row.name, row] as const))(
    '%s',
    async (_name, row) => {
      check(await audited(row), row.outcome)
    },
  )
})

describe('ONNX Runtime', () => {
  // whether bombs are refused or not is left open, and they would go off
  const asked = light.filter(
    ({ name, outcome }) => !unasked.includes(name) && !(outcome !== 'audited' && 'oneOf' in outcome),
  )
  let verdicts: Map<string, Verdict>
  beforeAll(async () => {
    const paths: string[] = []
    for (const row of asked) paths.push((await audited(row)).path)
    verdicts = await askRuntime(paths)
  }, 300_000)
  const namesOf = async (isMeant: (row: Row) => Promise<boolean>) => {
    const names: string[] = []
    for (const row of asked) if (await isMeant(row)) names.push(row.name)
    return names.sort()
  }
  const verdictOf = async (row: Row) => verdicts.get((await audited(row)).path)?.kind
  const boundOf = async (row: Row) => (await audited(row)).report?.models[0]?.lipschitz.upper.value ?? null

  it('loads of what is refused these rows alone', async () => {
    const found = await namesOf(
      async (row) => (await audited(row)).code === 2 && (await verdictOf(row)) === 'accepted',
    )
    expect(found).toEqual(Object.values(stricter).flat().sort())
  })

  it('refuses of what is given a bound these rows alone', async () => {
    const found = await namesOf(
      async (row) => (await boundOf(row)) !== null && (await verdictOf(row)) === 'refused',
    )
    expect(found).toEqual(Object.keys(laxer).sort())
  })

  it('fails when it runs the rows that are said to', async () => {
    for (const row of asked.filter(({ name }) => stricter['fails later'].includes(name)))
      expect(verdicts.get((await audited(row)).path), row.name).toMatchObject({ failure: expect.any(String) })
  })

  it('stretches nothing by more than its bound', async () => {
    let compared = 0
    for (const row of asked) {
      const { path, report } = await audited(row)
      const verdict = verdicts.get(path)
      const [model] = report?.models ?? []
      const upper = model?.lipschitz.upper.value ?? null
      // points are tried anywhere
      if (verdict?.kind !== 'accepted' || upper === null || model.domain.kind !== 'global') continue
      const { offset } = model.lipschitz
      for (const { input, output, size } of verdict.pairs) {
        // sums beyond float32 are no outputs
        if (output === null || size === null) continue
        const rounding = 1e-5 * (size + upper * 10) + 2 ** -140
        expect(output, row.name).toBeLessThanOrEqual(upper * input * (1 + 1e-6) + (offset ?? 0) + rounding)
        compared++
      }
    }
    expect(compared).toBeGreaterThan(500)
  })

  it('is told apart in the documentation, row by row', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../docs/onnx-runtime.md'), 'utf8')
    for (const text of [...Object.values(strictness), ...Object.values(stricter).flat()])
      expect(page).toContain(text)
    for (const [name, reason] of Object.entries(laxer)) expect(page).toContain(`| ${name} | ${reason} |`)
  })
})
