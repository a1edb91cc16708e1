import type { Gate, ModelReport } from '../audit/report-schema.ts'
import { adviseOnBound } from './advice.ts'
import { describeObstacle } from './bound-words.ts'
import { displayMessage, displayName } from './display-name.ts'
import { listSome } from './finding-groups.ts'
import { layerName } from './layer-name.ts'
import { formatBound, formatFactor, formatNumber, formatPercent } from './numbers.ts'
import { count } from './text.ts'

const NAMED = 3

/** A judged gate in words, for every format: names are escaped and cut, nothing is coloured or marked up. */
export interface GateWords {
  /** What must hold: 'Lipschitz constant ≤ 100'. */
  readonly claim: string
  /** What was found, and by how much it is within or beyond the limit. */
  readonly found: string
  /** Which layers to blame, and what would bring the value under the limit; nothing for gates that are met. */
  readonly help: readonly string[]
}

function describeUpper(gate: Gate, model: ModelReport): { text: string; log10: number | null } {
  if (gate.upper !== null) return { text: formatNumber(gate.upper, 'up'), log10: Math.log10(gate.upper) }
  const { upper } = model.lipschitz
  if (gate.node === undefined && !gate.unbounded) return { text: formatBound(upper), log10: upper.log10 }
  return { text: '∞', log10: null }
}

/** ', 1.86× the limit'; nothing where either is not a positive number. */
function excess(log10: number, limit: number | null): string {
  return limit === null || limit === 0 ? '' : `, ${formatFactor(log10 - Math.log10(limit))} the limit`
}

function describeFound(gate: Gate, model: ModelReport): string {
  const upper = describeUpper(gate, model)
  if (gate.verdict === 'pass') return `proven ≤ ${upper.text}`
  if (gate.verdict === 'fail') {
    return gate.lower === null
      ? 'proven to be beyond it'
      : `at least ${formatNumber(gate.lower, 'down')}${excess(Math.log10(gate.lower), gate.limit)}`
  }
  if (upper.log10 === null) {
    const isBound = gate.node === undefined && model.lipschitz.upper.unbounded
    const obstacle = isBound
      ? describeObstacle(model.lipschitz.upper)
      : displayMessage(gate.reason ?? 'no bound')
    return `not proven: ${obstacle}`
  }
  if (gate.limit === null) return `not judged: ${displayMessage(gate.reason ?? 'the baseline has no bound')}`
  const below = gate.lower === null ? '' : ` and at least ${formatNumber(gate.lower, 'down')}`
  return `not proven: the bound is ${upper.text}${excess(upper.log10, gate.limit)}; the true value is at most that${below}`
}

/** Which layers to blame and what would bring the bound under the limit. */
function blameForBound(gate: Gate, model: ModelReport): string[] {
  const advice = gate.limit === null ? null : adviseOnBound(model, gate.limit)
  if (advice === null || advice.layers.length === 0) return []
  const named = advice.layers.map(
    (layer) => `${displayName(layerName(layer))} (${formatPercent(layer.share)})`,
  )
  const expected = formatBound({ value: null, log10: advice.log10 }, 'nearest')
  const norms = advice.layers.length === 1 ? 'its norm' : 'their norms'
  const effect = advice.suffices
    ? `bringing ${norms} to 1 would put the bound near ${expected}`
    : `even with ${norms} at 1 the bound would stay near ${expected}`
  const lines = [`most sensitive: ${listSome(named, NAMED)}`, effect]
  if (advice.uniformFactor !== null) {
    const layers = count(model.layers.filter((layer) => (layer.elasticity ?? 0) > 0).length, 'layer')
    lines.push(
      `or divide the norms of all ${layers} on the way by ${formatNumber(advice.uniformFactor, 'up', 4)}`,
    )
  }
  return lines
}

/** The layers that are beyond the limit, and how far the first of them would have to fall. */
function blameForLayers(gate: Gate): string[] {
  const names = (gate.layers ?? (gate.node === undefined ? [] : [gate.node])).map((name) => displayName(name))
  if (names.length === 0) return []
  const lines = [`${count(names.length, 'layer')}: ${listSome(names, NAMED)}`]
  if (gate.upper !== null && gate.limit !== null && gate.limit > 0 && gate.upper > gate.limit) {
    const factor = formatNumber(gate.upper / gate.limit, 'up', 4)
    const others = names.length > 1 ? ', and of the others by less' : ''
    lines.push(
      `dividing the weights of ${displayName(gate.node ?? names[0])} by ${factor} would meet it${others}`,
    )
  }
  return lines
}

interface Wording {
  readonly subject: string
  readonly blame: (gate: Gate, model: ModelReport) => string[]
}

const wordings: ReadonlyMap<string, Wording> = new Map([
  ['max-lipschitz', { subject: 'Lipschitz constant', blame: blameForBound }],
  ['max-layer', { subject: "largest layer's ‖A‖₂", blame: blameForLayers }],
  ['max-increase', { subject: 'Lipschitz constant', blame: blameForBound }],
  ['max-layer-increase', { subject: "layer's ‖A‖₂", blame: blameForLayers }],
])

/** A baseline's value tells what the limit was made from. */
function describeClaim(gate: Gate, subject: string): string {
  if (gate.limit === null) return `${subject} against the baseline`
  const before = gate.baseline === undefined ? '' : ` (baseline ${formatNumber(gate.baseline, 'up')})`
  return `${subject} ≤ ${formatNumber(gate.limit)}${before}`
}

export function describeGate(gate: Gate, model: ModelReport): GateWords {
  const { subject, blame } = wordings.get(gate.rule) ?? {
    subject: displayName(gate.rule),
    blame: blameForLayers,
  }
  const ignored = gate.ignored === undefined ? '' : ` – ignored: ${displayMessage(gate.ignored.reason)}`
  return {
    claim: describeClaim(gate, subject),
    found: describeFound(gate, model) + ignored,
    help: gate.verdict === 'pass' ? [] : blame(gate, model),
  }
}
