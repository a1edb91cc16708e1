import type { LayerDiff, ModelDiff } from '../../audit/diff/diff-schema.ts'
import type { Bound, Gate } from '../../audit/report-schema.ts'
import { describeCertificate, describeObstacle } from '../bound-words.ts'
import { displayMessage, displayName } from '../display-name.ts'
import { layerName } from '../layer-name.ts'
import { formatBound, formatNumber, formatPercent } from '../numbers.ts'
import { count } from '../text.ts'

/** A comparison in words, for every format: names are escaped and cut, nothing is coloured or marked up. */

/** The layer's name; both where it was renamed. */
export function nameOf(layer: LayerDiff, most: number): string {
  const names = [layer.old, layer.new].filter((side) => side !== null).map(layerName)
  return [...new Set(names)].map((name) => displayName(name, most)).join(' → ')
}

/** What became of the layer. */
export function statusOf({ status, renamed }: LayerDiff): string {
  return renamed && status !== 'equal' ? `${status}, renamed` : renamed ? 'renamed' : status
}

/** '3 → 1'; nothing where the rank is the same. */
export function describeMove({ old, new: fresh, rankMove }: LayerDiff): string {
  if (rankMove === null) return String(old?.rank ?? fresh?.rank ?? '')
  return rankMove === 0 ? String(old?.rank) : `${old?.rank} → ${fresh?.rank}`
}

/** The columns of the layers, in the order of a table: head, text, and whether numbers stand in it. */
export const layerColumns = [
  { head: 'status', right: false, cell: statusOf },
  { head: 'rank', right: true, cell: describeMove },
  { head: '‖A‖₂ before', right: true, cell: ({ old }: LayerDiff) => norm(old) },
  { head: 'after', right: true, cell: ({ new: fresh }: LayerDiff) => norm(fresh) },
  {
    head: '‖ΔW‖F',
    right: true,
    cell: ({ difference }: LayerDiff) => formatNumber(difference?.frobenius ?? null),
  },
  {
    head: '‖ΔA‖₂',
    right: true,
    cell: ({ difference }: LayerDiff) => formatNumber(difference?.spectral.upper ?? null, 'up'),
  },
  {
    head: 'relative',
    right: true,
    cell: ({ difference }: LayerDiff) =>
      difference?.relative.spectral == null ? '–' : formatPercent(difference.relative.spectral),
  },
  { head: 'part', right: true, cell: ({ part }: LayerDiff) => formatNumber(part, 'up') },
] as const

function norm(side: LayerDiff['old']): string {
  return formatNumber(side?.spectral.upper ?? null, 'up')
}

function textOf(bound: Bound): string {
  return bound.unbounded ? `no certificate (${describeObstacle(bound)})` : formatBound(bound)
}

/** How the network's bound has moved. */
export function describeBounds({ old, new: fresh }: ModelDiff): string {
  const change =
    old.lipschitz.value && fresh.lipschitz.value !== null
      ? ` (×${formatNumber(fresh.lipschitz.value / old.lipschitz.value, 'nearest', 4)})`
      : ''
  return `Lipschitz constant ≤ ${textOf(old.lipschitz)} → ${textOf(fresh.lipschitz)}${change}`
}

/** How many layers are equal, changed, added, removed. */
export function describeCounts({ layers }: ModelDiff): string {
  const statuses = ['equal', 'changed', 'added', 'removed'] as const
  const parts = statuses.flatMap((status) => {
    const found = layers.filter((layer) => layer.status === status).length
    return found === 0 ? [] : [`${found} ${status}`]
  })
  const renamed = layers.filter((layer) => layer.renamed).length
  return `${count(layers.length, 'layer')}: ${[...parts, ...(renamed > 0 ? [`${renamed} renamed`] : [])].join(', ')}`
}

/** How far the outputs can be apart, what that rests on, and what it is made of. */
export function describeOutputs({ outputChange, layers }: ModelDiff): string[] {
  if (outputChange === null) return []
  const { upper, lower, domain, roundings, constants } = outputChange
  if (upper.unbounded) return [`outputs: how far they may differ is not proven: ${describeObstacle(upper)}`]
  const ranges =
    domain.ranges?.map(({ input, lo, hi }) => `${displayName(input, 40)} in [${lo}, ${hi}]`) ?? []
  const where = ranges.length === 0 ? 'for all inputs' : `for ${ranges.join(', ')}`
  const weights = layers.reduce((sum, { part }) => sum + (part ?? 0), 0)
  const parts = [
    ['weights', weights],
    ['rounded activations', roundings ?? 0],
    ['other constants', constants ?? 0],
  ] as const
  const named = parts
    .filter(([, part]) => part > 0)
    .map(([name, part]) => `${formatNumber(part)} from ${name}`)
  return [
    `outputs differ by at most ${formatBound(upper)} in ℓ2, ${where}`,
    ...(named.length > 1 ? [`  ${named.join(', ')}`] : []),
    ...(lower === null ? [] : [`  at one input they differ by ${formatNumber(lower.value, 'down')}`]),
    `  ${describeCertificate(upper)}`,
  ]
}

/** The gate on the outputs' difference. */
export function describeOutputGate({ limit, lower, upper, verdict, reason }: Gate): string {
  const claim = `difference of the outputs ≤ ${formatNumber(limit)}`
  if (verdict === 'pass') return `${claim}: proven ≤ ${formatNumber(upper, 'up')}`
  if (verdict === 'fail') return `${claim}: at least ${formatNumber(lower, 'down')}`
  if (upper === null) return `${claim}: not proven: ${displayMessage(reason ?? 'no bound')}`
  return `${claim}: not proven: the bound is ${formatNumber(upper, 'up')}, the true value at most that`
}
