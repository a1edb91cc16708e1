import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { main } from '../../src/cli/main.ts'
import { fakeSurroundings } from '../cli/fake-streams.ts'
import type { Audited } from './outcome.ts'
import type { Row } from './row.ts'
import { writeRow } from './write-row.ts'

/** Writes the files of a row below the folder and audits them in this process. */
export async function auditRow(row: Row, folder: string): Promise<Audited & { readonly path: string }> {
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
  return { path, code, errors: surroundings.stderr.text(), report: JSON.parse(readFileSync(report, 'utf8')) }
}
