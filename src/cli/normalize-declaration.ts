import type { Command } from 'commander'
import type { Choose, Tools } from './command-tools.ts'
import { normalizeOptions, normalizeShared } from './normalize-options.ts'
import { addOwnOptions, readOwnOptions } from './own-options.ts'

const examples = `Examples:
  $ lipschitz normalize model.onnx -o out.onnx                      no layer above norm 1
  $ lipschitz normalize model.onnx -o out.onnx --target 2 --layers '**/fc*'
  $ lipschitz normalize model.onnx -o out.onnx --to-lipschitz 10 --spread sensitivity

What a scaled model still gets right is not known: evaluate it.`

/** Declares `normalize`. */
export function declareNormalize(program: Command, choose: Choose, tools: Tools): void {
  const command = program
    .command('normalize')
    .summary('write a model whose layers, or whose bound, are within a limit')
    .description(
      'Writes a copy of a model in which the weights of dense and convolution layers are scaled until their norms ' +
        'provably do not exceed a limit. Only bytes of weights change; the copy is audited before it takes its name.',
    )
    .argument('<model>', 'ONNX file; only read')
    .addHelpText('after', `\n${examples}`)
    .action((model: string) =>
      choose({
        command: 'normalize',
        model,
        own: readOwnOptions(command, normalizeOptions),
        flags: tools.flagSource(command),
      }),
    )
  addOwnOptions(command, normalizeOptions)
  tools.addShared(command, normalizeShared)
}
