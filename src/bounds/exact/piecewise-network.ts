import type { StraightPiece } from '../../ops/slopes/pieces.ts'

/**
 * A network of affine maps and piecewise linear functions of single elements, with its numbers as the file has them. Its
 * variables are the inputs, then what each neuron writes, in topological order; a neuron reads variables before its own.
 */
export interface PiecewiseNetwork {
  readonly inputs: number
  readonly neurons: readonly Neuron[]
  readonly outputs: readonly Row[]
}

/** An affine form of the variables: Σ coefficientₖ·vₖ + constant. */
export interface Row {
  readonly variables: Int32Array
  /** Exactly, times 2^scale. */
  readonly integers: readonly bigint[]
  readonly constant: bigint
  readonly scale: number
  /** The same in float64, to 2⁻⁵² of each. */
  readonly floats: Float64Array
  readonly offset: number
}

/** piece(row): where a neuron's element lies in the pieces decides how it goes on. */
export interface Neuron extends Row {
  /** Which node's output the neuron belongs to, counted from 0 in topological order. */
  readonly layer: number
  readonly pieces: readonly StraightPiece[]
}

/** Pieces that a neuron may be on, from the first to the last. */
export interface Span {
  readonly first: number
  readonly last: number
}

/** The least and the largest slope of the pieces. */
export function slopesOf({ pieces }: Neuron, { first, last }: Span): { lo: number; hi: number } {
  let [lo, hi] = [pieces[first].slope, pieces[first].slope]
  for (let piece = first + 1; piece <= last; piece++) {
    lo = Math.min(lo, pieces[piece].slope)
    hi = Math.max(hi, pieces[piece].slope)
  }
  return { lo, hi }
}

/**
 * Where two neighbouring pieces meet: there rise·z + shift = 0, and the piece above holds where it is > 0. The numbers
 * are differences of floats, so the exact ones are those of the integers.
 */
export function meetingOf(pieces: readonly StraightPiece[], below: number): { rise: number; shift: number } {
  const [left, right] = [pieces[below], pieces[below + 1]]
  const [rise, shift] = [right.slope - left.slope, right.offset - left.offset]
  return rise > 0 ? { rise, shift } : { rise: -rise, shift: -shift }
}
