import type { Gate, ModelReport } from '../../audit/report-schema.ts'
import { adviseOnBound } from '../advice.ts'
import { escapeText } from '../escape.ts'
import { layerName } from '../layer-name.ts'
import { formatBound, formatFactor, formatNumber, formatPercent } from '../numbers.ts'
import { count } from '../text.ts'
import { describeObstacle } from './bounds.ts'
import { type Style, verdictMark } from './style.ts'

const NAMED = 3

/** 'a, b, c and 4 more' */
function listNames(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).join(', ')
  return names.length > NAMED ? `${shown} and ${names.length - NAMED} more` : shown
}

function describeUpper(gate: Gate, model: ModelReport): { text: string; log10: number | null } {
  if (gate.upper !== null) return { text: formatNumber(gate.upper, 'up'), log10: Math.log10(gate.upper) }
  const { upper } = model.lipschitz
  if (gate.rule === 'max-lipschitz' && !gate.unbounded)
    return { text: formatBound(upper), log10: upper.log10 }
  return { text: '∞', log10: null }
}

/** What was found, and by how much it is within or beyond the limit. */
function describeFinding(gate: Gate, model: ModelReport): string {
  const upper = describeUpper(gate, model)
  const limit = Math.log10(gate.limit)
  if (gate.verdict === 'pass') return `proven ≤ ${upper.text}`
  if (gate.verdict === 'fail') {
    const excess = gate.lower === null ? '' : `, ${formatFactor(Math.log10(gate.lower) - limit)} the limit`
    return `at least ${formatNumber(gate.lower, 'down')}${excess}`
  }
  if (upper.log10 === null) {
    const obstacle =
      gate.rule === 'max-lipschitz'
        ? describeObstacle(model.lipschitz.upper)
        : escapeText(gate.reason ?? 'no bound')
    return `not proven: ${obstacle}`
  }
  const below = gate.lower === null ? '' : ` and at least ${formatNumber(gate.lower, 'down')}`
  return `not proven: the bound is ${upper.text}, ${formatFactor(upper.log10 - limit)} the limit; the true value is at most that${below}`
}

/** Which layers to blame and what would bring the bound under the limit. */
function blameForBound(gate: Gate, model: ModelReport): string[] {
  const advice = adviseOnBound(model, gate.limit)
  if (advice === null || advice.layers.length === 0) return []
  const named = advice.layers.map(
    (layer) => `${escapeText(layerName(layer))} (${formatPercent(layer.share)})`,
  )
  const expected = formatBound({ value: null, log10: advice.log10 }, 'nearest')
  const norms = advice.layers.length === 1 ? 'its norm' : 'their norms'
  const effect = advice.suffices
    ? `bringing ${norms} to 1 would put the bound near ${expected}`
    : `even with ${norms} at 1 the bound would stay near ${expected}`
  const lines = [`most sensitive: ${listNames(named)}`, effect]
  if (advice.uniformFactor !== null) {
    const layers = count(model.layers.filter((layer) => (layer.elasticity ?? 0) > 0).length, 'layer')
    lines.push(
      `or divide the norms of all ${layers} on the way by ${formatNumber(advice.uniformFactor, 'up', 4)}`,
    )
  }
  return lines
}

function blameForLayers(gate: Gate): string[] {
  if (gate.layers === undefined || gate.layers.length === 0)
    return gate.node ? [`layer ${escapeText(gate.node)}`] : []
  return [`${count(gate.layers.length, 'layer')}: ${listNames(gate.layers.map(escapeText))}`]
}

interface GateWords {
  readonly subject: string
  blame(gate: Gate, model: ModelReport): string[]
}

const words = new Map<string, GateWords>([
  ['max-lipschitz', { subject: 'Lipschitz constant', blame: blameForBound }],
  ['max-layer', { subject: "largest layer's ‖A‖₂", blame: blameForLayers }],
])

/** One line per gate with its mark, and below it what would help where it is not met. */
export function renderGates(model: ModelReport, style: Style): string[] {
  if (model.gates.length === 0) return []
  const lines = model.gates.flatMap((gate) => {
    const { subject, blame } = words.get(gate.rule) ?? {
      subject: escapeText(gate.rule),
      blame: blameForLayers,
    }
    const head = `  ${verdictMark(gate.verdict, style)} ${subject} ≤ ${formatNumber(gate.limit)}: ${describeFinding(gate, model)}`
    const help = gate.verdict === 'pass' ? [] : blame(gate, model)
    return [head, ...help.map((line) => `       ${line}`)]
  })
  return [style.title('Gates'), ...lines]
}
