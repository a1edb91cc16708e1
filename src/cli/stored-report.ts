import { readFile } from 'node:fs/promises'
import type { Report as StoredReport } from '../audit/report-schema.ts'
import { schemaVersion } from '../audit/schema-version.ts'
import { LipschitzError } from '../core/errors.ts'
import { describePlace } from './config/validate.ts'

function unreadable(path: string, reason: string, hint?: string): LipschitzError {
  return new LipschitzError('unreadable', `${path}: ${reason}`, hint === undefined ? {} : { hint })
}

const reasons = new Map([
  ['ENOENT', 'no such file'],
  ['EISDIR', 'it is a directory'],
  ['EACCES', 'permission denied'],
  ['ERR_FS_FILE_TOO_LARGE', 'it is larger than any report'],
])

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path === '-' ? '/dev/stdin' : path, 'utf8')
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw unreadable(path, reasons.get(code) ?? message)
  }
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    const hint = 'a report is what lipschitz audit -f json writes'
    throw unreadable(path, text.trim() === '' ? 'the file is empty' : 'it is no JSON', hint)
  }
}

/**
 * Reads a report that `-f json` wrote; keys of later versions stay. `-` is standard input. Throws `unreadable`,
 * with the place of the first thing that is no part of a report.
 */
export async function readReport(path: string): Promise<StoredReport> {
  const content = parse(path, await readText(path))
  const version = (content as { schemaVersion?: unknown } | null)?.schemaVersion
  if (version === undefined) throw unreadable(path, "it is no report: it has no 'schemaVersion'")
  if (version !== schemaVersion) {
    const known = `this version reads reports of version ${schemaVersion}`
    const told = typeof version === 'object' ? 'that is none' : String(version).slice(0, 40)
    throw unreadable(path, `it is a report of version ${told}`, known)
  }
  const { Report } = await import('../audit/report-schema.ts')
  const { success, error } = Report.safeParse(content)
  if (success) return content as StoredReport
  const [issue] = error.issues
  throw unreadable(path, `it is no report: ${describePlace(issue.path) || 'the top'}: ${issue.message}`)
}
