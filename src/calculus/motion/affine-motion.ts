import type { AbsoluteMap, LinearMap } from '../../ops/linear-map.ts'
import type { AffineNode } from '../network.ts'
import { type Motion, rounded, roundingOf, sumError } from './motion.ts'

const absolutes = new WeakMap<LinearMap, AbsoluteMap>()

function absoluteOf(map: LinearMap): AbsoluteMap | null {
  const known = absolutes.get(map)
  if (known !== undefined || map.absolute === undefined) return known ?? null
  const made = map.absolute()
  absolutes.set(map, made)
  return made
}

type Elements = readonly (Float64Array | null)[]

/**
 * A·x + b by the errors of A's sums: |fl(Ax) − Ax| ≤ γ|A||x|, so that doubt′ ≤ |A|(doubt + γ|x|), and the change likewise;
 * b is right but for 64 roundings of what it adds up (`offsetSize`, |b| where that is null). Null where nothing is known of
 * A's rounding. Cost: four products.
 */
export function affineMotion(
  { map, offsets, outputs, offsetSize = null }: AffineNode,
  inputs: readonly (Motion | null)[],
): Motion[] | null {
  const absolute = absoluteOf(map)
  if (absolute === null) return null
  const isRounded = absolute.isSelection !== true
  const share = isRounded ? sumError(absolute.terms) : 0
  // |A| is itself applied in float64
  const room = 1 + 4 * share
  const image = (centres: Elements, errors: Elements) => {
    const sizes = centres.map(
      (centre, i) => centre?.map((x, k) => errors[i]![k] + share * Math.abs(x)) ?? null,
    )
    return { centres: map.apply(centres), errors: absolute.apply(sizes) }
  }
  const values = image(
    inputs.map((input) => input?.value ?? null),
    inputs.map((input) => input?.doubt ?? null),
  )
  const moves = inputs.some((input) => input !== null && input.change !== null)
  const changes = moves
    ? image(
        inputs.map((input) => input?.change ?? null),
        inputs.map((input) => input?.blur ?? null),
      )
    : null
  const widened = (error: number) => (isRounded ? rounded(error * room) : error)

  return outputs.map(({ dims }, i) => {
    const size = dims.reduce((product, dim) => product * dim, 1)
    const [linear, errors, offset] = [values.centres[i] ?? null, values.errors[i] ?? null, offsets[i] ?? null]
    const value = new Float64Array(size)
    const doubt = new Float64Array(size)
    for (let k = 0; k < size; k++) {
      const shift = offset?.[k] ?? 0
      value[k] = (linear?.[k] ?? 0) + shift
      doubt[k] = widened(errors?.[k] ?? 0)
      // what fills up a selection is read
      if (offset === null || !isRounded) continue
      const added = (i === 0 ? offsetSize?.[k] : undefined) ?? Math.abs(shift)
      doubt[k] = rounded(doubt[k] + sumError(0) * added + roundingOf(value[k]))
    }
    const change = changes?.centres[i] ?? null
    if (change === null) return { dims, value, doubt, change: null, blur: null }
    return { dims, value, doubt, change, blur: Float64Array.from(changes?.errors[i] ?? change, widened) }
  })
}
