import type { Diff, ModelDiff } from '../../audit/diff/diff-schema.ts'
import { displayMessage, displayName } from '../display-name.ts'
import { code, escapeMarkdown, table } from '../markdown/escape.ts'
import { byChange, type DiffRenderOptions } from './table.ts'
import {
  describeBounds,
  describeCounts,
  describeOutputGate,
  describeOutputs,
  layerColumns,
  nameOf,
} from './words.ts'

const LAYERS = 20
const NAME_MOST = 60

const marks = { pass: '✅ pass', fail: '❌ fail', inconclusive: '❔ inconclusive' } as const

function renderModel(model: ModelDiff, top: number | null): string[] {
  const sorted = byChange(model)
  const shown = sorted.slice(0, top ?? LAYERS)
  const rows = shown.map((layer) => [
    code(nameOf(layer, NAME_MOST)),
    ...layerColumns.map(({ cell }) => escapeMarkdown(cell(layer))),
  ])
  const right = layerColumns.flatMap((column, i) => (column.right ? [i + 1] : []))
  const summary = [describeCounts(model), describeBounds(model), ...describeOutputs(model)]
  const rest = sorted.length - shown.length
  return [
    `### ${code(displayName(model.old.path))} → ${code(displayName(model.new.path))}`,
    '',
    ...model.gates.map((gate) => `- ${marks[gate.verdict]}: ${escapeMarkdown(describeOutputGate(gate))}`),
    ...summary.map((line) => `- ${escapeMarkdown(line.trim())}`),
    ...model.findings
      .filter(({ rule }) => rule !== 'no-output-change')
      .map(({ level, message }) => `- ${level}: ${escapeMarkdown(displayMessage(message))}`),
    '',
    ...table(['layer', ...layerColumns.map(({ head }) => head)], rows, right),
    ...(rest > 0 ? ['', `… ${rest} more layers`] : []),
  ]
}

/** A comparison for pull requests and job summaries. */
export function renderDiffMarkdown(diff: Diff, { top }: DiffRenderOptions): string {
  return `${diff.models.map((model) => renderModel(model, top).join('\n')).join('\n\n')}\n`
}
