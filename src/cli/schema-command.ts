import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { oneOf } from './readers.ts'
import { type Surroundings, writeAll } from './surroundings.ts'

const published = { report: 'lipschitz/schema/report-v1.json' } as const

/** Prints a published JSON Schema as it is. */
export async function runSchema(name: string, { stdout }: Surroundings): Promise<number> {
  const path = published[oneOf(Object.keys(published) as (keyof typeof published)[])(name, 'schema')]
  await writeAll(stdout, await readFile(createRequire(import.meta.url).resolve(path), 'utf8'))
  return 0
}
