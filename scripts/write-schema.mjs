// Writes schema/report-v1.json from the zod schema of the report, as built. Run after `npm run build`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const { reportJsonSchema } = await import('../dist/audit/report-schema.js')
const target = join(import.meta.dirname, '..', 'schema', 'report-v1.json')
writeFileSync(target, `${JSON.stringify(reportJsonSchema(), null, 2)}\n`)
