// Speed of the WebAssembly kernels against what this machine can read, in one process and thread:
//   node bench/kernels.mjs
// Each figure is the best of many short runs, so that other work on the machine disturbs it little.
import { readFileSync } from 'node:fs'

const file = new URL('../dist/kernels.wasm', import.meta.url)
const kernels = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file))).exports
const { memory } = kernels
const START = 65536
memory.grow(3200)

/** Best time of one call, in seconds: at least `runs` runs and a second of them. */
function best(call, runs = 20) {
  let least = Infinity
  const end = performance.now() + 1000
  for (let run = 0; run < runs || performance.now() < end; run++) {
    const start = performance.now()
    call()
    least = Math.min(least, performance.now() - start)
  }
  return least / 1000
}

function row(name, seconds, bytes, flops) {
  const rate = (value) => (value === 0 ? '' : (value / seconds / 1e9).toFixed(1))
  console.log(`| ${name} | ${(seconds * 1000).toFixed(2)} ms | ${rate(bytes)} | ${rate(flops)} |`)
}

console.log('| kernel | time | GB/s | GFLOP/s |\n|---|--:|--:|--:|')

const halves = [0, 1].map((half) => Buffer.from(memory.buffer, START + half * 2 ** 26, 2 ** 26).fill(1))
row(
  'read 128 MB (memcmp)',
  best(() => halves[0].equals(halves[1])),
  2 ** 27,
  0,
)

for (const n of [512, 2048, 4096]) {
  const size = n * n
  const weights = new Float32Array(memory.buffer, START, size)
  for (let i = 0; i < size; i++) weights[i] = ((i * 7919) % 1009) / 1009 - 0.5
  const vector = (index) => START + size * 4 + index * n * 8
  new Float64Array(memory.buffer, vector(0), 8 * n).fill(0.01)
  const [v, u, z, y, panel] = [0, 1, 2, 3, 4].map(vector)
  const bytes = size * 4
  row(
    `fused AᵀA on two vectors, ${n}², float32`,
    best(() => kernels.normalPairF32(START, n, n, v, u, z, y, panel)),
    bytes,
    8 * size,
  )
  row(
    `A on one vector, ${n}²`,
    best(() => kernels.imageF32(START, n, n, v, z)),
    bytes,
    2 * size,
  )
  row(
    `survey, ${n}²`,
    best(() => kernels.surveyF32(START, n, n, z, y)),
    bytes,
    0,
  )
}

for (const n of [256, 1024]) {
  const size = n * n
  const gram = START + size * 4
  const packed = gram + size * 8
  row(
    `Gram matrix, ${n}²`,
    best(() => kernels.gramF32(START, n, n, n, 1, gram, packed), 3),
    0,
    size * n,
  )
  const matrix = new Float64Array(memory.buffer, gram, size)
  const factorise = () => {
    matrix.fill(0.5)
    for (let i = 0; i < n; i++) matrix[i * n + i] = n
    kernels.cholesky(gram, n, packed)
  }
  row(`Cholesky, ${n}²`, best(factorise, 3), 0, (size * n) / 3)
}
