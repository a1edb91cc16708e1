import { isMeasurement } from '../../norms/check-measurement.ts'
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
  return mapped(
    measurement,
    (value) => (typeof value === 'number' && !Number.isFinite(value) ? `#${value}` : value),
    3,
  ) as Record<string, unknown>
}

/** Null where that is no measurement. */
export function decodeMeasurement(stored: Record<string, unknown>): LayerMeasurement | null {
  const measurement = mapped(stored, (value) => special.get(value) ?? value, 3)
  return isMeasurement(measurement) ? measurement : null
}

/** The same with other leaves: a measurement is three levels deep, and what is deeper is none. */
function mapped(value: unknown, leaf: (value: unknown) => unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return leaf(value)
  if (depth === 0) return null
  if (Array.isArray(value)) return value.map((entry) => mapped(entry, leaf, depth - 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, mapped(entry, leaf, depth - 1)]),
  )
}
