// Bounds of the collection of real models against goals and published values:
//   npm run build && npm run bench:bounds -- [--effort normal] <folder of models>
// One line a model: the rungs, the best against its reference, and the processor time of the audit.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { audit } from '../dist/index.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { effort: { type: 'string', default: 'normal' } },
})
const root = positionals[0] ?? '.'

/** The rows of a table with names of columns in its first line, by the first column and, where it has one, the seed. */
function readTable(path) {
  if (!existsSync(path)) return new Map()
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split('\n')
  const names = head.split('\t')
  return new Map(
    lines.map((line) => {
      const cells = line.split('\t')
      const row = Object.fromEntries(names.map((name, i) => [name, cells[i]]))
      return [row.seed === undefined ? row.net : `${row.net}_seed${row.seed}`, row]
    }),
  )
}

const published = readTable(join(root, 'glipsdp/PUBLISHED.tsv'))
const exact = readTable(join(root, 'exact/EXACT.tsv'))

/** What each folder's models are held against: the value, and how much of it the bound may be. */
const goals = {
  glipsdp: (name, rungs) => {
    const row = published.get(name)
    if (row?.LipSDP) return { of: 'LipSDP', reference: Number(row.LipSDP), limit: 1.005 }
    return { of: 'product', reference: rungs['spectral-product'], limit: 0.6 }
  },
  exact: (name) => ({
    of: 'exact',
    reference: Number(exact.get(name)?.exact),
    limit: 1 + 1e-6,
  }),
  'vnncomp/acasxu': (_, rungs) => ({ of: 'product', reference: rungs['spectral-product'], limit: 1 / 20 }),
  'vnncomp/mnist_fc': (name, rungs) => ({
    of: 'product',
    reference: rungs['spectral-product'],
    limit: 1 / { x2: 2.5, x4: 3.5, x6: 7 }[name.slice(-2)],
  }),
  'vnncomp/oval21': (_, rungs) => ({ of: 'product', reference: rungs['spectral-product'], limit: 0.51 }),
  'vnncomp/marabou-cifar10': (_, rungs) => ({ of: 'mean-slope', reference: rungs['mean-slope'], limit: 0.7 }),
  'vnncomp/verivital': (_, rungs) => ({ of: 'mean-slope', reference: rungs['mean-slope'], limit: 1 }),
  'vnncomp/collins_rul_cnn': (_, rungs) => ({ of: 'mean-slope', reference: rungs['mean-slope'], limit: 1 }),
  rten: (_, rungs) => ({ of: 'mean-slope', reference: rungs['mean-slope'], limit: 1 }),
  'vnncomp/eran': (_, rungs) => ({ of: 'graph', reference: rungs.graph, limit: 1 / 2.3 }),
  'vnncomp/cifar10_resnet': (_, rungs) => ({ of: 'graph', reference: rungs.graph, limit: 1 / 1.5 }),
}

const cell = (value) => (value == null ? '-' : Number(value).toPrecision(7))
console.log(
  ['model', 'product', 'graph', 'mean-slope', 'sdp', 'exact', 'lower', 'best', 'goal', 'met', 'seconds'].join(
    '\t',
  ),
)
for (const [folder, goalOf] of Object.entries(goals)) {
  const path = join(root, folder)
  for (const file of existsSync(path) ? readdirSync(path).sort() : []) {
    if (!file.endsWith('.onnx')) continue
    const start = process.cpuUsage()
    const report = await audit(join(path, file), { effort: values.effort, threads: 1 })
    const { lipschitz } = report.models[0]
    const seconds = process.cpuUsage(start).user / 1e6
    const rungs = Object.fromEntries(lipschitz.ladder.map(({ method, value }) => [method, value]))
    const name = file.replace('.onnx', '')
    const { of, reference, limit } = goalOf(name, rungs)
    const ratio = lipschitz.upper.value / reference
    console.log(
      [
        name,
        ...['spectral-product', 'graph', 'mean-slope', 'sdp', 'exact'].map((method) => cell(rungs[method])),
        cell(lipschitz.lower?.value),
        `${ratio.toPrecision(5)} x ${of}`,
        limit.toPrecision(7),
        ratio <= limit ? 'yes' : 'no',
        seconds.toFixed(2),
      ].join('\t'),
    )
  }
}
