// Writes schema/*.json from the zod schemas of the report, of comparisons and of the configuration file.
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..')

/** The module with all that it imports, as a file beside the packages that it needs. */
async function load(input) {
  const file = join(root, 'node_modules/.cache/lipschitz', `${basename(input, '.ts')}.mjs`)
  const build = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    external: ['zod', 'chalk', 'cli-table3'],
  })
  await build.write({ file, format: 'esm', codeSplitting: false })
  return import(pathToFileURL(file))
}

function write(name, schema) {
  writeFileSync(join(root, 'schema', name), `${JSON.stringify(schema, null, 2)}\n`)
}

write('report-v1.json', (await load('src/audit/report-schema.ts')).reportJsonSchema())
write('diff-v1.json', (await load('src/audit/diff/diff-schema.ts')).diffJsonSchema())
write('config-v1.json', (await load('src/cli/config/schema.ts')).configJsonSchema())
