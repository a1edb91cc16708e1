import type { SearchDomain } from './domain.ts'
import { isProvenEmpty } from './emptiness.ts'
import { exactForms, exactWall } from './exact-forms.ts'
import { meetingOf, type PiecewiseNetwork, type Span, slopesOf } from './piecewise-network.ts'
import { type Deepest, deepestPoint } from './simplex.ts'
import type { NeuronWall, Wall } from './walls.ts'

/** Part of the domain where some neurons are on some of their pieces. */
export interface Cell {
  /** Pieces that each neuron may be on. */
  readonly spans: readonly Span[]
  readonly walls: readonly Wall[]
  /** The walls in floats, of unit normals. */
  readonly rows: readonly Float64Array[]
  readonly basis: Int32Array | null
  /** A point inside, as far as floats tell; null where none was found. */
  readonly point: Float64Array | null
  /** Neurons whose element is an affine form of the inputs in the whole cell. */
  readonly ready: Uint8Array
  /** Neurons that the outputs depend on in the cell. */
  readonly matters: Uint8Array
}

/** What neurons read, as forms of the inputs in floats: d + 1 numbers; null where that is no affine form in the cell. */
type FloatForms = readonly (Float64Array | null)[]

/** Distances from the origin at which a cell is looked for first, and beyond. */
const REACHES = [1, 1e4, 1e8]

/** Tangents of a ball that are tried for one cell. */
const MOST_CUTS = 30

/** The whole domain; null where that is proven empty, which it is not. */
export function rootCell(network: PiecewiseNetwork, domain: SearchDomain): Cell | null {
  const spans = network.neurons.map(({ pieces }) => ({ first: 0, last: pieces.length - 1 }))
  return settle(network, domain, spans, null)
}

/** The part of a cell where a neuron is on some pieces alone; null where that part is proven to have no inside. */
export function childCell(
  network: PiecewiseNetwork,
  domain: SearchDomain,
  cell: Cell,
  neuron: number,
  span: Span,
): Cell | null {
  const spans = cell.spans.slice()
  spans[neuron] = span
  return settle(network, domain, spans, cell)
}

function settle(
  network: PiecewiseNetwork,
  domain: SearchDomain,
  given: readonly Span[],
  parent: Cell | null,
): Cell | null {
  const spans = given.slice()
  const pieceAt = (neuron: number) => spans[neuron].first
  const exact = exactForms(network, pieceAt)
  const forms = floatForms(network, spans, (neuron) => constantSpan(network, exact, neuron, spans[neuron]))
  if (forms === null) return null
  const walls: Wall[] = [...(parent?.walls ?? domain.walls)]
  const rows: Float64Array[] =
    parent === null ? walls.map((wall) => unitRow(wall, network, forms)!) : [...parent.rows]
  const known = new Set(walls.filter((wall) => wall.kind === 'neuron').map(keyOf))
  network.neurons.forEach(({ pieces }, neuron) => {
    if (forms[neuron] === null) return
    const { first, last } = spans[neuron]
    const bounds: NeuronWall[] = []
    if (first > 0) bounds.push({ kind: 'neuron', neuron, below: first - 1, side: 1 })
    if (last < pieces.length - 1) bounds.push({ kind: 'neuron', neuron, below: last, side: -1 })
    for (const wall of bounds) {
      if (known.has(keyOf(wall))) continue
      const row = unitRow(wall, network, forms)
      if (row === null) continue
      walls.push(wall)
      rows.push(row)
    }
  })
  const found = findPoint(walls, rows, network.inputs, domain, parent, (support) =>
    isProvenEmpty(support.map((at) => exactWall(walls[at], network, exact))),
  )
  if (found === null) return null
  return {
    spans,
    walls,
    rows,
    basis: found.basis,
    point: found.point,
    ready: Uint8Array.from(forms, (form) => (form === null ? 0 : 1)),
    matters: mattering(network, spans),
  }
}

const keyOf = ({ neuron, below, side }: NeuronWall) => (neuron * 64 + below) * 2 + (side > 0 ? 1 : 0)

