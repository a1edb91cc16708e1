import type { StoredTensor } from '../onnx/stored-tensor.ts'

/**
 * Names the bytes that a tensor's elements stand in: equal for tensors that are one in the file, as those of a
 * function that is called twice. Null where the elements do not stand in the file one by one (sparse tensors, none).
 */
export function placeOf({ payload, range, size }: StoredTensor): string | null {
  if (size === 0) return null
  if (payload !== null && payload.length > 0) return `model ${payload[0].offset}`
  return range === null ? null : `${range.path} ${range.offset}`
}
