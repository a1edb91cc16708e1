import { allocateFloats, floatsAt } from '../arena.ts'
import type { Pointer } from '../kernels.ts'
import type { SizedAxis } from './axis.ts'
import { type Field, fieldOf, offsetIn, positionsOf } from './field.ts'
import { type GatherProduct, gatherProduct } from './gather.ts'
import { type Kernel, tapPositions } from './kernel.ts'

/**
 * What the outputs of a convolution would read beyond the borders of its input: with T_f the convolution of the same
 * outputs with an input that goes on, T_f T_f* = T T* + R*R, R x being T_f* x at the places beyond the borders.
 *
 * Places are taken side by side: those before and behind the input on the first axis, then those within it on the first
 * axis and outside on the second, and so on. Each side has a small field of its own, and few taps reach it.
 */
export interface Margin {
  /** y −= R*R x, for two vectors. `x` and `y` are fields of outputs as `layout` describes them. */
  subtract(x: Pointer, y: Pointer): void
  /** κ: a bound on ‖|R|‖₂. */
  readonly magnitude: number
  /** Roundings that sums of R x and of R*y meet, at most. */
  readonly forward: number
  readonly back: number
}

/** How fields of outputs lie in the arena: two vectors at every position, `copies` apart. */
export interface OutputLayout {
  readonly field: Field
  /** Position of output 0 in the field that is read; the one that is written begins with it. */
  readonly origin: readonly number[]
  readonly written: Field
}

/** Places [low, high) of one axis that lie on one side of the input, and the taps that may reach them. */
interface Span {
  readonly low: number
  readonly high: number
  readonly firstTap: number
  readonly lastTap: number
}

function spansOf({ taps, stride, pad, inputs, outputs }: SizedAxis): {
  before: Span
  inside: Span
  behind: Span
  all: Span
} {
  const end = stride * (outputs - 1) + taps - pad
  return {
    before: { low: -pad, high: 0, firstTap: 0, lastTap: Math.min(taps, pad) - 1 },
    inside: { low: 0, high: inputs, firstTap: 0, lastTap: taps - 1 },
    behind: {
      low: inputs,
      high: end,
      firstTap: Math.max(0, inputs + pad - stride * (outputs - 1)),
      lastTap: taps - 1,
    },
    all: { low: -pad, high: Math.max(end, inputs), firstTap: 0, lastTap: taps - 1 },
  }
}

/** The sides, as a span for every axis. */
function sidesOf(axes: readonly SizedAxis[]): Span[][] {
  const spans = axes.map(spansOf)
  return spans
    .flatMap((own, a) =>
      [own.before, own.behind].map((side) =>
        spans.map((other, b) => (b < a ? other.inside : b === a ? side : other.all)),
      ),
    )
    .filter((side) => side.every(({ low, high, firstTap, lastTap }) => low < high && firstTap <= lastTap))
}

/** Outputs of an axis that reach the span through its taps. */
function outputsNear({ stride, pad, outputs }: SizedAxis, { low, high, firstTap, lastTap }: Span) {
  const first = Math.max(0, Math.ceil((low + pad - lastTap) / stride))
  const last = Math.min(outputs - 1, Math.floor((high - 1 + pad - firstTap) / stride))
  return { first, count: Math.max(0, last - first + 1) }
}

export function marginOf(kernel: Kernel, layout: OutputLayout): Margin {
  const axes = kernel.axes as readonly SizedAxis[]
  const sides = sidesOf(axes).map((side) => sideOf(kernel, layout, side))
  return {
    subtract(x, y) {
      for (const side of sides) side.subtract(x, y)
    },
    magnitude: Math.sqrt(sides.reduce((sum, side) => sum + side.magnitude ** 2, 0)) * (1 + 2 ** -40),
    forward: Math.max(0, ...sides.map((side) => side.forward)),
    back: sides.reduce((sum, side) => Math.max(sum, side.back), 0) + sides.length,
  }
}

/** Multiply-adds of `subtract` for one vector. */
export function marginCost(kernel: Kernel): number {
  const axes = kernel.axes as readonly SizedAxis[]
  const phases = axes.reduce((product, axis) => product * axis.stride, 1)
  return sidesOf(axes).reduce((sum, side) => {
    const taps = side.reduce((product, { firstTap, lastTap }) => product * (lastTap - firstTap + 1), 1)
    const places = side.reduce((product, { low, high }) => product * (high - low), 1)
    const near = side.reduce((product, span, a) => product * outputsNear(axes[a], span).count, 1)
    return sum + taps * (places / phases + near) * kernel.outputs * kernel.inputs
  }, 0)
}

