import { appendFile, stat } from 'node:fs/promises'
import type { Report } from '../audit/report-schema.ts'
import { toolName } from '../core/version.ts'
import { formats, type RenderOptions } from '../report/renderer.ts'
import type { Surroundings } from './surroundings.ts'

/** What GitHub accepts as the summary of one step, in bytes. */
const MOST = 1024 * 1024
const CUT = '\n\n… cut: the summary of a step holds 1 MiB\n'

/** The longest start of whole lines that takes at most `room` bytes, with a note that it is one. */
export function cutToBytes(text: string, room: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= room) return text
  const end = bytes.subarray(0, Math.max(0, room - Buffer.byteLength(CUT))).lastIndexOf(0x0a)
  return end < 0 ? '' : bytes.subarray(0, end).toString() + CUT
}

/**
 * Appends the report to the summary of the running step of GitHub Actions, where there is one. A summary that cannot
 * be written is a warning: the audit itself went well.
 */
export async function appendStepSummary(
  report: Report,
  options: RenderOptions,
  { environment, stderr }: Surroundings,
): Promise<void> {
  const path = environment.GITHUB_STEP_SUMMARY
  if (!path) return
  const render = await formats.markdown.load()
  const taken = await stat(path).then(
    ({ size }) => size,
    () => 0,
  )
  const text = cutToBytes(render(report, { ...options, top: null, verbosity: 'normal' }), MOST - taken)
  await appendFile(path, text).catch((error: Error) => {
    stderr.write(`${toolName}: cannot write the step summary: ${error.message}\n`)
  })
}
