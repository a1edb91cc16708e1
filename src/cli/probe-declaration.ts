import type { Command } from 'commander'
import type { Choose, Tools } from './command-tools.ts'
import { addOwnOptions, readOwnOptions } from './own-options.ts'
import { probeOptions, probeShared } from './probe-options.ts'

const examples = `Examples:
  $ lipschitz probe model.onnx                                     the best lower bound that a search finds
  $ lipschitz probe model.onnx --effort high --witness pair.json   more work, and the points to check it with
  $ lipschitz probe model.onnx --around image.npy                  how far the input may move before the class changes
  $ lipschitz probe model.onnx --around image.npy --radius 0.1     the lower bound near one input
  $ lipschitz probe critic.onnx --samples batch.npy --json         what a gradient penalty sees`

/** Declares `probe`. */
export function declareProbe(program: Command, choose: Choose, tools: Tools): void {
  const command = program
    .command('probe')
    .summary('lower bounds: local Jacobian norms, certified radius, gradient statistic, witness points')
    .description(
      'Looks at a network from below: searches for two inputs whose outputs are as far apart as possible for their ' +
        'distance, which proves a lower bound of the Lipschitz constant; at a given point it computes the norm of the ' +
        'Jacobian and the radius within which the decision provably stays.',
    )
    .argument('<model>', 'ONNX file')
    .addHelpText('after', `\n${examples}`)
    .action((model: string) =>
      choose({
        command: 'probe',
        model,
        own: readOwnOptions(command, probeOptions),
        flags: tools.flagSource(command),
      }),
    )
  addOwnOptions(command, probeOptions)
  tools.addShared(command, probeShared)
}
