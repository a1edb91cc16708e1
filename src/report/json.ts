import type { Report } from '../audit/report-schema.ts'

const LINE = 180

/** What a terminal or an editor would act on or hide, though JSON may hold it as it is. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

function escapeUnits(characters: string): string {
  return Array.from({ length: characters.length }, (_, i) => {
    return `\\u${characters.charCodeAt(i).toString(16).padStart(4, '0')}`
  }).join('')
}

/** A JSON string of the same value in which everything can be seen. */
function quote(text: string): string {
  return JSON.stringify(text).replace(INVISIBLE, escapeUnits)
}

/**
 * JSON of two-space indentation in which everything that fits on a line stays on it: shapes and enclosures read
 * as in prose, and a diff of two reports shows one line per fact. Undefined members are left out.
 */
function stringify(value: unknown, indent: string, room: number): string {
  if (typeof value === 'string') return quote(value)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const isArray = Array.isArray(value)
  const members = isArray
    ? value.map((item) => ['', item])
    : Object.entries(value).filter(([, item]) => item !== undefined)
  const [open, close] = isArray ? '[]' : '{}'
  if (members.length === 0) return open + close
  const inner = `${indent}  `
  const parts = members.map(([key, item]) => {
    const label = isArray ? '' : `${quote(key)}: `
    return label + stringify(item, inner, LINE - inner.length - label.length - 1)
  })
  const padding = isArray ? '' : ' '
  const length = parts.reduce((sum, part) => sum + part.length + 2, 2 * padding.length)
  if (length <= room && !parts.some((part) => part.includes('\n')))
    return open + padding + parts.join(', ') + padding + close
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`
}

/** Any value that JSON can hold, keys in its own order, as a text that ends with a line. */
export function renderValue(value: unknown): string {
  return `${stringify(value, '', LINE)}\n`
}

/** The report as it is. Equal reports give equal bytes. */
export function renderJson(report: Report): string {
  return renderValue(report)
}
