import type { SearchDomain } from './domain.ts'
import { isProvenEmpty } from './emptiness.ts'
import { type ExactForms, exactForms, exactWall } from './exact-forms.ts'
import { innerPoint, normalized, type Walled } from './inner-point.ts'
import { meetingOf, type PiecewiseNetwork, type Span, slopesOf } from './piecewise-network.ts'
import { narrowSpans } from './ranges.ts'
import type { NeuronWall } from './walls.ts'

/** Part of the domain where some neurons are on some of their pieces. */
export interface Cell extends Walled {
  /** Pieces that each neuron may be on, by its own walls or because others leave it no room. */
  readonly spans: readonly Span[]
  /** Where a search for a point ended. */
  readonly basis: Int32Array | null
  readonly exact: ExactForms
  /** Points inside, as far as floats tell. */
  readonly points: readonly Float64Array[]
  /** Neurons whose element is an affine form of the inputs in the whole cell. */
  readonly ready: Uint8Array
  /** Neurons that the outputs depend on in the cell. */
  readonly matters: Uint8Array
  /** Multiply-adds of making it. */
  readonly cost: number
}

/** Points that are kept of a cell. */
const MOST_POINTS = 24

/** How far from a wall, by |x|, a point has to be to count as on one side. */
const CLEAR = 1e-10

/** Sizes of forms beside those of what they are made of, below which they may be constant. */
const VANISHING = 1e-9

/** The whole domain; null where that has provably no inside. */
export function rootCell(network: PiecewiseNetwork, domain: SearchDomain): Cell | null {
  const spans = network.neurons.map(({ pieces }) => ({ first: 0, last: pieces.length - 1 }))
  const rows = domain.walls.map(({ normal, offset }) => normalized(normal, offset) as Float64Array)
  return settle(network, domain, {
    spans,
    walls: [...domain.walls],
    rows,
    basis: null,
    points: [],
    exact: null,
  })
}

/**
 * The part of a cell where a neuron that is ready there is below (−1) or above (1) a place where two of its pieces meet;
 * null where that part is proven to have no inside.
 */
export function childCell(
  network: PiecewiseNetwork,
  domain: SearchDomain,
  cell: Cell,
  wall: NeuronWall,
): Cell | null {
  const spans = cell.spans.slice()
  const { first, last } = spans[wall.neuron]
  spans[wall.neuron] = wall.side > 0 ? { first: wall.below + 1, last } : { first, last: wall.below }
  const [walls, rows] = [[...cell.walls], [...cell.rows]]
  const form = formsOf(network, cell.spans)(wall.neuron).form
  const row = form && rowOf(wall, network, form)
  if (row !== null) {
    walls.push(wall)
    rows.push(row)
  }
  const points = cell.points.filter((x) => row === null || sideOf(row, x) > 0)
  const { basis, exact } = cell
  return settle(network, domain, { spans, walls, rows, basis, points, exact })
}

interface Unsettled extends Pick<Cell, 'walls' | 'rows' | 'basis' | 'points'> {
  readonly spans: Span[]
  /** Of the cell that it is a part of. */
  readonly exact: ExactForms | null
}

/** Finds a point inside, and the neurons that all of the cell has on one piece. */
function settle(network: PiecewiseNetwork, domain: SearchDomain, given: Unsettled): Cell | null {
  const { spans, walls, rows } = given
  const { inputs: dimension, neurons } = network
  const pieceAt = (neuron: number) => spans[neuron].first
  const exact = given.exact?.within(pieceAt) ?? exactForms(network, pieceAt)
  let cost = 0
  const look = (added: NeuronWall | null, row: Float64Array | null, basis: Int32Array | null) => {
    const walled = added === null || row === null ? given : { walls: [...walls, added], rows: [...rows, row] }
    const found = innerPoint(walled, {
      dimension,
      domain,
      basis,
      isEmpty: (support) => {
        cost += 3e4 + 100 * dimension ** 3
        return isProvenEmpty(support.map((at) => exactWall(walled.walls[at], network, exact)))
      },
    })
    cost += found === 'empty' ? 0 : found.cost
    return found
  }
  const inside = look(null, null, given.basis)
  if (inside === 'empty') return null
  const points = inside.point === null ? [...given.points] : [inside.point, ...given.points]

  /** Whether a part of the cell is provably empty; a point in it is kept. */
  function isEmpty(wall: NeuronWall, row: Float64Array): boolean {
    if (points.some((x) => sideOf(row, x) > 0)) return false
    const found = look(wall, row, (inside as Exclude<typeof inside, 'empty'>).basis)
    if (found === 'empty') return true
    if (found.point !== null) points.push(found.point)
    return false
  }

  if (domain.box !== null) {
    narrowSpans(network, spans, domain.box)
    cost += network.neurons.reduce((sum, { variables }) => sum + variables.length, 0) * dimension
  }
  const matters = mattering(network, spans)
  const ready = new Uint8Array(neurons.length)
  const next = formsOf(network, spans)
  for (let neuron = 0; neuron < neurons.length; neuron++) {
    const { form, size } = next(neuron)
    if (form === null) continue
    ready[neuron] = 1
    const { first, last } = spans[neuron]
    if (lengthOf(form) <= VANISHING * size) {
      const span = constantSpan(network, exact, neuron, spans[neuron])
      if (span === null) return null
      if (span !== 'varies') spans[neuron] = span
      continue
    }
    if (matters[neuron] === 0) continue
    for (let below = first; below < spans[neuron].last && first < last; below++) {
      const wall = { kind: 'neuron', neuron, below, side: 1 } as const
      const row = rowOf(wall, network, form)
      if (row === null) continue
      if (isEmpty(wall, row)) spans[neuron] = { ...spans[neuron], last: below }
      else if (isEmpty({ ...wall, side: -1 }, negated(row)))
        spans[neuron] = { ...spans[neuron], first: below + 1 }
    }
  }
  return {
    spans,
    walls,
    rows,
    basis: inside.basis,
    exact,
    points: points.slice(0, MOST_POINTS),
    ready,
    matters: mattering(network, spans),
    cost,
  }
}

