import { costOfEvaluation } from '../sdp/problem.ts'
import type { Cell } from './cell.ts'
import { childCell, rootCell } from './cell.ts'
import { boundCell } from './cell-bound.ts'
import type { SearchDomain } from './domain.ts'
import { jacobianAt } from './jacobian.ts'
import { type PiecewiseNetwork, type Span, slopesOf } from './piecewise-network.ts'
import { type Relaxation, relax } from './relaxation.ts'

export interface SearchOptions {
  /** Multiply-adds, about. */
  readonly budget: number
  /** Neurons that may be on several pieces, at the most: with more there is no hope. */
  readonly open?: number
  readonly expired?: () => boolean
}

export interface Found {
  /** Proven: the constant is at most this. */
  readonly upper: number
  /** Proven: the constant is at least this. */
  readonly lower: number
  /** A point inside a cell whose Jacobian is as long as `lower`. */
  readonly point: Float64Array | null
  readonly cells: number
  /** Multiply-adds, about. */
  readonly spent: number
}

interface Open {
  readonly cell: Cell
  readonly bound: number
  /** ln of multipliers by neuron, NaN where there is none. */
  readonly multipliers: Float64Array
}

/** Cells whose bound exceeds the largest Jacobian by less than this are settled. */
const TOLERANCE = 2e-7

/**
 * Branch and bound over the cells of a piecewise linear network: the Lipschitz constant is the largest norm of a Jacobian
 * over all cells with an inside. What is left of the domain is a list of cells, each with a proven bound; the one with the
 * largest is parted at a neuron. A part is dropped where it provably has no inside, or where its bound is no more than
 * what a point attains. Null where the domain has no inside, or too many neurons are open.
 */
export function searchCells(
  network: PiecewiseNetwork,
  domain: SearchDomain,
  { budget, open: most = Infinity, expired }: SearchOptions,
): Found | null {
  const root = rootCell(network, domain)
  if (root === null) return null
  const isOpen = ({ first, last }: Span, neuron: number) => first < last && root.matters[neuron] === 1
  if (root.spans.filter(isOpen).length > most) return null
  let [spent, cells, lower, settled] = [0, 0, 0, 0]
  let point: Float64Array | null = null
  const open: Open[] = []
  const seen = new WeakSet<Float64Array>()
  const weights = network.neurons.reduce((sum, { variables }) => sum + variables.length, 0)
  const enough = () => lower * (1 + TOLERANCE)

  function look(cell: Cell): void {
    for (const x of cell.points) {
      if (seen.has(x)) continue
      seen.add(x)
      spent += weights * (network.inputs + 1)
      const attained = domain.holds(x) ? jacobianAt(network, x) : null
      // beyond float64 nothing is known to be attained
      if (attained === null || !(attained > lower && attained < Infinity)) continue
      lower = attained
      point = x
    }
  }

  function enter(cell: Cell, parent: Open | null): void {
    cells++
    look(cell)
    const relaxation = relax(network, cell)
    const start = parent && Float64Array.from(relaxation.free, (neuron) => parent.multipliers[neuron])
    const found = boundCell(relaxation, {
      start: start?.some(Number.isNaN) ? null : start,
      enough: enough(),
      evaluations: parent === null ? Math.min(60, evaluationsIn(0.3 * budget, relaxation)) : 12,
    })
    spent += found.cost + cell.cost
    const proven = Number.isNaN(found.bound) ? Infinity : found.bound
    const bound = Math.min(proven, parent?.bound ?? Infinity)
    if (bound <= enough() || relaxation.free.length === 0) {
      settled = Math.max(settled, bound)
      return
    }
    const multipliers = new Float64Array(network.neurons.length).fill(Number.NaN)
    relaxation.free.forEach((neuron, i) => {
      multipliers[neuron] = found.multipliers?.[i] ?? parent?.multipliers[neuron] ?? Number.NaN
    })
    push(open, { cell, bound, multipliers })
  }

  enter(root, null)
  while (open.length > 0 && spent < budget && expired?.() !== true) {
    const next = pop(open)
    if (next.bound <= enough()) {
      settled = Math.max(settled, next.bound)
      continue
    }
    const neuron = branchingNeuron(network, next.cell)
    if (neuron === null) {
      settled = Math.max(settled, next.bound)
      continue
    }
    const { first, last } = next.cell.spans[neuron]
    const middle = (first + last) >> 1
    for (const side of [1, -1] as const) {
      const child = childCell(network, domain, next.cell, { kind: 'neuron', neuron, below: middle, side })
      if (child !== null) enter(child, next)
    }
  }
  const upper = Math.max(settled, lower, open[0]?.bound ?? 0)
  return { upper, lower, point, cells, spent }
}

