import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildWhereStale } from '../cli/built-program.ts'
import { corpus } from './corpus.ts'
import { check } from './outcome.ts'
import { runOutside } from './outside.ts'
import { writeRow } from './write-row.ts'

const top = mkdtempSync(join(tmpdir(), 'lipschitz-heavy-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))
beforeAll(buildWhereStale)

/** Peak resident memory that no file may make an audit take, whatever it holds. */
const CAP = 1.25 * 2 ** 30

const heavy = Object.values(corpus)
  .flat()
  .filter(({ isHeavy }) => isHeavy)

describe('files that cost, seen from outside', () => {
  it.each(heavy.map((row, index) => [row.name, row, index] as const))(
    '%s',
    async (_name, row, index) => {
      const folder = join(top, String(index))
      const path = writeRow(row, folder)
      const report = join(folder, 'report.json')
      const options = ['--no-config', '--threads', '1', '-q', '--effort', 'fast', '-f', `json:${report}`]
      const { code, stdout, stderr, memory } = await runOutside([
        'audit',
        path,
        ...options,
        ...(row.args ?? []),
      ])
      expect({ stdout, isAlive: code !== null }).toEqual({ stdout: '', isAlive: true })
      check(
        { code: code ?? -1, errors: stderr, report: JSON.parse(readFileSync(report, 'utf8')) },
        row.outcome,
      )
      expect(memory).toBeLessThan(CAP)
      rmSync(folder, { recursive: true })
    },
    300_000,
  )
})