function sideOf(kernel: Kernel, layout: OutputLayout, side: readonly Span[]): Margin {
  const { outputs, inputs, slices } = kernel
  const axes = kernel.axes as readonly SizedAxis[]
  const own = tapPositions(kernel).flatMap((tap, slice) =>
    tap.every((t, a) => t >= side[a].firstTap && t <= side[a].lastTap) ? [{ tap, slice }] : [],
  )
  const near = axes.map((axis, a) => outputsNear(axis, side[a]))
  // from the first place that an output near the side reads to the last
  const low = axes.map(({ stride, pad }, a) =>
    Math.min(side[a].low, stride * near[a].first + side[a].firstTap - pad),
  )
  const extents = axes.map(({ stride, pad }, a) => {
    const last = stride * (near[a].first + near[a].count - 1) + side[a].lastTap - pad
    return Math.max(side[a].high, last + 1) - low[a]
  })
  const places = fieldOf(extents, inputs, 2)
  const pointer = allocateFloats(places.size)

  /** Places of one phase, and the taps that reach them. */
  const reads = positionsOf(axes.map((axis) => axis.stride)).flatMap((phase) => {
    const taps = own.filter(({ tap }) => tap.every((t, a) => t % axes[a].stride === phase[a]))
    const blocks = axes.map(({ stride, pad }, a) => {
      const first = Math.ceil((side[a].low + pad - phase[a]) / stride)
      const last = Math.floor((side[a].high - 1 + pad - phase[a]) / stride)
      return { first, count: last - first + 1 }
    })
    if (taps.length === 0 || blocks.some(({ count }) => count <= 0)) return []
    const positions: number[] = []
    for (const copy of [0, 1]) {
      for (const index of positionsOf(blocks.map(({ count }) => count))) {
        const block = index.map((i, a) => i + blocks[a].first)
        const place = block.map((j, a) => axes[a].stride * j + phase[a] - axes[a].pad - low[a])
        const from = block.map((j, a) => j + layout.origin[a])
        positions.push(offsetIn(layout.field, from, copy), offsetIn(places, place, copy))
      }
    }
    const lag = taps.map(({ tap }) =>
      offsetIn(
        layout.field,
        tap.map((t, a) => -Math.floor(t / axes[a].stride)),
      ),
    )
    return [{ taps, positions, lag }]
  })
  // offsets of taps may not be negative: they count from the earliest
  const gathered: GatherProduct[] = reads.map(({ taps, positions, lag }) => {
    const earliest = Math.min(...lag)
    return gatherProduct(
      positions.map((offset, i) => (i % 2 === 0 ? offset + earliest : offset)),
      lag.map((offset) => offset - earliest),
      inputs,
      outputs,
      (tap, c, o) => slices[(taps[tap].slice * outputs + o) * inputs + c],
    )
  })

  const positions: number[] = []
  for (const copy of [0, 1]) {
    for (const index of positionsOf(near.map(({ count }) => count))) {
      const output = index.map((i, a) => i + near[a].first)
      const place = output.map((q, a) => axes[a].stride * q - axes[a].pad - low[a])
      positions.push(
        offsetIn(
          places,
          place.map((p, a) => p + side[a].firstTap),
          copy,
        ),
      )
      positions.push(offsetIn(layout.written, output, copy))
    }
  }
  const returned = gatherProduct(
    positions,
    own.map(({ tap }) =>
      offsetIn(
        places,
        tap.map((t, a) => t - side[a].firstTap),
      ),
    ),
    outputs,
    inputs,
    (tap, o, c) => -slices[(own[tap].slice * outputs + o) * inputs + c],
  )
  const size = outputs * inputs
  const magnitude = own.reduce((sum, { slice }) => {
    let squares = 0
    for (let i = slice * size; i < (slice + 1) * size; i++) squares += slices[i] ** 2
    return sum + Math.sqrt(squares)
  }, 0)
  return {
    magnitude,
    forward: own.length * outputs + 1,
    back: own.length * inputs + 1,
    subtract(x, y) {
      floatsAt(pointer, places.size).fill(0)
      for (const product of gathered) product.run(x, pointer)
      returned.run(pointer, y)
    },
  }
}
