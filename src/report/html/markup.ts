const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

/** Text as it may stand between tags and in quoted attributes. Names from files go through `displayName` first. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES.get(character)!)
}

/** Null and false leave an attribute out; true gives it no value. */
export type Attributes = Readonly<Record<string, string | number | boolean | null>>

function writeAttributes(attributes: Attributes): string {
  return Object.entries(attributes)
    .filter(([, value]) => value !== null && value !== false)
    .map(([name, value]) => (value === true ? ` ${name}` : ` ${name}="${escapeHtml(String(value))}"`))
    .join('')
}

/** An element around markup: `content` must be escaped already. Attributes are escaped here. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  return `<${name}${writeAttributes(attributes)}>${content.join('')}</${name}>`
}

/** An element around text, which is escaped here. */
export function textElement(name: string, attributes: Attributes, text: string): string {
  return element(name, attributes, escapeHtml(text))
}

/** A drawn shape of SVG; coordinates have at most two decimals. */
export function shape(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const rounded = Object.entries(attributes).map(([key, value]) => [
    key,
    typeof value === 'number' ? Number(value.toFixed(2)) : value,
  ])
  return element(name, Object.fromEntries(rounded), ...content)
}

/** A share of a width from 0 to 1, as SVG takes it. */
export function percent(share: number): string {
  return `${Number((100 * share).toFixed(2))}%`
}
