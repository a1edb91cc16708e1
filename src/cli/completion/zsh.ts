import { type CommandWords, type OptionWords, quote, type Values } from './describe.ts'

/** What stands behind the last colon of a specification of _arguments. */
function action(values: Values): string {
  if (values === 'path') return '_files'
  return values === 'any' ? '' : `(${values.join(' ')})`
}

/** Brackets and colons end a description there. */
function describe(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&')
}

function optionSpecs({ names, summary, values }: OptionWords): string[] {
  const value = values === null ? '' : `:value:${action(values)}`
  return names.map((name) => `      ${quote(`*${name}[${describe(summary)}]${value}`)} \\`)
}

function commandCase({ name, options, operands }: CommandWords): string[] {
  return [
    `    ${name})`,
    '      _arguments \\',
    ...options.flatMap(optionSpecs),
    `      ${quote(`*:operand:${action(operands)}`)} ;;`,
  ]
}

/** A function for zsh's fpath. `audit` is the command where none is named. */
export function renderZsh(commands: readonly CommandWords[]): string {
  const entries = commands.map(({ name, summary }) => `    ${quote(`${name}:${describe(summary)}`)}`)
  const lines = [
    '#compdef lipschitz',
    '_lipschitz() {',
    '  local command=audit',
    '  local -a commands=(',
    ...entries,
    '  )',
    '  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then _describe command commands; _files; return; fi',
    '  if (( $commands[(I)$words[2]:*] )); then',
    '    command=$words[2]; shift words; (( CURRENT-- ))',
    '  fi',
    '  case $command in',
    ...commands.flatMap(commandCase),
    '  esac',
    '}',
    'if [[ $funcstack[1] == _lipschitz ]]; then _lipschitz "$@"; else compdef _lipschitz lipschitz; fi',
    '',
  ]
  return lines.join('\n')
}