/** Above 0 where a point is clear of a wall, inside. */
function sideOf(row: Float64Array, x: Float64Array): number {
  const d = x.length
  let [value, size] = [row[d], Math.abs(row[d])]
  for (let k = 0; k < d; k++) {
    value += row[k] * x[k]
    size += Math.abs(row[k] * x[k])
  }
  return Math.abs(value) > CLEAR * size ? value : 0
}

function rowOf(wall: NeuronWall, { neurons }: PiecewiseNetwork, form: Float64Array): Float64Array | null {
  const { rise, shift } = meetingOf(neurons[wall.neuron].pieces, wall.below)
  const d = form.length - 1
  const normal = form.subarray(0, d).map((value) => wall.side * rise * value)
  return normalized(normal, wall.side * (rise * form[d] + shift))
}

const negated = (row: Float64Array) => row.map((value) => -value)

/** The length of the normal. */
function lengthOf(form: Float64Array): number {
  let square = 0
  for (let k = 0; k < form.length - 1; k++) square += form[k] * form[k]
  return Math.sqrt(square)
}

interface FloatForm {
  /** d numbers and a constant; null where the element is no affine form in the cell. */
  readonly form: Float64Array | null
  /** Of what the normal is a sum of. */
  readonly size: number
}

/**
 * What neurons read, as forms of the inputs in floats. Neurons may be asked for in topological order, while the spans of
 * earlier ones settle.
 */
function formsOf(
  { inputs, neurons }: PiecewiseNetwork,
  spans: readonly Span[],
): (neuron: number) => FloatForm {
  const known: FloatForm[] = []
  const written: (Float64Array | null)[] = []
  const write = (at: number) => {
    const { form, size } = known[at]
    const { first, last } = spans[at]
    if (form === null || first < last) return null
    const { slope, offset } = neurons[at].pieces[first]
    const isConstant = lengthOf(form) <= VANISHING * size
    const part = form.map((value, k) => (isConstant && k < inputs ? 0 : slope * value))
    part[inputs] += offset
    return part
  }
  const read = (at: number): FloatForm => {
    const { variables, floats, offset } = neurons[at]
    const form = new Float64Array(inputs + 1)
    form[inputs] = offset
    let size = 0
    for (let i = 0; i < variables.length; i++) {
      const [variable, factor] = [variables[i], floats[i]]
      if (variable < inputs) {
        form[variable] += factor
        size += Math.abs(factor)
        continue
      }
      const part = written[variable - inputs]
      if (part === null) return { form: null, size: 0 }
      for (let k = 0; k <= inputs; k++) form[k] += factor * part[k]
      for (let k = 0; k < inputs; k++) size += Math.abs(factor * part[k])
    }
    return { form, size }
  }
  return (neuron) => {
    while (known.length <= neuron) {
      while (written.length < known.length) written.push(write(written.length))
      known.push(read(known.length))
    }
    return known[neuron]
  }
}

/**
 * The piece that a constant element is on, either one where it lies between two; 'varies' where it is no constant, null
 * where it is on none of the span.
 */
function constantSpan(
  network: PiecewiseNetwork,
  exact: ExactForms,
  neuron: number,
  { first, last }: Span,
): Span | 'varies' | null {
  const d = network.inputs
  const { values } = exact.read(neuron)
  for (let k = 0; k < d; k++) if (values[k] !== 0n) return 'varies'
  const above = (below: number) => exactWall({ kind: 'neuron', neuron, below, side: 1 }, network, exact)[d]
  if (first > 0 && above(first - 1) < 0n) return null
  if (last < network.neurons[neuron].pieces.length - 1 && above(last) > 0n) return null
  let piece = first
  while (piece < last && above(piece) > 0n) piece++
  return { first: piece, last: piece }
}

/** Neurons that reach an output over slopes other than 0. */
function mattering({ inputs, neurons, outputs }: PiecewiseNetwork, spans: readonly Span[]): Uint8Array {
  const matters = new Uint8Array(neurons.length)
  const mark = (variables: Int32Array) => {
    for (const variable of variables) if (variable >= inputs) matters[variable - inputs] = 1
  }
  for (const { variables } of outputs) mark(variables)
  for (let neuron = neurons.length - 1; neuron >= 0; neuron--) {
    const { lo, hi } = slopesOf(neurons[neuron], spans[neuron])
    if (lo === 0 && hi === 0) matters[neuron] = 0
    if (matters[neuron] === 1) mark(neurons[neuron].variables)
  }
  return matters
}