function evaluationsIn(budget: number, { problem }: Relaxation): number {
  return Math.max(1, Math.floor(budget / costOfEvaluation(problem)))
}

/** The neuron whose slope is most open, of those whose element is affine in the cell. */
function branchingNeuron(network: PiecewiseNetwork, { spans, ready, matters }: Cell): number | null {
  const { neurons, inputs, outputs } = network
  const slopes = neurons.map((neuron, at) => slopesOf(neuron, spans[at]))
  // with mean slopes, the length of what reaches each neuron, and of what it reaches
  const ahead = neurons.map(() => 0)
  const forms: Float64Array[] = []
  neurons.forEach(({ variables, floats }, at) => {
    const form = new Float64Array(inputs)
    variables.forEach((variable, i) => {
      if (variable < inputs) form[variable] += floats[i]
      else {
        const { lo, hi } = slopes[variable - inputs]
        const factor = floats[i] * ((lo + hi) / 2)
        const part = forms[variable - inputs]
        for (let k = 0; k < inputs; k++) form[k] += factor * part[k]
      }
    })
    forms.push(form)
    ahead[at] = Math.hypot(...form)
  })
  const behind = neurons.map(() => new Float64Array(outputs.length))
  outputs.forEach(({ variables, floats }, row) => {
    variables.forEach((variable, i) => {
      if (variable >= inputs) behind[variable - inputs][row] += floats[i]
    })
  })
  for (let at = neurons.length - 1; at >= 0; at--) {
    const { lo, hi } = slopes[at]
    const mean = (lo + hi) / 2
    neurons[at].variables.forEach((variable, i) => {
      if (variable < inputs) return
      const factor = neurons[at].floats[i] * mean
      for (let row = 0; row < outputs.length; row++)
        behind[variable - inputs][row] += factor * behind[at][row]
    })
  }
  let [best, most]: [number | null, number] = [null, -1]
  neurons.forEach((_, at) => {
    const { lo, hi } = slopes[at]
    if (ready[at] === 0 || matters[at] === 0 || lo === hi) return
    const score = (hi - lo) * ahead[at] * Math.hypot(...behind[at])
    if (score <= most) return
    most = score
    best = at
  })
  return best
}

/** A binary heap, the largest bound first. */
function push(heap: Open[], entry: Open): void {
  let at = heap.push(entry) - 1
  while (at > 0) {
    const above = (at - 1) >> 1
    if (heap[above].bound >= heap[at].bound) return
    ;[heap[above], heap[at]] = [heap[at], heap[above]]
    at = above
  }
}

function pop(heap: Open[]): Open {
  const top = heap[0]
  const last = heap.pop() as Open
  if (heap.length === 0) return top
  heap[0] = last
  for (let at = 0; ; ) {
    let largest = at
    for (const below of [2 * at + 1, 2 * at + 2])
      if (below < heap.length && heap[below].bound > heap[largest].bound) largest = below
    if (largest === at) return top
    ;[heap[at], heap[largest]] = [heap[largest], heap[at]]
    at = largest
  }
}
