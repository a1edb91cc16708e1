// Writes schema/report-v1.json from the zod schema of the report.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..')
const build = await rolldown({ cwd: root, input: 'src/audit/report-schema.ts', platform: 'node' })
const { output } = await build.generate({ format: 'esm' })
const { reportJsonSchema } = await import(
  `data:text/javascript;base64,${Buffer.from(output[0].code).toString('base64')}`
)
writeFileSync(join(root, 'schema/report-v1.json'), `${JSON.stringify(reportJsonSchema(), null, 2)}\n`)
