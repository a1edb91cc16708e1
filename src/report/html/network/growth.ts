import type { ModelReport, TracePoint } from '../../../audit/report-schema.ts'
import { displayName } from '../../display-name.ts'
import { formatBound, formatCount } from '../../numbers.ts'
import { formatGain } from '../gain.ts'
import { element, escapeHtml, percent, shape, textElement } from '../markup.ts'
import { formatPower, type LogScale, logScale } from '../scale.ts'
import { gainAt } from './blocks.ts'
import type { CriticalPath } from './path.ts'

const LABELS = 4
const DOTS = 600
const HEIGHT = 240

interface Step {
  readonly place: number
  readonly gain: number
}

/** Where the bound rises most along the way, steepest first. */
function steepest(trace: readonly TracePoint[], { places }: CriticalPath): Step[] {
  return places
    .map((place) => ({ place, gain: gainAt(trace, place) ?? 0 }))
    .filter(({ gain }) => gain > 0.02)
    .sort((a, b) => b.gain - a.gain || a.place - b.place)
}

const label = (trace: readonly TracePoint[], { place, gain }: Step) =>
  `${displayName(trace[place].node, 24)} ${formatGain(gain)}`

/** The steepest steps that stand far enough apart to be labelled. */
function labelled(
  steps: readonly Step[],
  x: (place: number) => number,
  y: (place: number) => number,
): Step[] {
  const chosen: Step[] = []
  for (const step of steps) {
    const apart = chosen.every(
      (other) =>
        Math.abs(x(other.place) - x(step.place)) > 0.3 || Math.abs(y(other.place) - y(step.place)) > 0.08,
    )
    if (apart) chosen.push(step)
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

/** A staircase through the points of the way, in a square of 1000 by 1000 that is stretched to the chart. */
function drawWay(
  places: readonly number[],
  x: (place: number) => number,
  y: (place: number) => number,
): string {
  const points = places.map((place, i) => {
    const [across, down] = [Math.round(1000 * x(place)), Math.round(1000 * y(place))]
    return i === 0 ? `M${across} ${down}` : `H${across}V${down}`
  })
  const path = shape('path', { class: 'way', d: points.join('') })
  return element(
    'svg',
    { viewBox: '0 0 1000 1000', preserveAspectRatio: 'none', width: '100%', height: '100%' },
    path,
  )
}

function describeGrowth(trace: readonly TracePoint[], path: CriticalPath, steps: readonly Step[]): string {
  const end = path.places.at(-1)
  const reached = end === undefined ? null : trace[end].log10
  const value = reached === null ? '0' : formatBound({ value: null, log10: reached })
  const named = steps.slice(0, 3).map((step) => label(trace, step))
  const largest = named.length === 0 ? '' : ` Largest steps: ${named.join(', ')}.`
  if (path.obstacle === null) {
    return `The bound reaches ${value} over ${formatCount(trace.length)} nodes.${largest}`
  }
  const { node, op } = trace[path.obstacle]
  return `The bound is lost at ${displayName(op, 40)} ${displayName(node, 40)}, where ${value} enters.${largest}`
}

/** How the bound grows from the inputs to the outputs: a curve along the way of the largest bound. */
export function renderGrowth(model: ModelReport, path: CriticalPath): string {
  const trace = model.trace ?? []
  const bounded = [...trace.keys()].filter((place) => trace[place].log10 !== null)
  const scale = logScale([0, ...bounded.map((place) => trace[place].log10!)])
  const shown =
    path.obstacle === null ? trace.length : Math.min(trace.length, Math.ceil((path.obstacle + 1) * 1.3))
  const x = (place: number) => (place + 0.5) / shown
  const y = (place: number) => 1 - scale.place(trace[place].log10 ?? 0)
  const steps = steepest(trace, path)
  const stride = Math.ceil(bounded.length / DOTS)
  const dots = bounded
    .filter((place, i) => i % stride === 0 && place < shown)
    .map((place) => shape('circle', { class: 'point', cx: percent(x(place)), cy: percent(y(place)), r: 2 }))
  const labels = labelled(steps, x, y).map((step) =>
    drawLabel(label(trace, step), x(step.place), y(step.place)),
  )
  const chart = element(
    'svg',
    { x: 44, y: 16, width: '86%', height: HEIGHT - 40, overflow: 'visible' },
    drawGrid(scale),
    ...dots,
    drawWay(path.places, x, y),
    ...labels,
    path.obstacle === null ? '' : drawObstacle(trace[path.obstacle], x(path.obstacle)),
    shape('text', { class: 'tick', x: '0', y: HEIGHT - 26 }, 'input'),
    shape(
      'text',
      { class: 'tick', x: '100%', y: HEIGHT - 26, 'text-anchor': 'end' },
      path.obstacle === null ? 'output' : '',
    ),
  )
  const words = describeGrowth(trace, path, steps)
  return [
    textElement('p', { class: 'faint' }, `${words} One dot per node, in the order of the graph.`),
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

function drawObstacle({ op, node }: TracePoint, x: number): string {
  const place = percent(x)
  return (
    shape('line', { class: 'obstacle', x1: place, x2: place, y1: '0', y2: '100%' }) +
    shape(
      'text',
      { class: 'label lost', x: place, y: '100%', dx: -8, dy: -8, 'text-anchor': 'end' },
      escapeHtml(`no bound from ${displayName(op, 24)} ${displayName(node, 24)} on`),
    )
  )
}
