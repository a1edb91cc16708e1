import { makeProgram } from '../program.ts'
import { oneOf } from '../readers.ts'
import { type Surroundings, writeAll } from '../surroundings.ts'
import { renderBash } from './bash.ts'
import { type CommandWords, describeCommands, shells } from './describe.ts'
import { renderFish } from './fish.ts'
import { renderZsh } from './zsh.ts'

const renderers: Record<(typeof shells)[number], (commands: readonly CommandWords[]) => string> = {
  bash: renderBash,
  zsh: renderZsh,
  fish: renderFish,
}

/** Prints the completion script of a shell. */
export async function runCompletion(shell: string, { stdout }: Surroundings): Promise<number> {
  const render = renderers[oneOf(shells)(shell, 'completion')]
  await writeAll(stdout, render(describeCommands(makeProgram([], () => {}))))
  return 0
}
