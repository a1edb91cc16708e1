import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { fakeSurroundings } from '../cli/fake-streams.ts'
import { corpus } from './corpus.ts'
import { type Audited, check } from './outcome.ts'
import type { Row } from './row.ts'
import { writeRow } from './write-row.ts'

const top = mkdtempSync(join(tmpdir(), 'lipschitz-hostile-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))
let written = 0

async function audited(row: Row): Promise<Audited> {
  const folder = join(top, String(++written), 'home')
  const path = writeRow(row, folder)
  const surroundings = fakeSurroundings()
  const report = join(folder, 'report.json')
  const code = await main(
    [
      'audit',
      path,
      '--no-config',
      '--threads',
      '1',
      '--no-step-summary',
      '-q',
      '-f',
      `json:${report}`,
      ...(row.args ?? []),
    ],
    surroundings,
  )
  return { code, errors: surroundings.stderr.text(), report: JSON.parse(readFileSync(report, 'utf8')) }
}

describe.each(Object.entries(corpus))('%s', (_, rows) => {
  it.each(rows.filter(({ isHeavy }) => !isHeavy).map((row) => [row.name, row] as const))(
    '%s',
    async (_name, row) => {
      check(await audited(row), row.outcome)
    },
  )
})
