import { allocateFloats, floatsAt } from '../arena.ts'
import { gamma } from '../rounding-error.ts'
import type { SizedAxis } from './axis.ts'
import { circlePart, circlesOf, type NormalPart } from './circle-part.ts'
import { fieldOf, offsetIn, type Placement, placementAt, positionsOf } from './field.ts'
import { type GatherProduct, gatherProduct } from './gather.ts'
import { type Kernel, tapPositions } from './kernel.ts'
import { phaseCount } from './symbol.ts'

/**
 * What the outputs of a convolution would read beyond the borders of its input: with T_f the convolution of the same
 * outputs with an input that goes on, T_f T_f* = T T* + R*R, R x being T_f* x at the places beyond the borders.
 *
 * Places are taken side by side: those before and behind the input on the first axis, then those within it on the first
 * axis and outside on the second, and so on. A side of one place along its axis that one output reaches through one
 * tap is a convolution S over the other axes, whose S S* is again the product on circles less a margin of its own, on the
 * axes before. Other sides are multiplied by place by place.
 */

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

/** One side: its axis, and a span for every axis. */
interface Side {
  readonly axis: number
  readonly spans: readonly Span[]
}

/** `finite`: the axes on which the input ends. */
function sidesOf(axes: readonly SizedAxis[], finite: readonly boolean[]): Side[] {
  const spans = axes.map(spansOf)
  return spans
    .flatMap((own, axis) =>
      [own.before, own.behind].map((side) => ({
        axis,
        spans: spans.map((other, b) => {
          if (b === axis) return side
          return b < axis && finite[b] ? other.inside : other.all
        }),
      })),
    )
    .filter(({ axis, spans }) => {
      const empty = spans.some(({ low, high, firstTap, lastTap }) => low >= high || firstTap > lastTap)
      return finite[axis] && !empty
    })
}

/** Outputs of an axis that reach the span through its taps. */
function outputsNear({ stride, pad, outputs }: SizedAxis, { low, high, firstTap, lastTap }: Span) {
  const first = Math.max(0, Math.ceil((low + pad - lastTap) / stride))
  const last = Math.min(outputs - 1, Math.floor((high - 1 + pad - firstTap) / stride))
  return { first, count: Math.max(0, last - first + 1) }
}

/** Parts that take R*R away. `largest` bounds ‖T_f T_f*‖₂ and so ‖R‖₂². */
export function marginParts(kernel: Kernel, placement: Placement, largest: number): NormalPart[] {
  const finite = kernel.axes.map(() => true)
  return partsOver(kernel, finite, placement, largest, 'subtract')
}

function partsOver(
  kernel: Kernel,
  finite: readonly boolean[],
  placement: Placement,
  largest: number,
  mode: 'add' | 'subtract',
): NormalPart[] {
  const axes = kernel.axes as readonly SizedAxis[]
  return sidesOf(axes, finite).flatMap((side) => {
    const slice = sliceOf(kernel, side)
    if (slice === null) return [sideOf(kernel, placement, side.spans, largest, mode)]
    const { axis } = side
    const own = placementAt(placement, axis, slice.output)
    const part = circlePart(slice.kernel, own, mode)
    const ends = finite.map((ending, b) => ending && b < axis).toSpliced(axis, 1)
    const rest = partsOver(slice.kernel, ends, own, part.magnitude, mode === 'add' ? 'subtract' : 'add')
    return [part, ...rest]
  })
}

/** A side as a convolution over the other axes at one output of its own; null where it is not that. */
function sliceOf(kernel: Kernel, { axis, spans }: Side): { kernel: Kernel; output: number } | null {
  const axes = kernel.axes as readonly SizedAxis[]
  const { low, high, firstTap, lastTap } = spans[axis]
  const near = outputsNear(axes[axis], spans[axis])
  if (axes.length === 1 || high - low !== 1 || firstTap !== lastTap || near.count !== 1) return null
  const size = kernel.outputs * kernel.inputs
  const kept = tapPositions(kernel).flatMap((tap, slice) => (tap[axis] === firstTap ? [slice] : []))
  const slices = new Float64Array(kept.length * size)
  kept.forEach((slice, i) => {
    slices.set(kernel.slices.subarray(slice * size, (slice + 1) * size), i * size)
  })
  const own: Kernel = { ...kernel, axes: kernel.axes.toSpliced(axis, 1), slices }
  return own.outputs <= own.inputs * phaseCount(own) ? { kernel: own, output: near.first } : null
}

/** Multiply-adds for one vector. */
export function marginCost(kernel: Kernel, finite: readonly boolean[] = kernel.axes.map(() => true)): number {
  const axes = kernel.axes as readonly SizedAxis[]
  const phases = phaseCount(kernel)
  return sidesOf(axes, finite).reduce((sum, side) => {
    const slice = sliceOf(kernel, side)
    if (slice !== null) {
      const points = circlesOf(slice.kernel).reduce((product, count) => product * count, 1)
      const ends = finite.map((ending, b) => ending && b < side.axis).toSpliced(side.axis, 1)
      return sum + 2 * points * kernel.outputs ** 2 + marginCost(slice.kernel, ends)
    }
    const taps = side.spans.reduce((product, { firstTap, lastTap }) => product * (lastTap - firstTap + 1), 1)
    const places = side.spans.reduce((product, { low, high }) => product * (high - low), 1)
    const near = side.spans.reduce((product, span, a) => product * outputsNear(axes[a], span).count, 1)
    return sum + taps * (places / phases + near) * kernel.outputs * kernel.inputs
  }, 0)
}

function sideOf(
  kernel: Kernel,
  placement: Placement,
  side: readonly Span[],
  largest: number,
  mode: 'add' | 'subtract',
): NormalPart {
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
        positions.push(placement.read(block, copy), offsetIn(places, place, copy))
      }
    }
    const origin = placement.read(axes.map(() => 0))
    const lag = taps.map(
      ({ tap }) => placement.read(tap.map((t, a) => -Math.floor(t / axes[a].stride))) - origin,
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

  const sign = mode === 'add' ? 1 : -1
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
      positions.push(placement.write(output, copy))
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
    (tap, o, c) => sign * slices[(own[tap].slice * outputs + o) * inputs + c],
  )
  const size = outputs * inputs
  const kappa = own.reduce((sum, { slice }) => {
    let squares = 0
    for (let i = slice * size; i < (slice + 1) * size; i++) squares += slices[i] ** 2
    return sum + Math.sqrt(squares)
  }, 0)
  const roundings = gamma(own.length * outputs + 1) + gamma(own.length * inputs + 2) * (1 + 2 ** -30)
  const norm = Math.min(kappa, Math.sqrt(largest)) * (1 + 2 ** -40)
  const error = roundings * kappa * norm * (1 + 2 ** -20)
  return {
    magnitude: norm * norm,
    deviation: 0,
    productError: { double: error, single: error },
    apply(x, y) {
      floatsAt(pointer, places.size).fill(0)
      for (const product of gathered) product.run(x, pointer)
      returned.run(pointer, y)
    },
  }
}
