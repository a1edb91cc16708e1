import type { ModelReport } from '../../../audit/report-schema.ts'
import { displayName } from '../../display-name.ts'
import { formatBound, formatCount } from '../../numbers.ts'
import { cutMiddle } from '../../text.ts'
import { formatGain, gainClass, legend } from '../gain.ts'
import type { Identifiers } from '../identifiers.ts'
import { element, escapeHtml, shape, textElement } from '../markup.ts'
import type { Block, BlockGraph } from './blocks.ts'
import { blockSize, layOut, type Point } from './layout.ts'
import type { CriticalPath } from './path.ts'

const MOST_OPS = 8

/** A wider graph takes the whole width of the page. */
const COLUMN = 460

/** 'Conv · Relu', or 'input'. */
export function describeOps({ ops }: Block): string {
  return ops.length === 0 ? 'input' : displayName(ops.slice(0, MOST_OPS).join(' · '), 60)
}

export function describeBlock(block: Block): string {
  const bound = block.log10 === null ? '' : `, bound ${formatBound({ value: null, log10: block.log10 })}`
  const nodes = block.places.length === 1 ? '' : ` and ${formatCount(block.places.length - 1)} more`
  const gain =
    block.ops.length === 0 ? '' : `: ${block.unbounded ? 'no bound' : formatGain(block.gain) + bound}`
  return `${describeOps(block)}, ${displayName(block.node, 100)}${nodes}${gain}`
}

/** The first operators, as many as fit. */
function shortenOps(block: Block, most: number): string {
  const { ops } = block
  for (let shown = Math.min(ops.length, MOST_OPS); shown > 1; shown--) {
    const text = `${ops.slice(0, shown).join(' · ')}${shown < ops.length ? ' …' : ''}`
    if (text.length <= most) return displayName(text, most)
  }
  return cutMiddle(describeOps({ ...block, ops: ops.slice(0, 1) }), most)
}

/** A smooth way through the points that a layout gives. */
function drawEdge(points: readonly Point[], isStrong: boolean): string {
  const at = ({ x, y }: Point) => `${Math.round(x)} ${Math.round(y)}`
  const [first, ...rest] = points
  const middles = rest.slice(0, -1).map((point, i) => {
    const next = rest[i + 1]
    const end = i === rest.length - 2 ? next : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 }
    return `Q${at(point)} ${at(end)}`
  })
  const path = `M${at(first)}${middles.join('') || `L${at(points[points.length - 1])}`}`
  return shape('path', { class: isStrong ? 'edge strong' : 'edge', d: path })
}

function drawBlock(block: Block, index: number, corner: Point, ids: Identifiers): string {
  const { width, height } = blockSize
  const style = `block ${gainClass(block.gain)}${block.losesBound ? ' loses' : ''}`
  const middle = corner.y + height / 2
  const gain = block.ops.length === 0 ? '' : block.unbounded ? '∞' : formatGain(block.gain)
  const label = shortenOps(block, Math.floor((width - 24 - 7.2 * gain.length) / 7.4))
  const drawing = [
    textElement('title', {}, describeBlock(block)),
    shape('rect', { x: corner.x, y: corner.y, width, height, rx: 4 }),
    shape('text', { class: 'op', x: corner.x + 8, y: middle - 4 }, escapeHtml(label)),
    shape('text', { class: 'gain', x: corner.x + width - 8, y: middle - 4, 'text-anchor': 'end' }, gain),
    shape(
      'text',
      { class: 'name', x: corner.x + 8, y: middle + 12 },
      escapeHtml(displayName(block.node, 28)),
    ),
  ].join('')
  const attributes = { id: ids.block(index), class: style }
  return block.layer === null
    ? element('g', attributes, drawing)
    : element('a', { ...attributes, href: `#${ids.layer(block.layer)}` }, drawing)
}

function renderLegend(): string {
  const items = legend.map(({ name, words }) =>
    element('li', {}, `<span class="swatch ${name}"></span>`, escapeHtml(words)),
  )
  return element('ul', { class: 'legend', 'aria-label': 'Colours: what a node does to the bound' }, ...items)
}

/** The graph, each block coloured by its gain; blocks that hold a layer lead to its row. */
export function renderGraph(
  model: ModelReport,
  graph: BlockGraph,
  { way }: CriticalPath,
  ids: Identifiers,
): { drawing: string; isWide: boolean } {
  const { blocks, isCoarse } = graph
  const { width, height, corners, edges } = layOut(blocks)
  const strong = new Set(way.slice(1).map((block, i) => `${way[i]} ${block}`))
  const lines = edges.map(({ from, to, points }) => drawEdge(points, strong.has(`${from} ${to}`)))
  const size = formatCount(model.trace?.length ?? 0)
  const what = isCoarse
    ? `${size} nodes, drawn as ${blocks.length} runs of neighbours.`
    : `Nodes that leave the bound unchanged are drawn with the node before them.`
  const drawing = element(
    'svg',
    {
      class: 'graph',
      role: 'group',
      'aria-label': `Graph of the network, ${blocks.length} blocks`,
      width: Math.ceil(width),
      height: Math.ceil(height),
      viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
    },
    ...lines,
    ...blocks.map((block, index) => drawBlock(block, index, corners[index], ids)),
  )
  const markup = [
    textElement('p', { class: 'faint' }, `${what} The thick line is the way of the largest bound.`),
    renderLegend(),
    element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Graph' }, drawing),
  ].join('')
  return { drawing: markup, isWide: width > COLUMN }
}
