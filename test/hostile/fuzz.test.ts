import { expect, it } from 'vitest'
import { LipschitzError } from '../../src/core/errors.ts'
import { createRandom } from '../../src/core/random.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { nodesOf } from '../../src/graph/walk.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import { writeTemporary } from '../helpers/onnx-builder.ts'
import { corpus } from './corpus.ts'

/** Mutated files; `FUZZ=10000 npm run fuzz` for more, `FUZZ_SEED` for others. */
const runs = Number(process.env.FUZZ ?? 300)
const seed = Number(process.env.FUZZ_SEED ?? 1)
const largest = 20_000

const random = createRandom(seed)
const below = (count: number) => Math.floor(random.uniform() * count)
const seeds = Object.values(corpus)
  .flat()
  .filter(({ isHeavy }) => !isHeavy)
  .map((row) => Buffer.from(row.bytes()))
  .filter(({ length }) => length > 0 && length < largest)

const numbers = [0, 1, 2, 0x7f, 0x80, 0xff]

/** Ways to make other bytes of some; a second file gives parts. */
const mutations: readonly ((bytes: Buffer, other: Buffer) => Buffer)[] = [
  (bytes) => {
    bytes[below(bytes.length)] ^= 1 << below(8)
    return bytes
  },
  (bytes) => {
    bytes[below(bytes.length)] = numbers[below(numbers.length)]
    return bytes
  },
  (bytes) => bytes.subarray(0, below(bytes.length) + 1),
  (bytes) => Buffer.concat([bytes.subarray(0, below(bytes.length)), bytes.subarray(below(bytes.length))]),
  (bytes, other) => {
    const from = below(other.length)
    const part = other.subarray(from, from + below(64))
    const at = below(bytes.length)
    return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at + part.length * below(2))])
  },
]

function mutated(): Buffer {
  let bytes: Buffer = Buffer.from(seeds[below(seeds.length)])
  for (let times = below(4) + 1; times > 0 && bytes.length > 0; times--)
    bytes = mutations[below(mutations.length)](Buffer.from(bytes), seeds[below(seeds.length)])
  return bytes
}

/** What may come of any bytes whatsoever: null, or an error that users are expected to meet. */
function unexpected(path: string): unknown {
  try {
    const typed = inferModel(readModel(path, { limits: { foldedElements: 2 ** 20, foldedTotal: 2 ** 24 } }))
    layersOf(typed)
    for (const node of nodesOf(typed.graph))
      for (const output of node.outputs) if (output !== null) typed.operand(output).constant()
    return null
  } catch (error) {
    return error instanceof LipschitzError && error.code !== 'internal' ? null : error
  }
}

it('finds no bytes that reading, inference or folding fails on', () => {
  let begin = 0
  for (let run = 0; run < runs; run++) {
    const bytes = mutated()
    const error = unexpected(writeTemporary(bytes, 'fuzzed.onnx'))
    if (error !== null)
      throw new Error(`run ${run} of seed ${seed}: ${bytes.toString('base64')}`, { cause: error })
    if (run === Math.floor(runs / 4)) begin = process.memoryUsage().heapUsed
  }
  // memory does not grow with the number of files
  expect(process.memoryUsage().heapUsed - begin).toBeLessThan(300 * 2 ** 20)
}, 3_600_000)
