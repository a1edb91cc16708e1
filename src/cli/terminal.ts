import type { OutputStream, Surroundings } from './surroundings.ts'

const WIDTH_OF_PIPES = 160
const WIDTH_LEAST = 40

/**
 * Whether to colour a stream: --[no-]color, then NO_COLOR (not empty), then FORCE_COLOR (not 0 or false), then
 * whether it is a terminal that can.
 */
export function usesColour(
  stream: OutputStream,
  flag: boolean | undefined,
  { environment }: Surroundings,
): boolean {
  if (flag !== undefined) return flag
  if (environment.NO_COLOR) return false
  const forced = environment.FORCE_COLOR
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return stream.isTTY === true && environment.TERM !== 'dumb'
}

/** Columns to fill: of the terminal, else of COLUMNS, else 160. */
export function widthOf(stream: OutputStream, { environment }: Surroundings): number {
  const declared = Number(environment.COLUMNS)
  const width = stream.columns || (Number.isSafeInteger(declared) && declared > 0 ? declared : WIDTH_OF_PIPES)
  return Math.max(WIDTH_LEAST, width)
}
