import * as mag from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import type { Term } from '../../core/term.ts'

/**
 * Gains of recurrences. A cell bounds how much its states vary after a step by a function of how much they and the step's
 * input varied before that grows with each, is homogeneous and no more than adds up: so the responses to all steps add up, and
 * unrolled over T steps they make a lower triangular matrix G ≥ 0 with
 * |Δh_t| ≤ Σ_s G_ts·|Δx_s|. Over the whole sequence |Δh| ≤ ‖G‖₂·|Δx|, and ‖G‖₂² is at most ‖G‖₁‖G‖_∞ (Schur) and ‖G‖_F². In ℓ∞ and ℓ1 it
 * is ‖G‖_∞ and ‖G‖₁ themselves.
 */

/** How much hidden and cell state vary at most; the cell state stays 0 for cells without one. */
export interface States {
  readonly hidden: number
  readonly cell: number
}

/** Variations after step t (from 1), given those before it and that of the step's input. */
export type CellStep = (t: number, before: States, input: number) => States

/** The constants of all outputs with respect to one source of variation. */
export interface Gains {
  /** All hidden states. */
  readonly sequence: number
  readonly lastHidden: number
  readonly lastCell: number
}

/** Covers the rounding of 40 operations a step over `longest` steps, and of the sums over all of them. */
const slack = 1 + 1e-9

/** Steps that are unrolled at most; the cost grows with the square. */
export const longest = 2048

/**
 * Gains from the input sequence. Where sequences may end early (`early`), last states are those of any step: the largest row
 * takes the place of the last one. Truncated sequences are otherwise leading parts of G.
 */
export function inputGains(step: CellStep, steps: number, early: boolean, norm: NormName = 'l2'): Gains {
  const sums = new Float64Array(steps)
  const [hiddenSquares, cellSquares] = [new Float64Array(steps), new Float64Array(steps)]
  const [cellSums, hiddenMost, cellMost] = [0, 1, 2].map(() => new Float64Array(steps))
  let [largestColumn, squares] = [0, 0]
  for (let impulse = 1; impulse <= steps; impulse++) {
    let states: States = { hidden: 0, cell: 0 }
    let column = 0
    for (let t = impulse; t <= steps; t++) {
      states = step(t, states, t === impulse ? 1 : 0)
      sums[t - 1] += states.hidden
      hiddenSquares[t - 1] += states.hidden ** 2
      cellSquares[t - 1] += states.cell ** 2
      cellSums[t - 1] += states.cell
      hiddenMost[t - 1] = Math.max(hiddenMost[t - 1], states.hidden)
      cellMost[t - 1] = Math.max(cellMost[t - 1], states.cell)
      column += states.hidden
      squares += states.hidden ** 2
    }
    largestColumn = Math.max(largestColumn, column)
  }
  const lastOf = (rows: Float64Array) => (early ? largest(rows) : (rows.at(-1) ?? 0))
  const gains = {
    l2: () => ({
      sequence: Math.min(Math.sqrt(largest(sums)) * Math.sqrt(largestColumn), Math.sqrt(squares)),
      lastHidden: Math.sqrt(lastOf(hiddenSquares)),
      lastCell: Math.sqrt(lastOf(cellSquares)),
    }),
    linf: () => ({ sequence: largest(sums), lastHidden: lastOf(sums), lastCell: lastOf(cellSums) }),
    l1: () => ({ sequence: largestColumn, lastHidden: lastOf(hiddenMost), lastCell: lastOf(cellMost) }),
  } satisfies Record<NormName, () => Gains>
  return widened(gains[norm]())
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0)
}

/** Gains from an initial state; it is the last one, too, where a sequence may have no steps. */
export function stateGains(
  step: CellStep,
  steps: number,
  initial: States,
  early: boolean,
  norm: NormName = 'l2',
): Gains {
  let states = initial
  let [hidden, cell] = [early ? initial.hidden : 0, early ? initial.cell : 0]
  const all: number[] = []
  for (let t = 1; t <= steps; t++) {
    states = step(t, states, 0)
    all.push(states.hidden)
    hidden = early ? Math.max(hidden, states.hidden) : states.hidden
    cell = early ? Math.max(cell, states.cell) : states.cell
  }
  return widened({ sequence: lengthIn[norm](all), lastHidden: hidden, lastCell: cell })
}

/** Lengths of vectors of the lengths of their parts. */
const lengthIn = {
  l2: (parts: readonly number[]) => Math.sqrt(parts.reduce((sum, part) => sum + part * part, 0)),
  linf: (parts: readonly number[]) => parts.reduce((most, part) => Math.max(most, part), 0),
  l1: (parts: readonly number[]) => parts.reduce((sum, part) => sum + part, 0),
} satisfies Record<NormName, (parts: readonly number[]) => number>

/**
 * What hidden states that are off by `noise` before every step add up to: responses to several steps add up, so that all of them run
 * through the recurrence at once.
 */
export function noiseGains(
  step: CellStep,
  steps: number,
  noise: number,
  early: boolean,
  norm: NormName = 'l2',
): Gains {
  let states: States = { hidden: 0, cell: 0 }
  let [hidden, cell] = [0, 0]
  const all: number[] = []
  for (let t = 1; t <= steps; t++) {
    states = step(t, { ...states, hidden: states.hidden + noise }, 0)
    all.push(states.hidden)
    hidden = early ? Math.max(hidden, states.hidden) : states.hidden
    cell = early ? Math.max(cell, states.cell) : states.cell
  }
  return widened({ sequence: lengthIn[norm](all), lastHidden: hidden, lastCell: cell })
}

/** The less of each, of several bounds on one recurrence. */
export function least(all: readonly Gains[]): Gains {
  const of = (output: keyof Gains) => Math.min(...all.map((gains) => gains[output]))
  return { sequence: of('sequence'), lastHidden: of('lastHidden'), lastCell: of('lastCell') }
}

function widened({ sequence, lastHidden, lastCell }: Gains): Gains {
  return { sequence: sequence * slack, lastHidden: lastHidden * slack, lastCell: lastCell * slack }
}

/** A function of layer norms that grows with each of them, as a term; its elasticities by differences. */
export function functionOf(norms: readonly Term[], f: (norms: readonly number[]) => number): Term {
  const values = norms.map((norm) => mag.toNumber(norm.value))
  const value = f(values)
  const step = 1e-5
  const weights = values.map((_, i) => {
    const shifted = f(values.map((norm, j) => (i === j ? norm * (1 + step) : norm)))
    const slope = (Math.log(shifted) - Math.log(value)) / Math.log1p(step)
    return Number.isFinite(slope) ? slope : 0
  })
  return { value: mag.magnitude(value), parents: norms, weights, leaf: null }
}
