// Counts what the kernels of one process do: node --import ./bench/count.mjs bin/lipschitz.js audit --threads 1 MODEL
// Prints one line of JSON to the file that BENCH_COUNTS names: time inside kernels, bytes of matrices read, flops, and, in
// the same process, what this machine reads and computes (a Gram matrix in cache). Counts a single thread.
import { appendFileSync } from 'node:fs'

const { Instance } = WebAssembly
const totals = { seconds: 0, bytes: 0, flops: 0, calls: {} }
let exported = null

/** Bytes of matrices and flops of one call, by kernel. */
const matrix = (element, flops) => (_a, rows, columns) => [rows * columns * element, rows * columns * flops]
const work = {
  surveyF32: matrix(4, 4),
  surveyF64: matrix(8, 4),
  normalPairF32: matrix(4, 8),
  normalPairF64: matrix(8, 8),
  adjointF32: matrix(4, 2),
  adjointF64: matrix(8, 2),
  imageF32: matrix(4, 2),
  imageF64: matrix(8, 2),
  gramF32: (_a, order, length) => [order * length * 4, order * order * length],
  gramF64: (_a, order, length) => [order * length * 8, order * order * length],
  cholesky: (_a, order) => [order * order * 8, order ** 3 / 3],
  evaluateHermitian: (_c, shifts, _w, pairs) => [pairs * (2 + 4 * shifts) * 8, pairs * shifts * 8],
  factoriseShifted: (_r, _i, order) => [order * order * 8, (4 / 3) * order ** 3],
  multiplyHermitian: (_r, _i, order) => [order * order * 8, 8 * order * order],
  combineRuns: (_m, outputs, inputs, _i, _o, _p, count, length) => [0, 2 * outputs * inputs * count * length],
  multiplyFrequencies: (_w, count, channels) => [count * channels ** 2 * 8, 16 * count * channels ** 2],
  multiplyFrequenciesSingle: (_w, count, channels) => [count * channels ** 2 * 8, 16 * count * channels ** 2],
  gatherProduct: (_p, count, _t, taps, _w, channels, panels) => [
    taps * channels * panels * 32,
    8 * count * taps * channels * panels,
  ],
}

WebAssembly.Instance = function CountedInstance(module, imports) {
  const { exports } = new Instance(module, imports)
  if (!('normalPairF32' in exports)) return { exports }
  exported = exports
  const counted = { ...exports }
  for (const [name, amounts] of Object.entries(work)) {
    const kernel = exports[name]
    if (kernel === undefined) continue
    counted[name] = (...parameters) => {
      const start = performance.now()
      const result = kernel(...parameters)
      totals.seconds += (performance.now() - start) / 1000
      const [bytes, flops] = amounts(...parameters)
      totals.bytes += bytes
      totals.flops += flops
      totals.calls[name] = (totals.calls[name] ?? 0) + 1
      return result
    }
  }
  return { exports: counted }
}

/** Least seconds of one call within half a second. */
function best(call) {
  let least = Infinity
  for (const end = performance.now() + 500; performance.now() < end; ) {
    const start = performance.now()
    call()
    least = Math.min(least, performance.now() - start)
  }
  return least / 1000
}

process.on('exit', () => {
  if (exported === null || process.env.BENCH_COUNTS === undefined) return
  const halves = [1, 1].map((value) => Buffer.alloc(2 ** 26, value))
  const read = 2 ** 27 / best(() => halves[0].equals(halves[1]))
  const [order, start] = [256, exported.memory.buffer.byteLength]
  exported.memory.grow(64)
  const compute =
    order ** 3 / best(() => exported.gramF64(start, order, order, order, 1, start + 2 ** 19, start + 2 ** 20))
  appendFileSync(process.env.BENCH_COUNTS, `${JSON.stringify({ ...totals, read, compute })}\n`)
})
