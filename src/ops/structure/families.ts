import type { Operator } from '../operator.ts'
import { castOperators } from './cast.ts'
import { compareOperators } from './compare.ts'
import { constantOperators } from './constant.ts'
import { controlOperators } from './control.ts'
import { cumulateOperators } from './cumulate.ts'
import { gatherOperators } from './gather.ts'
import { generateOperators } from './generate.ts'
import { identityOperators } from './identity.ts'
import { joinOperators } from './join.ts'
import { measureOperators } from './measure.ts'
import { padOperators } from './pad.ts'
import { quantizedGatherOperators } from './quantized-gather.ts'
import { reduceOperators } from './reduce.ts'
import { reshapeOperators } from './reshape.ts'
import { resizeOperators } from './resize.ts'
import { scatterOperators } from './scatter.ts'
import { searchOperators } from './search.ts'
import { selectOperators } from './select.ts'
import { sequenceOperators } from './sequence.ts'
import { sliceOperators } from './slice.ts'
import { splitOperators } from './split.ts'
import { textOperators } from './text.ts'
import { transposeOperators } from './transpose.ts'

/** Operators that move, select, compare, count or create elements, one array per family. */
export const structureFamilies: readonly (readonly Operator[])[] = [
  castOperators,
  compareOperators,
  constantOperators,
  controlOperators,
  cumulateOperators,
  gatherOperators,
  generateOperators,
  identityOperators,
  joinOperators,
  measureOperators,
  padOperators,
  quantizedGatherOperators,
  reduceOperators,
  reshapeOperators,
  resizeOperators,
  scatterOperators,
  searchOperators,
  selectOperators,
  sequenceOperators,
  sliceOperators,
  splitOperators,
  textOperators,
  transposeOperators,
]
