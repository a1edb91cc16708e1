import { element, escapeHtml } from './markup.ts'

/** Code and links within a line; a link becomes its text, since pages of the documentation are not in the file. */
function renderInline(text: string): string {
  return escapeHtml(text)
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/`([^`]+)`/g, '<code>$1</code>')
}

/**
 * The Markdown that the pages of findings are written in: paragraphs and lists, code within lines. Headings are left
 * out: the finding names itself.
 */
export function renderMarkdown(text: string): string {
  return text
    .trim()
    .split(/\n\s*\n/)
    .filter((block) => !block.startsWith('#'))
    .map((block) => {
      if (!block.startsWith('- ')) return element('p', {}, renderInline(block.replaceAll('\n', ' ')))
      const items = block.split(/\n?^- /m).slice(1)
      return element(
        'ul',
        {},
        ...items.map((item) => element('li', {}, renderInline(item.replace(/\s+/g, ' ')))),
      )
    })
    .join('\n')
}