/** A point inside all walls, adding tangents to a ball; null where there is provably none. */
function findPoint(
  walls: Wall[],
  rows: Float64Array[],
  dimension: number,
  domain: SearchDomain,
  parent: Cell | null,
  isEmpty: (support: readonly number[]) => boolean,
): { point: Float64Array | null; basis: Int32Array | null } | null {
  const scale = scaleOf(rows, dimension)
  let basis = parent?.basis ?? null
  for (const reach of REACHES) {
    for (let cuts = 0; cuts <= MOST_CUTS; cuts++) {
      const options = { dimension, reach: 10 * scale * reach, cap: scale * reach, basis }
      const deepest: Deepest | null = deepestPoint(rows, options)
      if (deepest === null) return { point: null, basis: null }
      basis = deepest.basis
      if (!(deepest.depth > 1e-12 * scale)) {
        if (isEmpty(deepest.support)) return null
        if (deepest.leansOnReach) break
        return { point: null, basis }
      }
      const cut = domain.cut(deepest.x)
      if (cut === null) return { point: deepest.x, basis }
      walls.push(cut)
      rows.push(normalized(cut.normal, cut.offset) as Float64Array)
    }
  }
  return { point: null, basis }
}

/** How far from the origin walls are, about. */
function scaleOf(rows: readonly Float64Array[], dimension: number): number {
  const distances = rows.map((row) => Math.abs(row[dimension])).sort((a, b) => a - b)
  return Math.max(1e-6, distances.at(-1) ?? 1)
}

function unitRow(wall: Wall, { neurons }: PiecewiseNetwork, forms: FloatForms): Float64Array | null {
  if (wall.kind === 'domain') return normalized(wall.normal, wall.offset)
  const form = forms[wall.neuron] as Float64Array
  const { rise, shift } = meetingOf(neurons[wall.neuron].pieces, wall.below)
  const d = form.length - 1
  const normal = form.subarray(0, d).map((value) => wall.side * rise * value)
  return normalized(normal, wall.side * (rise * form[d] + shift))
}

function normalized(normal: Float64Array, offset: number): Float64Array | null {
  const length = Math.hypot(...normal)
  if (!(length > 1e-300 && length < 1e300 && Number.isFinite(offset))) return null
  const row = new Float64Array(normal.length + 1)
  for (let k = 0; k < normal.length; k++) row[k] = normal[k] / length
  row[normal.length] = offset / length
  return row
}

/** Sizes of forms beside those of what they are made of, below which they may be constant. */
const VANISHING = 1e-9

/**
 * Forms in the inputs of all neurons whose predecessors are on one piece each. Forms that look constant are asked for
 * exactly: `spanOf` gives the piece of a constant, 'varies' where it is none, and null where the cell holds no such
 * constant; then the cell is empty.
 */
function floatForms(
  { inputs, neurons }: PiecewiseNetwork,
  spans: Span[],
  spanOf: (neuron: number) => Span | 'varies' | null,
): (Float64Array | null)[] | null {
  const forms: (Float64Array | null)[] = []
  const written: (Float64Array | null)[] = []
  for (const [neuron, { variables, floats, offset, pieces }] of neurons.entries()) {
    let form: Float64Array | null = new Float64Array(inputs + 1)
    form[inputs] = offset
    let size = 0
    for (let i = 0; i < variables.length && form !== null; i++) {
      const variable = variables[i]
      if (variable < inputs) {
        form[variable] += floats[i]
        size += Math.abs(floats[i])
        continue
      }
      const part = written[variable - inputs]
      if (part === null) {
        form = null
        continue
      }
      for (let k = 0; k <= inputs; k++) {
        form[k] += floats[i] * part[k]
        if (k < inputs) size += Math.abs(floats[i] * part[k])
      }
    }
    forms.push(form)
    if (form !== null && Math.hypot(...form.subarray(0, inputs)) <= VANISHING * size) {
      const span = spanOf(neuron)
      if (span === null) return null
      if (span !== 'varies') spans[neuron] = span
    }
    const { first, last } = spans[neuron]
    if (form === null || first < last) written.push(null)
    else {
      const { slope, offset: shift } = pieces[first]
      const part = form.map((value) => slope * value)
      part[inputs] += shift
      written.push(part)
    }
  }
  return forms
}

/**
 * The piece that a constant element is on, either one where it lies between two; 'varies' where it is no constant, null
 * where it is on none of the span.
 */
function constantSpan(
  network: PiecewiseNetwork,
  exact: ReturnType<typeof exactForms>,
  neuron: number,
  { first, last }: Span,
): Span | 'varies' | null {
  const d = network.inputs
  const { values } = exact(neuron)
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
