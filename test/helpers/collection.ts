import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The collection of real models with reference norms, where it is there. */
export const collection = resolve(import.meta.dirname, '../../../shared/models')

export const collectionIsThere = existsSync(join(collection, 'ORACLE.tsv'))

/** The rows of a tab-separated table of the collection, by column name. */
export function readTable(path: string): Record<string, string>[] {
  const [header, ...lines] = readFileSync(join(collection, path), 'utf8').trimEnd().split('\n')
  const columns = header.split('\t')
  return lines.map((line) => {
    const cells = line.split('\t')
    return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? '']))
  })
}
