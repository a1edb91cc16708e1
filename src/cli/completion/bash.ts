import type { CommandWords, OptionWords, Values } from './describe.ts'

/** Names before a colon get no space after them, for a path follows. */
function offer(values: Values): string {
  if (values === 'path') return 'COMPREPLY=($(compgen -f -- "$word"))'
  if (values === 'any') return 'COMPREPLY=()'
  return `COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$word"))`
}

function valueCases(options: readonly OptionWords[]): string[] {
  return options
    .filter(({ values }) => values !== null)
    .map(({ names, values }) => `        ${names.join('|')}) ${offer(values!)}; return ;;`)
}

function commandCase({ name, options, operands }: CommandWords): string[] {
  const flags = options.flatMap(({ names }) => names.filter((flag) => flag.startsWith('--')))
  return [
    `    ${name})`,
    '      case "$previous" in',
    ...valueCases(options),
    '      esac',
    `      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '${flags.join(' ')}' -- "$word"))`,
    `      else ${offer(operands)}; fi ;;`,
  ]
}

/** A function for bash, and its registration. `audit` is the command where none is named. */
export function renderBash(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name)
  const lines = [
    '_lipschitz() {',
    `  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command=audit`,
    `  case "\${COMP_WORDS[1]}" in ${names.join('|')}) command="\${COMP_WORDS[1]}" ;; esac`,
    '  if [[ $COMP_CWORD -eq 1 && $word != -* ]]; then',
    `    COMPREPLY=($(compgen -W '${names.join(' ')} help' -- "$word") $(compgen -f -- "$word")); return`,
    '  fi',
    '  case "$command" in',
    ...commands.flatMap(commandCase),
    '  esac',
    '}',
    'complete -o filenames -o bashdefault -F _lipschitz lipschitz',
    '',
  ]
  return lines.join('\n')
}
