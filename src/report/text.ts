import { formatCount } from './numbers.ts'

/** East Asian wide and emoji blocks: two columns each in a terminal. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const ZERO_WIDTH = /\p{M}/u
const ASCII = /^[\x20-\x7e]*$/

function characterWidth(character: string): number {
  return ZERO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1
}

/** Columns that escaped text takes in a terminal. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

/** The width of the widest text; 0 of none. */
export function widest(texts: Iterable<string>): number {
  let width = 0
  for (const text of texts) width = Math.max(width, displayWidth(text))
  return width
}

/** The longest start of `characters` that is at most `width` columns wide. */
function startWithin(characters: readonly string[], width: number): string {
  let used = 0
  let count = 0
  while (count < characters.length && used + characterWidth(characters[count]) <= width) {
    used += characterWidth(characters[count++])
  }
  return characters.slice(0, count).join('')
}

/** Cuts text in the middle, where names of layers differ least, to at most `width` columns (at least 1). */
export function cutMiddle(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  const characters = [...text]
  const head = Math.floor((width - 1) / 3)
  const start = startWithin(characters, head)
  const end = startWithin(characters.toReversed(), width - 1 - displayWidth(start))
  return `${start}…${[...end].toReversed().join('')}`
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)))
}

/** Breaks text at spaces into lines of at most `width` columns; a word that is longer stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const candidate = line === '' ? word : `${line} ${word}`
    if (line !== '' && displayWidth(candidate) > width) {
      lines.push(line)
      line = word
    } else {
      line = candidate
    }
  }
  lines.push(line)
  return lines
}

/** 'one layer', '3 layers'. */
export function count(n: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(n)} ${n === 1 ? singular : plural}`
}
