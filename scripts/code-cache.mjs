// Writes V8's code cache of the command line after an audit, so that it holds the functions that an audit needs.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFile, loadProgram } from '../bin/load.js'

const fixtures = ['digits-mlp', 'digits-resnet'].map((name) =>
  join(import.meta.dirname, '../fixtures/trained', `${name}.onnx`),
)
process.argv = [
  ...process.argv.slice(0, 2),
  'audit',
  ...fixtures,
  '--no-config',
  '-f',
  'table',
  '--threads',
  '1',
]
const { script, run } = loadProgram()
await run()
writeFileSync(cacheFile, script.createCachedData())
