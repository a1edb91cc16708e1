import type { Operator } from '../operator.ts'
import { castOperators } from './cast.ts'
import { identityOperators } from './identity.ts'
import { joinOperators } from './join.ts'
import { padOperators } from './pad.ts'
import { reshapeOperators } from './reshape.ts'
import { resizeOperators } from './resize.ts'
import { selectOperators } from './select.ts'
import { sliceOperators } from './slice.ts'
import { splitOperators } from './split.ts'
import { transposeOperators } from './transpose.ts'

/** Operators that move, select, compare, count or create elements, one array per family. */
export const structureFamilies: readonly (readonly Operator[])[] = [
  castOperators,
  identityOperators,
  joinOperators,
  padOperators,
  reshapeOperators,
  resizeOperators,
  selectOperators,
  sliceOperators,
  splitOperators,
  transposeOperators,
]
