// Holds claimed bounds against what onnxruntime computes:
//   npm run soundness -- [--runs 1500] [--seed 1] [--range 0,1] <models or folders>
// With --range all inputs lie in it, and claims may use that.
// One line per output: verdict, measured lower bound, claimed L, offset, their ratio, model, output. Exits with 1 where a claim is too small.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runnerImport } from 'vite'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '1500' },
    seed: { type: 'string', default: '1' },
    range: { type: 'string' },
    quiet: { type: 'boolean', default: false },
  },
})

const box = values.range?.split(',').map(Number)
if (box !== undefined && !(box.length === 2 && box[0] < box[1])) throw new Error('--range wants two numbers')

const helpers = (name) => fileURLToPath(new URL(`../test/helpers/soundness/${name}.ts`, import.meta.url))
const load = async (name) => (await runnerImport(helpers(name), { logLevel: 'error' })).module
const { judgeModel } = await load('soundness')
const { samplesBeside } = await load('samples')

function* modelsIn(path) {
  if (!statSync(path).isDirectory()) yield path
  else
    for (const name of readdirSync(path).sort()) {
      const inner = join(path, name)
      if (statSync(inner).isDirectory() || name.endsWith('.onnx')) yield* modelsIn(inner)
    }
}

const number = (x) => (x === Infinity ? 'none' : x.toPrecision(6))
const counts = { holds: 0, fails: 0, refused: 0, skipped: 0, unread: 0 }
const line = (kind, ...cells) => {
  counts[kind]++
  if (!values.quiet || kind === 'fails') console.log([kind, ...cells].join('\t'))
}

for (const path of positionals.flatMap((root) => [...modelsIn(root)])) {
  try {
    const { verdicts, skipped } = await judgeModel(path, {
      samples: samplesBeside(path),
      runs: Number(values.runs),
      seed: Number(values.seed),
      box,
    })
    for (const { output, claimed, offset, measured, refusal, holds } of verdicts) {
      if (refusal !== null) line('refused', path, output, refusal)
      else if (skipped !== null) line('skipped', path, output, number(claimed), skipped)
      else
        line(
          holds ? 'holds' : 'fails',
          number(measured),
          number(claimed),
          number(offset),
          claimed === 0 ? '-' : (measured / claimed).toFixed(4),
          path,
          output,
        )
    }
  } catch (error) {
    line('unread', path, String(error.message).split('\n')[0])
  }
}
console.log(
  Object.entries(counts)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', '),
)
process.exitCode = counts.fails > 0 ? 1 : 0
