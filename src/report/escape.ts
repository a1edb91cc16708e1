/** Controls, format characters (bidi, zero width, tags), lone surrogates, unassigned, line and paragraph separators. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

const SHORT: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

function escapeCharacter(character: string): string {
  const short = SHORT.get(character)
  if (short !== undefined) return short
  const code = character.codePointAt(0)!
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}

/**
 * Text from a file as a terminal may show it: on one line, without anything that moves the cursor, colours,
 * hides or reorders text. Printable characters of every script stay.
 */
export function escapeText(text: string): string {
  return text.replace(UNPRINTABLE, escapeCharacter)
}
