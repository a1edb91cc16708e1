import { allocateFloats, floatsAt } from '../arena.ts'
import { gamma, outward } from '../rounding-error.ts'
import type { SizedAxis } from './axis.ts'
import { circlePart, circlesOf, type Precision } from './circle-part.ts'
import { fieldOf, offsetIn, type Placement, positionsOf } from './field.ts'
import { padded } from './gather.ts'
import { type Kernel, tapCount } from './kernel.ts'
import { marginCost, marginParts } from './margin.ts'
import { type FourierSymbol, phaseCount } from './symbol.ts'

/**
 * Products with B = T T* of a finite convolution, between frequencies instead of positions.
 *
 * Let T_f be the convolution of the same outputs with an input that does not end. Then B = T_f T_f* − R*R, where T_f T_f* is a
 * part of a circulant (see circle-part.ts) and R collects what is beyond the borders (see margin.ts). Cost per vector:
 * two complex products of r² per frequency of ∏(m_a + D_a) instead of 2 · taps per position, and the margin.
 *
 * What is multiplied by is a symmetric B̃ that differs a little from B: λ_max(B) ≤ λ_max(B̃) + deviation.
 */
export interface CircleMap {
  /** Numbers of a vector, [position of output, channel]. */
  readonly size: number
  /** ‖B̃ − B‖₂ is at most this. */
  readonly deviation: number
  /** ‖fl(B̃v) − B̃v‖ ≤ productError · ‖v‖, by how the products are made. */
  readonly productError: Readonly<Record<Precision, number>>
  /** z = B̃v and y = B̃u. */
  applyPair(v: Float64Array, u: Float64Array, z: Float64Array, y: Float64Array, precision?: Precision): void
}

/** Bytes that the frequencies of one layer may take. */
const MEMORY = 2 ** 28
/** Points beyond which the plan of the transforms would take more than the products. */
const POINTS = 2 ** 15
/** What a multiply-add of the transforms takes longer than one of the products: it waits for memory. */
const TRANSFORM = 2.5

/**
 * Multiply-adds: once for the symbol, and per product of one vector; null where this is not to be had: there have to be
 * no more output channels than input channels and phases, and the frequencies have to fit.
 */
export function circleCost(kernel: Kernel): { once: number; each: number } | null {
  const { outputs, inputs } = kernel
  const phases = phaseCount(kernel)
  const points = circlesOf(kernel)
  const total = points.reduce((product, count) => product * count, 1)
  if (outputs > inputs * phases || total > POINTS || total * padded(outputs) ** 2 * 4 > MEMORY) return null
  const transforms = TRANSFORM * points.reduce((sum, count) => sum + 2 * count, 0) * total * outputs
  const taps = tapCount(kernel)
  const shifts = kernel.axes.reduce(
    (product, axis) => product * (2 * Math.ceil(axis.taps / axis.stride) - 1),
    0.5,
  )
  const build =
    (0.5 * taps * taps * outputs * outputs * inputs) / phases + total * outputs ** 2 * (shifts / 2 + 4)
  return { once: build, each: 2.6 * total * outputs ** 2 + transforms + marginCost(kernel) }
}

/** `symbol`: that of the kernel, where it is known already. */
export function circleMap(kernel: Kernel, symbol: FourierSymbol | null = null): CircleMap {
  const { outputs } = kernel
  const axes = kernel.axes as readonly SizedAxis[]
  const counts = axes.map((axis) => axis.outputs)
  const degrees = axes.map(({ taps, stride }) => Math.ceil(taps / stride) - 1)
  const read = fieldOf(
    counts.map((count, a) => count + 2 * degrees[a]),
    outputs,
    2,
  )
  const written = fieldOf(counts, outputs, 2)
  const placement: Placement = {
    run: read.run,
    read: (output, copy) =>
      offsetIn(
        read,
        output.map((q, a) => q + degrees[a]),
        copy,
      ),
    write: (output, copy) => offsetIn(written, output, copy),
  }
  const from = allocateFloats(read.size)
  const to = allocateFloats(written.size)
  floatsAt(from, read.size).fill(0)
  const main = circlePart(kernel, placement, 'set', symbol)
  const parts = [main, ...marginParts(kernel, placement, main.magnitude)]
  const positions = positionsOf(counts)
  const starts = positions.map((position) => placement.read(position))
  const ends = positions.map((position) => placement.write(position))

  function write(vector: Float64Array, copy: number): void {
    const field = floatsAt(from, read.size)
    for (let i = 0, k = 0; i < starts.length; i++) {
      for (let c = 0, at = starts[i] + copy * read.run; c < outputs; c++) field[at++] = vector[k++]
    }
  }

  function fetch(copy: number, vector: Float64Array): void {
    const field = floatsAt(to, written.size)
    for (let i = 0, k = 0; i < starts.length; i++) {
      for (let c = 0, at = ends[i] + copy * read.run; c < outputs; c++) vector[k++] = field[at++]
    }
  }

  /** Every part is added to what the others have left. */
  function errorOf(precision: Precision): number {
    const later = gamma(2 * parts.length)
    return outward(
      parts.reduce((sum, part) => sum + part.productError[precision] + later * part.magnitude, 0),
    )
  }

  return {
    size: starts.length * outputs,
    deviation: outward(parts.reduce((sum, part) => sum + part.deviation, 0)),
    productError: { double: errorOf('double'), single: errorOf('single') },
    applyPair(v, u, z, y, precision = 'double') {
      write(v, 0)
      write(u, 1)
      for (const part of parts) part.apply(from, to, precision)
      fetch(0, z)
      fetch(1, y)
    },
  }
}
