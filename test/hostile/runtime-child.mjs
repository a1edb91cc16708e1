// Loads models in ONNX Runtime and tries how much they stretch: one line in, a path; one line out, what came of it.
// A process of its own, since files made to be wrong may end it, or keep it for ever.
import { createInterface } from 'node:readline'
import { InferenceSession, Tensor } from 'onnxruntime-node'

const tries = 6
let state = 1
/** A fixed sequence of numbers between −1 and 1. */
function next() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 2 ** 31 - 1
}

const norm = (numbers) => Math.hypot(...numbers)
const sizeOf = (shape) => shape.reduce((size, dim) => size * dim, 1)

/** Distances of some pairs of inputs and of what the model makes of them; none where it takes or gives other than floats. */
async function stretches(session) {
  const inputs = session.inputMetadata.map(({ name, isTensor, type, shape }) => ({
    name,
    isTried: isTensor && type === 'float32',
    dims: shape?.map((dim) => (typeof dim === 'number' && dim >= 0 ? dim : 1)),
  }))
  const size = inputs.reduce((sum, { dims }) => sum + sizeOf(dims ?? []), 0)
  if (size > 10_000 || !inputs.every(({ isTried }) => isTried) || inputs.length === 0) return []
  const run = async (points) => {
    const feeds = inputs.map(({ name, dims }, i) => [name, new Tensor('float32', points[i], dims)])
    const results = await session.run(Object.fromEntries(feeds))
    const tensors = session.outputNames.map((name) => results[name]).filter(({ type }) => type === 'float32')
    return tensors.flatMap(({ data }) => Array.from(data))
  }
  const pairs = []
  for (let i = 0; i < tries; i++) {
    const scale = 10 ** (i % 3) / 10
    const from = inputs.map(({ dims }) => Float32Array.from({ length: sizeOf(dims) }, () => 2 * next()))
    const to = from.map((data) => data.map((x) => Math.fround(x + scale * next())))
    const [before, after] = [await run(from), await run(to)]
    if (before.length !== after.length) return pairs
    const moved = from.flatMap((data, at) => Array.from(data, (x, j) => x - to[at][j]))
    const size = Math.max(...before.map(Math.abs), ...after.map(Math.abs), 0)
    pairs.push({ input: norm(moved), output: norm(before.map((x, j) => x - after[j])), size })
  }
  return pairs
}

for await (const path of createInterface({ input: process.stdin })) {
  let answer
  try {
    const session = await InferenceSession.create(path, {
      logSeverityLevel: 4,
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'disabled',
    })
    process.stdout.write(`${JSON.stringify({ path, loaded: true })}\n`)
    try {
      answer = { path, pairs: await stretches(session) }
    } catch (error) {
      answer = { path, failed: String(error.message) }
    }
    await session.release()
  } catch (error) {
    answer = { path, refused: String(error.message) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
