import type { Row } from './row.ts'
import { attributes } from './rows/attributes.ts'
import { bombs } from './rows/bombs.ts'
import { externals } from './rows/external.ts'
import { formats } from './rows/formats.ts'
import { functions } from './rows/functions.ts'
import { graphs } from './rows/graphs.ts'
import { names } from './rows/names.ts'
import { proofs } from './rows/proofs.ts'
import { tensors } from './rows/tensors.ts'
import { versions } from './rows/versions.ts'
import { wire } from './rows/wire.ts'

/** All rows, by chapter. */
export const corpus: Readonly<Record<string, readonly Row[]>> = {
  'other formats': formats,
  'wire format': wire,
  tensors,
  names,
  versions,
  functions,
  graphs,
  'external data': externals,
  attributes,
  bombs,
  proofs,
}
