import type { LayerMeasurement } from './measurement.ts'

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
/** A size: NaN and infinities are the business of whoever computed it. */
const isSize: Check = (value) => typeof value === 'number' && !(value < 0)
const isBound: Check = (value) => typeof value === 'number' && value >= 0
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)

function hasFields(fields: Readonly<Record<string, Check>>): Check {
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(fields).every(([name, check]) => check((value as Record<string, unknown>)[name]))
}

const isEnclosure: Check = (value) => {
  const { lower, upper, certificate, failureProbability } = value as Record<string, number | string>
  return (
    lower <= upper &&
    (certificate === 'deterministic' || certificate === 'probabilistic') &&
    (failureProbability as number) < 1
  )
}

const fields = hasFields({
  frobenius: hasFields({ weight: isSize, operator: orNull(isSize) }),
  spectral: orNull(
    (value) =>
      hasFields({ lower: isBound, upper: isBound, method: isText, failureProbability: isBound })(value) &&
      isEnclosure(value),
  ),
  weightSha256: isText,
  nonFinite: orNull(hasFields({ index: isBound, value: isText })),
  unfinished: (value) => value === undefined || value === 'time-limit' || value === 'interrupted',
})

/**
 * Whether something read from a file has the form of a measurement, its bounds in order. Whether they are those of the
 * layer nobody can see from here: who writes such files is trusted.
 */
export function isMeasurement(value: unknown): value is LayerMeasurement {
  return fields(value)
}
