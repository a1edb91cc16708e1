import type { Layer, ModelReport } from '../../audit/report-schema.ts'
import { displayMessage, displayName } from '../display-name.ts'
import { layerName } from '../layer-name.ts'
import { formatCount, formatNumber, formatPercent, formatShape } from '../numbers.ts'
import type { RenderOptions } from '../renderer.ts'
import { sortLayers } from '../sort.ts'
import { gainClass } from './gain.ts'
import type { Identifiers } from './identifiers.ts'
import { element, percent, shape, textElement } from './markup.ts'
import { formatPower, type LogScale, logScale } from './scale.ts'

const MOST_ROWS = 500
const DIGITS = 5

interface Column {
  readonly title: string
  /** What the title means, where it is short for something. */
  readonly meaning?: string
  /** How the script sorts it; columns without are not sorted. */
  readonly sort?: 'number' | 'text'
  /** Which way the first click sorts. */
  readonly first?: 'ascending' | 'descending'
  cell(layer: Layer): { readonly text: string; readonly value: number | string | null }
}

const number = (value: number | null, text: string) => ({ value, text })

const columns: readonly Column[] = [
  {
    title: '‖A‖₂ lower',
    meaning: 'proven lower bound of the spectral norm',
    sort: 'number',
    cell: ({ spectral }) => number(spectral.lower, formatNumber(spectral.lower, 'down', DIGITS)),
  },
  {
    title: '‖A‖₂ upper',
    meaning: 'proven upper bound of the spectral norm: the factor that the layer puts into the bound',
    sort: 'number',
    cell: ({ spectral }) =>
      spectral.unbounded
        ? number(Number.POSITIVE_INFINITY, '∞')
        : number(spectral.upper, formatNumber(spectral.upper, 'up', DIGITS)),
  },
  {
    title: 'Share',
    meaning: 'share of the layer in the logarithm of the bound',
    sort: 'number',
    cell: ({ share }) => number(share, formatPercent(share)),
  },
  {
    title: 'Elasticity',
    meaning: 'by how many percent the bound changes when the norm changes by one percent',
    sort: 'number',
    cell: ({ elasticity }) => number(elasticity, formatNumber(elasticity, 'nearest', 3)),
  },
  {
    title: '‖A‖F',
    meaning: 'Frobenius norm of the layer as a linear map',
    sort: 'number',
    cell: ({ frobenius }) => number(frobenius.operator, formatNumber(frobenius.operator, 'nearest', DIGITS)),
  },
  {
    title: 'Stable rank',
    meaning: '‖A‖F² / ‖A‖₂²',
    sort: 'number',
    cell: ({ stableRank }) => number(stableRank, formatNumber(stableRank, 'nearest', 4)),
  },
  {
    title: 'Parameters',
    sort: 'number',
    cell: ({ parameters }) => number(parameters, formatCount(parameters)),
  },
  {
    title: 'Kind',
    sort: 'text',
    cell: ({ kind, shape }) => {
      const text = `${kind} ${formatShape(shape)}`
      return { text, value: text }
    },
  },
  {
    title: 'Place',
    meaning: 'place in the order of the graph',
    sort: 'number',
    first: 'ascending',
    cell: ({ order }) => number(order, formatCount(order)),
  },
]

const log = (value: number) => Math.log10(value)

function barScale(layers: readonly Layer[]): LogScale {
  const norms = layers.map(({ spectral }) => spectral.upper).filter((norm) => norm !== null && norm > 0)
  return logScale([0, ...norms.map((norm) => log(norm!))], 4)
}

/** A bar from 1, the norm that neither grows nor damps, to the lower bound, and on to the upper one. */
function drawBar({ spectral: { lower, upper, unbounded, reason } }: Layer, scale: LogScale): string {
  if (unbounded || upper === null)
    return textElement('span', { class: 'lost' }, displayMessage(reason ?? 'no norm'))
  const one = scale.place(0)
  const clamp = (norm: number) => (norm > 0 ? Math.max(0, scale.place(log(norm))) : 0)
  const [low, high] = [clamp(lower ?? 0), clamp(upper)]
  const span = (from: number, to: number) => ({
    x: percent(Math.min(from, to)),
    width: percent(Math.abs(to - from)),
  })
  const colour = gainClass(upper > 0 ? log(upper) : Number.NEGATIVE_INFINITY)
  const parts = [
    shape('line', { class: 'grid one', x1: percent(one), x2: percent(one), y1: '0', y2: '100%' }),
    shape('rect', {
      class: `bar ${colour}`,
      ...span(one, high >= one ? Math.max(low, one) : high),
      y: 5,
      height: 10,
    }),
    ...(high - low > 0.001
      ? [shape('rect', { class: `gap ${colour}`, ...span(low, high), y: 5, height: 10 })]
      : []),
    shape('line', { class: 'end', x1: percent(high), x2: percent(high), y1: 3, y2: 17 }),
  ]
  return element('svg', { class: 'norm', 'aria-hidden': 'true' }, ...parts)
}

