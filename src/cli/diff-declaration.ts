import type { Command } from 'commander'
import type { Choose, Tools } from './command-tools.ts'
import { diffOptions, diffShared } from './diff-options.ts'
import { exitCodes } from './help.ts'
import { addOwnOptions, readOwnOptions } from './own-options.ts'

const examples = `Examples:
  $ lipschitz diff old.onnx new.onnx                              what changed, layer by layer
  $ lipschitz diff net.onnx net.int8.onnx --input-range 0,1       how far the outputs can be apart
  $ lipschitz diff net.onnx net.int8.onnx --input-range 0,1 --max-output-change 0.5
  $ lipschitz diff old.json new.json                              two stored reports`

/** Declares `diff`. */
export function declareDiff(program: Command, choose: Choose, tools: Tools): void {
  const command = program
    .command('diff')
    .summary('two models, or two reports: what changed per layer, in the bounds and at the outputs')
    .description(
      'Compares two models, or two stored reports: layers matched by their place in the graph, how far their weights ' +
        'are apart, how norms, ranks and bounds moved. Two models of one graph, a quantised copy among them, get a ' +
        'proven bound on the difference of their outputs over the domain that --input-range gives.',
    )
    .argument('<old>', 'ONNX file, or a report that `-f json` wrote')
    .argument('<new>', 'the same')
    .addHelpText('after', `\n${examples}\n\n${exitCodes}`)
    .action((old: string, fresh: string) =>
      choose({
        command: 'diff',
        old,
        fresh,
        own: readOwnOptions(command, diffOptions),
        flags: tools.flagSource(command),
      }),
    )
  addOwnOptions(command, diffOptions)
  tools.addShared(command, diffShared)
}
