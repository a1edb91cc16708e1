/** Names of the element types of ONNX, as in `TensorProto.DataType`, spelled as users of numpy know them. */
export type ElementType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'float8e4m3fn'
  | 'float8e4m3fnuz'
  | 'float8e5m2'
  | 'float8e5m2fnuz'
  | 'float8e8m0'
  | 'float4e2m1'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'int4'
  | 'uint4'
  | 'int2'
  | 'uint2'
  | 'bool'
  | 'string'
  | 'complex64'
  | 'complex128'

export type FloatArray = Float32Array | Float64Array

/** A dimension that is not known is null; it is never guessed. */
export type Dim = number | null
export type Shape = readonly Dim[]

/**
 * A constant tensor in memory, row-major. `data` is a Float32Array where every value of `type` is exact in
 * float32 (float32 and narrower floats, 8- and 16-bit integers, bool), else a Float64Array (int64 beyond 2^53
 * is rounded to the nearest float64). Complex tensors hold (re, im) pairs; string tensors hold no data.
 * In integer tensors that describe shapes, NaN stands for an entry that is not known.
 */
export interface Tensor {
  readonly type: ElementType
  readonly dims: readonly number[]
  readonly data: FloatArray
}

export function isFloatType(type: ElementType | null): boolean {
  return type !== null && (type.startsWith('float') || type === 'bfloat16')
}

/** Number of elements of a fully known shape; null when a dimension is unknown. */
export function sizeOf(shape: Shape): number | null {
  let size = 1
  for (const dim of shape) {
    if (dim === null) return null
    size *= dim
  }
  return size
}

/** Row-major strides, in elements. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length)
  let stride = 1
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= dims[axis]
  }
  return strides
}
