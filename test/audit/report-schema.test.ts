import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { reportJsonSchema } from '../../src/audit/report-schema.ts'
import { toolVersion } from '../../src/core/version.ts'

const root = resolve(import.meta.dirname, '../..')
const readJson = (path: string) => JSON.parse(readFileSync(resolve(root, path), 'utf8'))

describe('the published schema of the report', () => {
  it('is current: run `npm run build && npm run schema` where this fails', () => {
    expect(readJson('schema/report-v1.json')).toEqual(JSON.parse(JSON.stringify(reportJsonSchema())))
  })

  it('accepts keys that later versions add', () => {
    expect(JSON.stringify(readJson('schema/report-v1.json'))).not.toContain('"additionalProperties":false')
  })
})

describe('the version that reports carry', () => {
  it('is that of package.json', () => {
    expect(toolVersion).toBe(readJson('package.json').version)
  })
})
