import { readPackageFile } from './package-file.ts'
import { oneOf } from './readers.ts'
import { type Surroundings, writeAll } from './surroundings.ts'

const published = {
  report: 'schema/report-v1.json',
  config: 'schema/config-v1.json',
  diff: 'schema/diff-v1.json',
} as const

export const schemaNames = Object.keys(published) as (keyof typeof published)[]

/** Prints a published JSON Schema as it is. */
export async function runSchema(name: string, { stdout }: Surroundings): Promise<number> {
  await writeAll(stdout, await readPackageFile(published[oneOf(schemaNames)(name, 'schema')]))
  return 0
}