function drawAxis(scale: LogScale): string {
  const ticks = scale.ticks.map((tick) =>
    shape(
      'text',
      { class: 'tick', x: percent(scale.place(tick)), y: 11, 'text-anchor': 'middle' },
      formatPower(tick),
    ),
  )
  return element('svg', { class: 'norm axis', 'aria-hidden': 'true' }, ...ticks)
}

function renderCell(column: Column, layer: Layer): string {
  const { text, value } = column.cell(layer)
  const isNumber = column.sort === 'number'
  const sortable =
    typeof value === 'number' && Number.isFinite(value) ? value : value === null ? '' : String(value)
  return textElement(
    'td',
    { class: isNumber ? 'number' : 'kind', 'data-value': isNumber ? sortable : null },
    text,
  )
}

function renderName(layer: Layer, block: number | undefined, ids: Identifiers): string {
  const name = displayName(layerName(layer), 60)
  return element(
    'th',
    { scope: 'row', class: 'layer' },
    block === undefined
      ? textElement('span', {}, name)
      : textElement('a', { href: `#${ids.block(block)}` }, name),
    textElement('small', {}, `${displayName(layer.op, 30)} · ${displayName(layer.weight, 44)}`),
  )
}

function renderHead(scale: LogScale): string {
  const heading = ({ title, meaning, sort, first }: Column) =>
    textElement(
      'th',
      {
        scope: 'col',
        class: sort === 'number' ? 'number' : null,
        title: meaning ?? null,
        'data-sort': sort ?? null,
        'data-first': first ?? (sort === 'number' ? 'descending' : 'ascending'),
      },
      title,
    )
  const own = [
    heading({
      title: '#',
      meaning: 'rank: 1 is the most sensitive layer',
      sort: 'number',
      first: 'ascending',
      cell,
    }),
    heading({ title: 'Layer', sort: 'text', first: 'ascending', cell }),
    element('th', { scope: 'col', class: 'plot' }, '<span>Norm, from 1</span>', drawAxis(scale)),
  ]
  return element('thead', {}, element('tr', {}, ...own, ...columns.map(heading)))
}

const cell = () => ({ text: '', value: null })

/** Every layer with its bar and its numbers; sorted and filtered by the script, readable without. */
export function renderLayers(
  model: ModelReport,
  blockOfLayer: ReadonlyMap<string, number>,
  ids: Identifiers,
  options: Pick<RenderOptions, 'sort' | 'top'>,
): string {
  if (model.layers.length === 0) return '<p class="faint">No layer has constant weights.</p>'
  const sorted = sortLayers(model.layers, options.sort)
  const layers = sorted.slice(0, Math.min(options.top ?? MOST_ROWS, MOST_ROWS))
  const scale = barScale(layers)
  const rows = layers.map((layer) =>
    element(
      'tr',
      { id: ids.layer(layer.rank) },
      textElement('td', { class: 'number rank', 'data-value': layer.rank }, String(layer.rank)),
      renderName(layer, blockOfLayer.get(layer.node), ids),
      element('td', { class: 'plot' }, drawBar(layer, scale)),
      ...columns.map((column) => renderCell(column, layer)),
    ),
  )
  const left = sorted.length - layers.length
  const note = left === 0 ? '' : `${formatCount(left)} layers more are in the JSON report.`
  const filter = element(
    'p',
    { class: 'controls', hidden: true },
    `<label>Filter <input type="search" placeholder="name, operator, kind, weight"></label> `,
    '<output aria-live="polite"></output>',
  )
  return element(
    'div',
    { class: 'layers' },
    filter,
    element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Layers' },
      element('table', {}, renderHead(scale), element('tbody', {}, ...rows)),
    ),
    note === '' ? '' : textElement('p', { class: 'faint' }, note),
  )
}
