import type { Operator } from '../operator.ts'

/** Operators that move, select, compare, count or create elements, one array per family. */
export const structureFamilies: readonly (readonly Operator[])[] = []
