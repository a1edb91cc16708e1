/** Multiplications that folding one operator may take: about a second. */
const mostMultiplications = 2 ** 29

/** Whether folding with this many multiplications is worth while; otherwise the result counts as not known. */
export function affordable(multiplications: number): boolean {
  return multiplications <= mostMultiplications
}
