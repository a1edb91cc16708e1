import type { ModelReport } from '../../audit/report-schema.ts'
import { describeCertificate, describeObstacle, describeScope, methodName } from '../bound-words.ts'
import { displayName } from '../display-name.ts'
import { layerName } from '../layer-name.ts'
import {
  formatBound,
  formatCount,
  formatFactor,
  formatNumber,
  formatPercent,
  formatShape,
} from '../numbers.ts'
import { element, textElement } from './markup.ts'
import { tellingName } from './telling-name.ts'

const VALUES_SHOWN = 4

function describeValues(values: ModelReport['inputs'] | ModelReport['outputs']): string {
  const shown = values
    .slice(0, VALUES_SHOWN)
    .map(({ name, shape, dtype }) =>
      `${displayName(name, 40)} ${formatShape(shape)} ${dtype ?? ''}`.trimEnd(),
    )
  const rest = values.length - shown.length
  return [...shown, ...(rest > 0 ? [`${rest} more`] : [])].join(', ')
}

function describeOpsets(opsets: ModelReport['opsets']): string {
  return Object.entries(opsets)
    .map(([domain, version]) =>
      domain === '' || domain === 'ai.onnx' ? `opset ${version}` : `${displayName(domain, 30)} ${version}`,
    )
    .join(' · ')
}

/** What the file is, in two lines. */
export function renderFile(model: ModelReport): string {
  const facts = [
    describeOpsets(model.opsets),
    `${formatCount(model.parameters)} parameters`,
    ...(model.producer === '' ? [] : [displayName(model.producer, 60)]),
    `SHA-256 ${model.sha256.slice(0, 12)}…`,
  ]
  return [
    textElement(
      'p',
      { class: 'faint' },
      `${describeValues(model.inputs)} → ${describeValues(model.outputs)}`,
    ),
    textElement('p', { class: 'faint' }, facts.filter((fact) => fact !== '').join(' · ')),
  ].join('')
}

interface Figure {
  readonly title: string
  readonly value: string
  readonly note: string
  /** A name, which may be long, rather than a number. */
  readonly isName?: boolean
}

function upperFigure(model: ModelReport): Figure {
  const { upper } = model.lipschitz
  const title = `Lipschitz constant (${describeScope(model)})`
  if (upper.unbounded) return { title, value: 'no bound', note: describeObstacle(upper) }
  return {
    title,
    value: `≤ ${formatBound(upper)}`,
    note: `${describeCertificate(upper)}; ${methodName(upper.method)} bound`,
  }
}

function lowerFigures({ lipschitz: { upper, lower } }: ModelReport): Figure[] {
  if (lower === null) return []
  const slack = upper.log10 !== null && lower.log10 !== null ? Math.max(0, upper.log10 - lower.log10) : null
  return [
    {
      title: `Lower bound (${methodName(lower.method)})`,
      value: `≥ ${formatBound(lower, 'down')}`,
      note: slack === null ? 'proven' : `the upper bound is at most ${formatFactor(slack)} too large`,
    },
  ]
}

function offsetFigures({ lipschitz: { offset } }: ModelReport): Figure[] {
  if (offset === null || offset === 0) return []
  const note = 'in |f(x) − f(y)| ≤ bound·|x − y| + offset, from quantisation or rounding'
  return [{ title: 'Offset', value: `+ ${formatNumber(offset, 'up')}`, note }]
}

function layerFigures({ layers }: ModelReport): Figure[] {
  if (layers.length === 0) return [{ title: 'Layers', value: '0', note: 'no layer has constant weights' }]
  const [first] = layers
  const share = first.share === null ? '' : `, ${formatPercent(first.share)} of log(bound)`
  const norm = formatNumber(first.spectral.upper, 'up', 4)
  return [
    {
      title: 'Most sensitive layer',
      value: tellingName(layerName(first), first.op, 32),
      isName: true,
      note: `${displayName(first.op, 30)} · ${displayName(first.weight, 60)}: ‖A‖₂ ≤ ${norm}${first.elasticity === null ? '' : share}`,
    },
  ]
}

/** The few numbers that a reader should take away. */
export function renderFigures(model: ModelReport): string {
  const figures = [
    upperFigure(model),
    ...lowerFigures(model),
    ...offsetFigures(model),
    ...layerFigures(model),
  ].map(({ title, value, note, isName }) =>
    element(
      'div',
      {},
      textElement('dt', {}, title),
      textElement('dd', { class: isName ? 'value name' : 'value' }, value),
      textElement('dd', { class: 'faint' }, note),
    ),
  )
  return element('dl', { class: 'figures' }, ...figures)
}
