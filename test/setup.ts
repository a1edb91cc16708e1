import { buildWhereStale } from './cli/built-program.ts'

/** The built program is tested from outside: it is built once, before all tests. */
export function setup(): void {
  buildWhereStale()
}
