/**
 * Everything that begins markup, HTML, a link, a table's cell, mathematics, a mention or an emoji. An underscore
 * within a word does not.
 */
const ACTIVE = /[&<>|`*[\]#!~\\@${}]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?! )|(?<=www)\./gi

/** A text in which Markdown sees nothing but text, on its line; entities are no structure in any dialect. */
export function escapeMarkdown(text: string): string {
  return text.replace(ACTIVE, (character) => `&#${character.charCodeAt(0)};`)
}

/** A name in the type of code. An element, because what stands in backticks reads differently within tables. */
export function code(name: string): string {
  return `<code>${escapeMarkdown(name)}</code>`
}

/** A table of Markdown; cells are markup already. `right` names the columns of numbers. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (right.includes(i) ? '--:' : '---'))), ...rows.map(line)]
}
