import { eigenvectors } from '../eigenvectors.ts'
import type { ScaledLoop } from './loop.ts'

/**
 * A vector in which the large singular values of A = D H D⁻¹ prevail: f(AᵀA)·start with f(λ) = (λ/λ₁)^(sharpness/2), in the
 * Krylov space of a few steps. Nothing is proven by it. Cost: one application of A and its adjoint for each step.
 */
export function filtered(
  { apply, applyAdjoint }: ScaledLoop,
  start: Float64Array,
  { steps, sharpness }: { readonly steps: number; readonly sharpness: number },
): { vector: Float64Array; norm: number } | null {
  const n = start.length
  const basis: Float64Array[] = []
  const matrix = new Float64Array(steps * steps)
  let v = start
  let length = norm(v)
  const first = length
  let order = 0
  while (order < steps && length > 1e-9 * first) {
    const unit = v.map((value) => value / length)
    basis.push(unit)
    if (order > 0)
      matrix[order * steps + order - 1] = matrix[(order - 1) * steps + order] = order > 0 ? length : 0
    const next = applyAdjoint(apply(unit))
    matrix[order * steps + order] = dot(unit, next)
    for (const other of basis) addScaled(next, -dot(other, next), other)
    for (const other of basis) addScaled(next, -dot(other, next), other)
    v = next
    length = norm(v)
    order++
    if (!Number.isFinite(length)) return null
  }
  if (order === 0) return null
  const small = new Float64Array(order * order)
  for (let i = 0; i < order; i++) for (let j = 0; j < order; j++) small[i * order + j] = matrix[i * steps + j]
  const { values, vectors } = eigenvectors(small, order)
  const top = Math.max(...values)
  if (!(top > 0)) return null
  const vector = new Float64Array(n)
  values.forEach((value, e) => {
    const weight = vectors[e][0] * (Math.max(0, value) / top) ** (sharpness / 2)
    for (let i = 0; i < order; i++) addScaled(vector, weight * vectors[e][i], basis[i])
  })
  return { vector, norm: Math.sqrt(top) }
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

export const norm = (x: Float64Array) => Math.sqrt(dot(x, x))

function addScaled(target: Float64Array, factor: number, source: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] += factor * source[i]
}
