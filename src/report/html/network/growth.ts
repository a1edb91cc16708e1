import { formatBound, formatCount } from '../../numbers.ts'
import { formatGain } from '../gain.ts'
import { element, escapeHtml, percent, shape, textElement } from '../markup.ts'
import { formatPower, type LogScale, logScale } from '../scale.ts'
import { tellingName } from '../telling-name.ts'
import type { Block } from './blocks.ts'
import type { CriticalPath } from './path.ts'

const LABELS = 4
const HEIGHT = 240

/** Where the bound rises most along the way, steepest first. */
function steepest(blocks: readonly Block[], { way }: CriticalPath): number[] {
  const gain = (block: number) => blocks[block].gain ?? 0
  return way.filter((block) => gain(block) > 0.02).sort((a, b) => gain(b) - gain(a) || a - b)
}

const nameOf = ({ node, ops }: Block, most: number) => tellingName(node, ops[0] ?? '', most)

const label = (block: Block) => `${nameOf(block, 24)} ${formatGain(block.gain)}`

/** Where a block stands in the chart, as a share of its width or height. */
type Place = (block: number) => number

/** The steepest steps that stand far enough apart to be labelled. */
function labelled(steps: readonly number[], x: Place, y: Place): number[] {
  const chosen: number[] = []
  for (const step of steps) {
    const isFree = chosen.every(
      (other) => Math.abs(x(other) - x(step)) > 0.3 || Math.abs(y(other) - y(step)) > 0.08,
    )
    if (isFree) chosen.push(step)
    if (chosen.length === LABELS) break
  }
  return chosen
}

function drawGrid(scale: LogScale): string {
  return scale.ticks
    .map((tick) => {
      const y = percent(1 - scale.place(tick))
      return (
        shape('line', { class: tick === 0 ? 'grid one' : 'grid', x1: '0', x2: '100%', y1: y, y2: y }) +
        shape('text', { class: 'tick', x: -8, y, dy: 4, 'text-anchor': 'end' }, formatPower(tick))
      )
    })
    .join('')
}

/** A staircase along the way, in a square of 1000 by 1000 that is stretched to the chart. */
function drawWay(way: readonly number[], x: Place, y: Place): string {
  const points = way.map((block, i) => {
    const [across, down] = [Math.round(1000 * x(block)), Math.round(1000 * y(block))]
    return i === 0 ? `M${across} ${down}` : `H${across}V${down}`
  })
  const size = { viewBox: '0 0 1000 1000', preserveAspectRatio: 'none', width: '100%', height: '100%' }
  return element('svg', size, shape('path', { class: 'way', d: points.join('') }))
}

function describeGrowth(
  blocks: readonly Block[],
  { way, obstacle }: CriticalPath,
  steps: readonly number[],
): string {
  const end = way.at(-1)
  const reached = end === undefined ? null : blocks[end].log10
  const value = reached === null ? '0' : formatBound({ value: null, log10: reached })
  const named = steps.slice(0, 3).map((step) => label(blocks[step]))
  const largest = named.length === 0 ? '' : ` Largest steps: ${named.join(', ')}.`
  if (obstacle === null) return `The bound reaches ${value} in ${formatCount(blocks.length)} steps.${largest}`
  return `The bound is lost at ${nameOf(blocks[obstacle], 40)}, where ${value} enters.${largest}`
}

/** How the bound grows from the inputs to the outputs: a curve along the way of the largest bound. */
export function renderGrowth(blocks: readonly Block[], path: CriticalPath): string {
  const { way, obstacle } = path
  const bounded = [...blocks.keys()].filter((block) => blocks[block].log10 !== null)
  const scale = logScale([0, ...bounded.map((block) => blocks[block].log10!)])
  // Where the bound is lost, what lies far behind is left out
  const shown = obstacle === null ? blocks.length : Math.min(blocks.length, Math.ceil((obstacle + 1) * 1.3))
  const x: Place = (block) => (block + 0.5) / shown
  const y: Place = (block) => 1 - scale.place(blocks[block].log10 ?? 0)
  const steps = steepest(blocks, path)
  const dots = bounded
    .filter((block) => block < shown)
    .map((block) => shape('circle', { class: 'point', cx: percent(x(block)), cy: percent(y(block)), r: 2 }))
  const labels = labelled(steps, x, y).map((step) => drawLabel(label(blocks[step]), x(step), y(step)))
  const end = obstacle === null ? 'output' : ''
  const chart = element(
    'svg',
    { x: 44, y: 16, width: '86%', height: HEIGHT - 40, overflow: 'visible' },
    drawGrid(scale),
    ...dots,
    drawWay(way, x, y),
    ...labels,
    obstacle === null ? '' : drawObstacle(blocks[obstacle], x(obstacle)),
    shape('text', { class: 'tick', x: '0', y: HEIGHT - 26 }, 'input'),
    shape('text', { class: 'tick', x: '100%', y: HEIGHT - 26, 'text-anchor': 'end' }, end),
  )
  const words = describeGrowth(blocks, path, steps)
  return [
    textElement('p', { class: 'faint' }, `${words} One dot per block of the graph, in its order.`),
    element('svg', { class: 'growth', height: HEIGHT, role: 'img', 'aria-label': words }, chart),
  ].join('')
}

/** Above the curve where there is room to the left, else below it to the right. */
function drawLabel(text: string, x: number, y: number): string {
  const isLeft = x > 0.5
  const mark = shape('circle', { class: 'mark', cx: percent(x), cy: percent(y), r: 4 })
  const attributes = {
    class: 'label',
    x: percent(x),
    y: percent(y),
    dx: isLeft ? -8 : 8,
    dy: isLeft ? -4 : 14,
    'text-anchor': isLeft ? 'end' : 'start',
  }
  return mark + shape('text', attributes, escapeHtml(text))
}

function drawObstacle(block: Block, x: number): string {
  const place = percent(x)
  return (
    shape('line', { class: 'obstacle', x1: place, x2: place, y1: '0', y2: '100%' }) +
    shape(
      'text',
      { class: 'label lost', x: place, y: '100%', dx: -8, dy: -14, 'text-anchor': 'end' },
      escapeHtml(`no bound from ${nameOf(block, 24)} on`),
    )
  )
}
