import type { Command } from 'commander'
import type { Choose, Tools } from './command-tools.ts'
import type { OptionName } from './options.ts'

/** Options of `merge`: how the joined report is judged, written and made. */
const mergeOptions = [
  'format',
  'output',
  'json',
  'top',
  'sort',
  'stepSummary',
  'maxLipschitz',
  'maxLayer',
  'baseline',
  'maxIncrease',
  'updateBaseline',
  'inconclusive',
  'exitCode',
  'config',
  'threads',
  'timeLimit',
  'memoryLimit',
  'quiet',
  'verbose',
  'debug',
  'color',
  'progress',
] as const satisfies readonly OptionName[]

const examples = `Examples:
  $ lipschitz audit big.onnx --shard 1/2 -o part-1.json
  $ lipschitz audit big.onnx --shard 2/2 -o part-2.json
  $ lipschitz merge part-*.json --max-lipschitz 100`

/** Declares `merge`. */
export function declareMerge(program: Command, choose: Choose, tools: Tools): void {
  const command = program
    .command('merge')
    .summary('join the reports of shards into one, and judge its gates')
    .description(
      'Joins the reports of all shards of one run into the report of the whole, byte for byte that of a run without ' +
        'shards, and judges the gates. Models whose layers were parted among shards are read again for their bounds.',
    )
    .argument('<report.json...>', 'reports that audit --shard i/n wrote, in any order')
    .addHelpText('after', `\n${examples}`)
    .action((paths: string[]) => choose({ command: 'merge', paths, flags: tools.flagSource(command) }))
  tools.addShared(command, mergeOptions)
}
