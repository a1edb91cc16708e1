import type { ElementType } from './tensor.ts'

/** Element types by their number in `TensorProto.DataType`; 0 means undefined. */
const elementTypes: readonly (ElementType | null)[] = [
  null,
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
]

/** The element type with this number; null when there is none. */
export function elementTypeByCode(code: number): ElementType | null {
  return elementTypes[code] ?? null
}
