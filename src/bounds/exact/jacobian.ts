import { gamma, outward } from '../../linalg/rounding-error.ts'
import type { PiecewiseNetwork, Row } from './piecewise-network.ts'

/**
 * ‖J(x)‖₂ from below, where x provably lies inside a cell of the domain's inside; null where rounding leaves open on which side of a
 * kink a neuron is. Values carry bounds of their errors; the norm is |J·v| of one unit vector v, less what it may err
 * by, which no other vector is needed for.
 */
export function jacobianAt({ inputs, neurons, outputs }: PiecewiseNetwork, x: Float64Array): number | null {
  const values = new Float64Array(inputs + neurons.length)
  const errors = new Float64Array(inputs + neurons.length)
  values.set(x)
  const slopes = new Float64Array(neurons.length)
  for (const [at, neuron] of neurons.entries()) {
    const { variables, floats, offset, pieces } = neuron
    let [z, error, size] = [offset, 0, Math.abs(offset)]
    for (let i = 0; i < variables.length; i++) {
      const term = floats[i] * values[variables[i]]
      z += term
      size += Math.abs(term)
      error += Math.abs(floats[i]) * errors[variables[i]]
    }
    error = outward(error + (gamma(variables.length + 6) + 2 ** -51) * (size + error)) + 2 ** -1000
    let [piece, unsettled] = [0, 0]
    // a constant has no kink in its way
    const isConstant = variables.every((variable) => variable >= inputs && slopes[variable - inputs] === 0)
    for (; piece < pieces.length - 1; piece++) {
      const [left, right] = [pieces[piece], pieces[piece + 1]]
      const sign = right.slope > left.slope ? 1 : -1
      const [rise, shift] = [right.slope - left.slope, right.offset - left.offset]
      const above = sign * (rise * z + shift)
      const doubt = outward(
        Math.abs(rise) * error +
          gamma(6) * (Math.abs(rise * z) + Math.abs(left.offset) + Math.abs(right.offset)),
      )
      if (above > doubt) continue
      if (above < -doubt) break
      if (isConstant) {
        unsettled = doubt
        break
      }
      return null
    }
    const { slope, offset: shift } = pieces[piece]
    slopes[at] = isConstant ? 0 : slope
    values[inputs + at] = slope * z + shift
    // on either side of a kink the value is that of the other side's line, but for the doubt
    const steepest = isConstant ? Math.max(...pieces.map((own) => Math.abs(own.slope))) : Math.abs(slope)
    const wrong = steepest * error + 2 * unsettled
    errors[inputs + at] = outward(wrong + gamma(4) * (Math.abs(slope * z) + Math.abs(shift))) + 2 ** -1000
  }
  return lengthBelow({ inputs, neurons, outputs }, slopes)
}

/** The norm of the Jacobian with the given slopes, at least. */
function lengthBelow({ inputs, neurons, outputs }: PiecewiseNetwork, slopes: Float64Array): number {
  const parts: Float64Array[] = []
  const errors: number[] = []
  const sizes: number[] = []
  const zero = new Float64Array(inputs)
  const read = ({ variables, floats }: Row): { form: Float64Array; error: number } => {
    const form = new Float64Array(inputs)
    let [error, size] = [0, 0]
    for (let i = 0; i < variables.length; i++) {
      const [variable, factor] = [variables[i], floats[i]]
      if (variable < inputs) {
        form[variable] += factor
        size += Math.abs(factor)
        continue
      }
      const at = variable - inputs
      if (sizes[at] === 0) continue
      const part = parts[at]
      for (let k = 0; k < inputs; k++) form[k] += factor * part[k]
      error += Math.abs(factor) * errors[at]
      size += Math.abs(factor) * sizes[at]
    }
    return { form, error: outward(error + (gamma(variables.length + 6) + 2 ** -51) * size) + 2 ** -1000 }
  }
  neurons.forEach((neuron, at) => {
    if (slopes[at] === 0) {
      parts.push(zero)
      errors.push(0)
      sizes.push(0)
      return
    }
    const { form, error } = read(neuron)
    const part = form.map((value) => slopes[at] * value)
    const wrong = outward(Math.abs(slopes[at]) * (error + gamma(4) * Math.hypot(...form)))
    parts.push(part)
    errors.push(wrong)
    // what holds both is never 0
    sizes.push(Math.hypot(...part) * (1 + 2 ** -40) + wrong + 2 ** -1000)
  })
  const rows = outputs.map(read)
  let v = new Float64Array(inputs).fill(1)
  v = v.map((_, k) => 1 + k / inputs / 7)
  let best = 0
  const frobenius = outward(Math.hypot(...rows.map(({ error }) => error)))
  for (let step = 0; step < 500; step++) {
    const images = rows.map(({ form }) => dot(form, v))
    const length = Math.hypot(...images) / Math.hypot(...v)
    const before = best
    best = Math.max(best, length)
    const next = new Float64Array(inputs)
    rows.forEach(({ form }, row) => {
      for (let k = 0; k < inputs; k++) next[k] += images[row] * form[k]
    })
    const size = Math.hypot(...next)
    if (!(size > 0) || (step > 3 && best - before <= 1e-13 * best)) break
    v = next.map((value) => value / size)
  }
  const whole = Math.sqrt(rows.reduce((sum, { form }) => sum + dot(form, form), 0))
  return Math.max(0, best * (1 - 2 ** -40) - frobenius - gamma(inputs + 8) * whole)
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
