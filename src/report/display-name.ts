import { escapeText } from './escape.ts'
import { cutMiddle } from './text.ts'

const NAME_MOST = 200
const SENTENCE_MOST = 1000

/** The start and the end of a text that is far longer than anybody reads, so that handling it costs nothing. */
function shorten(text: string, most: number): string {
  return text.length > 4 * most ? text.slice(0, 2 * most) + text.slice(-2 * most) : text
}

/** A name from a file as people read it: escaped, on one line, cut in the middle where it is very long. */
export function displayName(name: string, most = NAME_MOST): string {
  return cutMiddle(escapeText(shorten(name, most)), most)
}

/** A message that may hold names from a file: escaped, on one line, cut where it is very long. */
export function displayMessage(message: string): string {
  return displayName(message, SENTENCE_MOST)
}
