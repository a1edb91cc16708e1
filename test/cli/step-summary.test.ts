import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { appendStepSummary, cutToBytes } from '../../src/cli/step-summary.ts'
import { layer, plain, sampleModel, sampleReport } from '../report/sample.ts'
import { fakeSurroundings } from './fake-streams.ts'

const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))

describe('the step summary', () => {
  it('is appended where there is one', async () => {
    const path = join(folder, 'summary.md')
    writeFileSync(path, 'before\n')
    await appendStepSummary(sampleReport(), plain, fakeSurroundings({ GITHUB_STEP_SUMMARY: path }))
    expect(readFileSync(path, 'utf8')).toMatch(/^before\n## Lipschitz audit: no gate\n/)
  })

  it('is no error where it cannot be written', async () => {
    const surroundings = fakeSurroundings({ GITHUB_STEP_SUMMARY: join(folder, 'no', 'such', 'folder') })
    await appendStepSummary(sampleReport(), plain, surroundings)
    expect(surroundings.stderr.text()).toMatch(/^lipschitz: cannot write the step summary: /)
  })

  it('stays within one MiB together with what is there', async () => {
    const path = join(folder, 'full.md')
    writeFileSync(path, 'x'.repeat(1_040_000))
    const models = Array.from({ length: 20 }, (_, i) =>
      sampleModel({ path: `${i}.onnx`, layers: [layer(1)] }),
    )
    await appendStepSummary(sampleReport(models), plain, fakeSurroundings({ GITHUB_STEP_SUMMARY: path }))
    const text = readFileSync(path)
    expect(text.length).toBeLessThanOrEqual(1024 * 1024)
    expect(text.toString()).toMatch(/\n… cut: the summary of a step holds 1 MiB\n$/)
  })

  it('is cut at a line, never within a character', () => {
    expect(cutToBytes('short\n', 100)).toBe('short\n')
    const text = `${'ä'.repeat(20)}\n`.repeat(10)
    const cut = cutToBytes(text, 200)
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(200)
    expect(cut).toMatch(/^(ä{20}\n)+\n… cut/)
    expect(cutToBytes(text, 10)).toBe('')
  })
})
