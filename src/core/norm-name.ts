/** Norms of inputs and outputs in which changes are measured. */
export const normNames = ['l2', 'linf', 'l1'] as const

export type NormName = (typeof normNames)[number]
/** Those beside ℓ2, for which operators have constants of their own. */
export type OtherNorm = Exclude<NormName, 'l2'>
