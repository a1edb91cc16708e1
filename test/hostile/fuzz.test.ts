import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { expect, it } from 'vitest'
import { LipschitzError } from '../../src/core/errors.ts'
import { createRandom } from '../../src/core/random.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { nodesOf } from '../../src/graph/walk.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import { writeTemporary } from '../helpers/onnx-builder.ts'
import { corpus } from './corpus.ts'
import { watchCoverage } from './coverage.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateWire } from './mutate-wire.ts'

/**
 * A fuzzer that is guided by coverage: files that reach blocks of code that none before has reached are kept, and
 * others are made of them. `npm run fuzz` runs for about a minute, `FUZZ=100000 npm run fuzz` as long as you like,
 * `FUZZ_SEED` makes other files, and `FUZZ_CORPUS=<folder>` keeps what is found interesting for the next time.
 */
const runs = Number(process.env.FUZZ ?? (process.env.npm_lifecycle_event === 'fuzz' ? 4000 : 400))
const seed = Number(process.env.FUZZ_SEED ?? 1)
const folder = process.env.FUZZ_CORPUS
const largest = 20_000
/** Against endless loops, nothing else: far beyond what any small file takes. */
const HANG = 60_000

/** Reads, infers, finds layers, folds every constant. */
function exercise(path: string): void {
  const typed = inferModel(readModel(path, { limits: { foldedElements: 2 ** 20, foldedTotal: 2 ** 24 } }))
  layersOf(typed)
  for (const node of nodesOf(typed.graph))
    for (const output of node.outputs) if (output !== null) typed.operand(output).constant()
}

const script = new Script('globalThis.exercised()')

/** What may come of any bytes whatsoever: null, or an error that users are expected to meet. */
function unexpected(path: string): unknown {
  try {
    Object.assign(globalThis, { exercised: () => exercise(path) })
    script.runInThisContext({ timeout: HANG, displayErrors: false })
    return null
  } catch (error) {
    return error instanceof LipschitzError && error.code !== 'internal' ? null : error
  }
}

function seeds(): Buffer[] {
  const rows = Object.values(corpus)
    .flat()
    .filter(({ isHeavy }) => !isHeavy)
    .map((row) => Buffer.from(row.bytes()))
  const kept =
    folder !== undefined && existsSync(folder)
      ? readdirSync(folder).map((name) => readFileSync(join(folder, name)))
      : []
  return [...rows, ...kept].filter(({ length }) => length > 0 && length < largest)
}

it('finds no bytes that reading, inference or folding fails on', () => {
  const random = createRandom(seed)
  const pool = seeds()
  // what was found lately leads further than what is known for long
  const pick = () => {
    const back = random.uniform() < 0.5 ? Math.floor(random.uniform() ** 3 * pool.length) : null
    return pool[back === null ? Math.floor(random.uniform() * pool.length) : pool.length - 1 - back]
  }
  const coverage = watchCoverage()
  for (const bytes of pool) unexpected(writeTemporary(bytes, 'fuzzed.onnx'))
  coverage.news()
  const [known, first] = [pool.length, coverage.total()]
  let begin = 0
  for (let run = 0; run < runs; run++) {
    const [one, other] = [pick(), pick()]
    const wired = random.uniform() < 0.7 ? mutateWire(one, other, random) : null
    const bytes = Buffer.from(wired ?? mutateBytes(one, other, random))
    const error = unexpected(writeTemporary(bytes, 'fuzzed.onnx'))
    if (error !== null)
      throw new Error(`run ${run} of seed ${seed}: ${bytes.toString('base64')}`, { cause: error })
    if (coverage.news() > 0 && bytes.length > 0 && bytes.length < largest) {
      pool.push(bytes)
      if (folder !== undefined) {
        mkdirSync(folder, { recursive: true })
        const name = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
        writeFileSync(join(folder, `${name}.onnx`), bytes)
      }
    }
    if (run === Math.floor(runs / 4)) begin = process.memoryUsage().heapUsed
  }
  coverage.end()
  // it does find its way into code that no row reaches
  expect(pool.length).toBeGreaterThan(known)
  expect(coverage.total()).toBeGreaterThan(first)
  // memory does not grow with the number of files
  expect(process.memoryUsage().heapUsed - begin).toBeLessThan(300 * 2 ** 20)
  if (runs > 400)
    console.info(`${runs} files, ${pool.length - known} kept, ${coverage.total() - first} new blocks`)
}, 36_000_000)
