import { gamma } from '../../linalg/rounding-error.ts'
import { meetingOf, type Neuron, type PiecewiseNetwork, type Span } from './piecewise-network.ts'

/** Where inputs lie, element by element; finite. */
export interface InputBox {
  readonly lo: Float64Array
  readonly hi: Float64Array
}

/** A variable over the box: centre + Σ gradientₖ·(xₖ − midₖ), give or take `rest`. */
interface Enclosed {
  readonly centre: number
  readonly gradient: Float64Array
  readonly rest: number
  /** Σ of the sizes of all that was added up: what rounding is measured by. */
  readonly mass: number
}

/** Relative to the mass, more than all roundings on the way: networks here have some hundred neurons. */
const ROUNDING = 2 ** -34

/**
 * Narrows the spans of neurons to what their elements reach over a box, the spans of earlier ones taken for granted. An
 * element is enclosed by an affine form of the inputs and a rest; a function with several pieces within reach is a chord and
 * the distances of its corners from it. Cost: for each weight the inputs.
 */
export function narrowSpans(network: PiecewiseNetwork, spans: Span[], { lo, hi }: InputBox): void {
  const { inputs, neurons } = network
  const mid = lo.map((value, i) => value + (hi[i] - value) / 2)
  const reach = mid.map((value, i) => Math.max(hi[i] - value, value - lo[i]) * (1 + 2 ** -50))
  const written: Enclosed[] = []
  neurons.forEach((neuron, at) => {
    const z = read(neuron)
    let spread = z.rest + ROUNDING * z.mass
    for (let k = 0; k < inputs; k++) spread += Math.abs(z.gradient[k]) * reach[k]
    const range = { lo: z.centre - spread, hi: z.centre + spread }
    spans[at] = narrowed(neuron, spans[at], range)
    written.push(apply(neuron, spans[at], z, range))
  })

  function read({ variables, floats, offset }: Neuron): Enclosed {
    let [centre, rest, mass] = [offset, 0, Math.abs(offset)]
    const gradient = new Float64Array(inputs)
    for (let i = 0; i < variables.length; i++) {
      const [variable, factor] = [variables[i], floats[i]]
      if (variable < inputs) {
        centre += factor * mid[variable]
        gradient[variable] += factor
        mass += Math.abs(factor) * (Math.abs(mid[variable]) + reach[variable])
        continue
      }
      const part = written[variable - inputs]
      centre += factor * part.centre
      rest += Math.abs(factor) * part.rest
      mass += Math.abs(factor) * part.mass
      for (let k = 0; k < inputs; k++) gradient[k] += factor * part.gradient[k]
    }
    return { centre, gradient, rest, mass }
  }
}

/** The pieces of a span that an element within a range may be on. */
function narrowed({ pieces }: Neuron, span: Span, { lo, hi }: { lo: number; hi: number }): Span {
  let { first, last } = span
  for (let below = span.first; below < span.last; below++) {
    const { rise, shift } = meetingOf(pieces, below)
    const size = Math.abs(pieces[below].offset) + Math.abs(pieces[below + 1].offset)
    const doubt = (z: number) => gamma(8) * (Math.abs(rise * z) + size) + 2 ** -1000
    if (rise * lo + shift > doubt(lo)) first = below + 1
    else if (rise * hi + shift < -doubt(hi)) last = Math.min(last, below)
  }
  // what contradicts itself is left as it was: others prove that a part is empty
  return first <= last ? { first, last } : span
}

/** What a neuron makes of an element: one line, or a chord and how far its corners are from it. */
function apply(
  { pieces }: Neuron,
  { first, last }: Span,
  { centre, gradient, rest, mass }: Enclosed,
  range: { readonly lo: number; readonly hi: number },
): Enclosed {
  const along = (slope: number, low: number, high: number): Enclosed => {
    const offset = low + (high - low) / 2
    return {
      centre: slope * centre + offset,
      gradient: gradient.map((value) => slope * value),
      rest: Math.abs(slope) * rest + Math.max(high - offset, offset - low),
      mass: Math.abs(slope) * mass + Math.abs(low) + Math.abs(high),
    }
  }
  if (first === last) return along(pieces[first].slope, pieces[first].offset, pieces[first].offset)
  const corners: { z: number; value: number }[] = []
  for (let below = first; below < last; below++) {
    const { rise, shift } = meetingOf(pieces, below)
    const z = -shift / rise
    corners.push({ z, value: pieces[below].slope * z + pieces[below].offset })
  }
  // the ends, never short of a corner
  const [left, right] = [Math.min(range.lo, corners[0].z), Math.max(range.hi, corners[corners.length - 1].z)]
  const ends = [
    { z: left, value: pieces[first].slope * left + pieces[first].offset },
    { z: right, value: pieces[last].slope * right + pieces[last].offset },
  ]
  const slope = right > left ? (ends[1].value - ends[0].value) / (right - left) : pieces[first].slope
  let [low, high, size] = [Infinity, -Infinity, 0]
  for (const { z, value } of [...ends, ...corners]) {
    const distance = value - slope * z
    low = Math.min(low, distance)
    high = Math.max(high, distance)
    size = Math.max(size, Math.abs(value) + Math.abs(slope * z))
  }
  const { offset: a } = pieces[first]
  const { offset: b } = pieces[last]
  const doubt = ROUNDING * (size + Math.abs(a) + Math.abs(b))
  return along(slope, low - doubt, high + doubt)
}
