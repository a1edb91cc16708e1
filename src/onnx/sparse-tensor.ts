import { createHash } from 'node:crypto'
import { LipschitzError, named } from '../core/errors.ts'
import { beyondLimit } from '../core/limits.ts'
import { stridesOf, type Tensor } from '../core/tensor.ts'
import { elementStorage } from './element-types.ts'
import type { SparseTensorProto } from './generated/onnx.js'
import type { StoredTensor } from './stored-tensor.ts'
import { allocate, elementCount, storedTensor, type TensorSource } from './tensor-data.ts'

/**
 * Positions of the values in the dense tensor, row-major. `indices` holds one linear index a value, or one index an
 * axis in rows; either way strictly ascending.
 */
function linearPositions(indices: Tensor, dims: readonly number[], size: number): Float64Array {
  const count = indices.dims[0]
  const axes = indices.dims.length === 1 ? [size] : dims
  const strides = stridesOf(axes)
  const positions = new Float64Array(count)
  for (let entry = 0; entry < count; entry++) {
    let position = 0
    for (let axis = 0; axis < axes.length; axis++) {
      const index = indices.data[entry * axes.length + axis]
      if (!(index >= 0 && index < axes[axis])) {
        throw new LipschitzError(
          'malformed',
          `the index ${index} of its value ${entry} is outside of its dims`,
        )
      }
      position += index * strides[axis]
    }
    if (entry > 0 && position <= positions[entry - 1]) {
      throw new LipschitzError('malformed', `its indices are not in ascending order at value ${entry}`)
    }
    positions[entry] = position
  }
  return positions
}

/**
 * A sparse tensor that loads as a dense one. Its indices are read and checked when it is loaded.
 * @throws LipschitzError malformed, unsupported, limit, and for external data unsafe, not-found, unreadable
 */
export function storedSparseTensor(proto: SparseTensorProto, source: TensorSource): StoredTensor {
  const { dims } = proto
  const name = proto.values?.name ?? ''
  const facts = { tensor: name }
  return named(facts, () => {
    if (proto.values === null || proto.indices === null) {
      throw new LipschitzError('malformed', 'it is sparse and lacks its values or its indices')
    }
    const values = storedTensor(proto.values, source)
    const indices = storedTensor(proto.indices, source)
    const size = elementCount(dims, source.limits)
    if (size > source.limits.sparseElements) {
      throw beyondLimit(
        'sparseElements',
        `it is sparse and has ${size} elements, more than ${source.limits.sparseElements}`,
      )
    }
    if (values.type === 'string') throw new LipschitzError('unsupported', 'it is a sparse tensor of strings')
    if (values.dims.length !== 1) throw new LipschitzError('malformed', 'its sparse values are no vector')
    const isLinear = indices.dims.length === 1
    const isRows = indices.dims.length === 2 && indices.dims[1] === dims.length
    if (indices.type !== 'int64' || indices.dims[0] !== values.size || !(isLinear || isRows)) {
      throw new LipschitzError('malformed', 'its sparse indices do not fit its values and dims')
    }

    function load(): Tensor {
      const positions = linearPositions(indices.load(), dims, size)
      const { data: stored } = values.load()
      const storage = elementStorage[values.type]
      const { components } = storage
      const data = allocate(storage, size * components)
      for (let entry = 0; entry < positions.length; entry++) {
        for (let part = 0; part < components; part++) {
          data[positions[entry] * components + part] = stored[entry * components + part]
        }
      }
      return { type: values.type, dims, data }
    }

    const sha256 = () =>
      createHash('sha256').update(`${dims.join()} ${values.sha256()} ${indices.sha256()}`).digest('hex')
    return {
      name,
      type: values.type,
      dims,
      size,
      range: null,
      payload: null,
      load: () => named(facts, load),
      sha256: () => named(facts, sha256),
    }
  })
}
