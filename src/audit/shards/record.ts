import type { LayerMeasurement } from '../../norms/measurement.ts'
import type { Report, ShardRecord } from '../report-schema.ts'

/** A report of a shard: the models that it audited whole, and what it measured of others. */
export type ShardReport = Report & { readonly shard: ShardRecord }

/** Numbers that JSON does not have, as texts that nothing else is. */
const special: ReadonlyMap<unknown, number> = new Map([
  ['#NaN', Number.NaN],
  ['#Infinity', Infinity],
  ['#-Infinity', -Infinity],
])

/** A measurement as JSON can hold it, exactly. */
export function encodeMeasurement(measurement: LayerMeasurement): Record<string, unknown> {
  return mapped(measurement, (value) =>
    typeof value === 'number' && !Number.isFinite(value) ? `#${value}` : value,
  ) as Record<string, unknown>
}

export function decodeMeasurement(stored: Record<string, unknown>): LayerMeasurement {
  return mapped(stored, (value) => special.get(value) ?? value) as LayerMeasurement
}

/** The same with other leaves: a measurement is three levels deep. */
function mapped(value: unknown, leaf: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => mapped(entry, leaf))
  if (typeof value !== 'object' || value === null) return leaf(value)
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, mapped(entry, leaf)]))
}
