import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readModelFile } from '../../src/onnx/model-file.ts'
import type { StoredTensor } from '../../src/onnx/stored-tensor.ts'
import { errorOf } from '../helpers/error.ts'
import { type Message, model, tensor, writeTemporary } from '../helpers/onnx-builder.ts'

function sparse(values: Message, indices: Message, dims: readonly number[]): StoredTensor {
  const sparseInitializers = [{ values: { ...values, name: 's' }, indices, dims }]
  const file = readModelFile(writeTemporary(model({ sparseInitializers })))
  return file.sparseTensor(file.proto.graph!.sparseInitializer[0])
}

const linear = (list: readonly number[]) => tensor([list.length], list, 'int64')
const vector = (list: readonly number[]) => tensor([list.length], list)

describe('a sparse tensor', () => {
  it('loads as the dense tensor that it stands for, from linear indices and from rows', () => {
    const dense = fc.array(
      fc.float({ noNaN: true }).map((value) => Math.max(value, 0)),
      { minLength: 12, maxLength: 12 },
    )
    fc.assert(
      fc.property(dense, (elements) => {
        const kept = elements.flatMap((value, index) => (value === 0 ? [] : [index]))
        const values = vector(kept.map((index) => elements[index]))
        const rows = kept.flatMap((index) => [Math.floor(index / 4), index % 4])
        for (const indices of [linear(kept), tensor([kept.length, 2], rows, 'int64')]) {
          const stored = sparse(values, indices, [3, 4])
          expect(Array.from(stored.load().data)).toEqual(elements)
          expect([stored.name, stored.type, stored.size, stored.range]).toEqual(['s', 'float32', 12, null])
        }
      }),
      { numRuns: 30 },
    )
  })

  it('has a hash of its dims, values and indices', () => {
    const hash = (values: number[], indices: number[], dims: number[]) =>
      sparse(vector(values), linear(indices), dims).sha256()
    const hashes = [hash([1], [2], [4]), hash([1], [3], [4]), hash([2], [2], [4]), hash([1], [2], [2, 2])]
    expect(new Set(hashes).size).toBe(4)
    expect(hash([1], [2], [4])).toBe(hashes[0])
  })

  it.each<[string, string, Message, Message, number[]]>([
    ['indices out of order', 'malformed', vector([1, 2]), linear([3, 1]), [4]],
    ['an index twice', 'malformed', vector([1, 2]), linear([1, 1]), [4]],
    ['an index beyond the end', 'malformed', vector([1]), linear([4]), [4]],
    ['a negative index', 'malformed', vector([1]), linear([-1]), [4]],
    ['a column beyond the end', 'malformed', vector([1]), tensor([1, 2], [0, 4], 'int64'), [3, 4]],
    ['fewer indices than values', 'malformed', vector([1, 2]), linear([0]), [4]],
    ['rows of the wrong length', 'malformed', vector([1]), tensor([1, 3], [0, 0, 0], 'int64'), [3, 4]],
    ['indices that are no int64', 'malformed', vector([1]), tensor([1], [0], 'int32'), [4]],
    ['values that are no vector', 'malformed', tensor([1, 1], [1]), linear([0]), [4]],
    ['a dense size beyond memory', 'limit', vector([1]), linear([0]), [2 ** 31, 2 ** 31]],
    ['a dense size that its bytes do not pay for', 'limit', vector([1]), linear([0]), [2 ** 15, 2 ** 15]],
  ])('refuses %s', (_, code, values, indices, dims) => {
    const error = errorOf(() => sparse(values, indices, dims).load())
    expect([error.code, error.tensor]).toEqual([code, 's'])
  })
})
