import type { Operator } from '../operator.ts'

/** Operators that compute: linear maps, activations, normalisations, pooling, recurrences, one array per family. */
export const numericFamilies: readonly (readonly Operator[])[] = []
