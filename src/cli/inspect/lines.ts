import { displayDomain } from '../../graph/opsets.ts'
import { escapeText } from '../../report/escape.ts'
import { type Direction, formatBound, formatNumber } from '../../report/numbers.ts'
import type { InspectedNode, InspectedValue, Inspection } from './inspection.ts'
import type { ValueBound } from './value-bound.ts'

/** One line of an inspection, in fields; the first says what the line is. */
export type Line = readonly string[]

/** Model, opsets, inputs, nodes in order, outputs, notes. */
export function* linesOf(inspection: Inspection): Generator<Line> {
  const { path, irVersion, opsets, producer, parameters } = inspection
  yield [
    'model',
    escapeText(path),
    `ir=${irVersion}`,
    `parameters=${parameters}`,
    `producer=${escapeText(producer)}`,
  ]
  for (const [domain, version] of opsets) yield ['opset', escapeText(displayDomain(domain)), String(version)]
  for (const input of inspection.inputs) yield ['input', describeValue(input)]
  for (const node of inspection.nodes) yield nodeLine(node)
  for (const output of inspection.outputs) yield ['output', describeValue(output), ...boundFields([output])]
  for (const { rule, message } of inspection.notes) yield ['note', escapeText(rule), escapeText(message)]
}

function nodeLine({
  id,
  domain,
  op,
  name,
  rule,
  group,
  layers,
  inputs,
  outputs,
  reason,
}: InspectedNode): Line {
  const kinds = layers.map(({ kind, role }) => (role === '' ? kind : `${kind}[${escapeText(role)}]`))
  return [
    'node',
    id,
    escapeText(domain === '' ? op : `${domain}:${op}`),
    escapeText(name),
    rule,
    group ?? '-',
    kinds.length === 0 ? '-' : kinds.join(','),
    gainField(inputs, outputs),
    ...boundFields(outputs),
    describeValues(inputs),
    '->',
    describeValues(outputs),
    ...(reason === null ? refusedFields(outputs) : [`reason=${escapeText(reason)}`]),
  ]
}

/** name:type[shape], with = in place of : where the elements are constant; - for an omitted input or output. */
function describeValue(value: InspectedValue | null): string {
  if (value === null) return '-'
  const { name, type, kind, shape, constant } = value
  const dims = shape === null ? '*' : shape.map((dim) => dim ?? '?').join(',')
  return `${escapeText(name)}${constant ? '=' : ':'}${kind === 'tensor' ? (type ?? '?') : kind}[${dims}]`
}

function describeValues(values: readonly (InspectedValue | null)[]): string {
  return values.length === 0 ? '-' : values.map(describeValue).join(' ')
}

/** What a bound is written as, in this order; rounded so that it stays one. */
const fields: readonly [string, (bound: ValueBound) => string][] = [
  ['L', ({ lipschitz }) => (lipschitz.log10 === null ? 'inf' : formatBound(lipschitz, 'up'))],
  ['range', ({ range }) => `[${number(range.lo, 'down')},${number(range.hi, 'up')}]`],
  ['norm', ({ norm }) => number(norm, 'up')],
  ['offset', ({ offset }) => number(offset, 'up')],
]

function number(value: number, direction: Direction): string {
  if (Number.isFinite(value)) return formatNumber(value, direction)
  return value > 0 ? 'inf' : '-inf'
}

/** L=…, range=…, norm=…, offset=…, one value for each output that is computed, parted by spaces; - for none. */
function boundFields(outputs: readonly (InspectedValue | null)[]): string[] {
  const bounds = outputs.flatMap((output) => output?.bound ?? [])
  return fields.map(([label, format]) => `${label}=${bounds.map(format).join(' ') || '-'}`)
}

/** By how much the largest bound of the outputs exceeds that of the inputs. */
function gainField(
  inputs: readonly (InspectedValue | null)[],
  outputs: readonly (InspectedValue | null)[],
): string {
  const [before, after] = [largest(inputs), largest(outputs)]
  const isKnown = before !== null && after !== null && before > -Infinity
  return `gain=${isKnown ? formatBound({ value: null, log10: after - before }, 'nearest') : '-'}`
}

/** log₁₀ of the largest constant; null where one has no bound, or there is none. */
function largest(values: readonly (InspectedValue | null)[]): number | null {
  const bounds = values.flatMap((value) => value?.bound ?? [])
  const logarithms = bounds.map(({ lipschitz }) => lipschitz.log10)
  if (logarithms.includes(null) || bounds.length === 0) return null
  return Math.max(...logarithms.map(Number))
}

/** The node that is to blame where there is no bound. */
function refusedFields(outputs: readonly (InspectedValue | null)[]): string[] {
  const refused = outputs.find((output) => output?.bound?.refusedBy != null)
  return refused == null ? [] : [`behind=${escapeText(refused.bound?.refusedBy ?? '')}`]
}
