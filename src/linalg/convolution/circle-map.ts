import { allocate, allocateFloats, floatsAt, singlesAt } from '../arena.ts'
import { kernels, type Pointer } from '../kernels.ts'
import { gamma, outward, unitRoundoff } from '../rounding-error.ts'
import type { SizedAxis } from './axis.ts'
import {
  basisOffsets,
  type FrequencyGroup,
  frequencyGroups,
  trigonometricBasis,
  waveMatrix,
} from './circle-basis.ts'
import { type Field, fieldOf, offsetIn, positionsOf } from './field.ts'
import { padded } from './gather.ts'
import { createHermitian, type Hermitian } from './hermitian.ts'
import { type Kernel, tapCount } from './kernel.ts'
import { type Margin, marginCost, marginOf } from './margin.ts'
import { type RunCombination, runCombination } from './runs.ts'
import { type FourierSymbol, phaseCount, symbolOf } from './symbol.ts'

/**
 * Products with B = T T* of a finite convolution, between frequencies instead of positions.
 *
 * Let T_f be the convolution of the same outputs with an input that does not end. T_f T_f* is a Toeplitz operator on
 * the outputs with the symbol H(ω) = K̂(ω)K̂(ω)* of degree D_a, so on m outputs it is a part of the circulant on N_a ≥ m_a + D_a
 * points, which is block diagonal over its frequencies; and B = T_f T_f* − R*R, where R collects what is beyond the
 * borders (see margin.ts). Cost per vector: 2N/… complex products of r² per pair of frequencies, N = ∏ N_a in all, instead
 * of 2 · taps · m of them over positions, and the margin.
 *
 * H(ω) is held in float32. That and the rounding of the basis make this the exact product with a symmetric B̃ instead
 * of B, with ‖B̃ − B‖₂ ≤ `deviation`: λ_max(B) ≤ λ_max(B̃) + deviation. What is left for `productError` is the rounding of
 * the products themselves: |fl(Σ) − Σ| ≤ γ Σ|·|, stage by stage, with ‖|A|‖₂ ≤ ‖A‖_F for every matrix A on the way.
 */
export interface CircleMap {
  /** Numbers of a vector, [position of output, channel]. */
  readonly size: number
  /** ‖B̃ − B‖₂ is at most this. */
  readonly deviation: number
  /** ‖fl(B̃v) − B̃v‖ ≤ productError · ‖v‖. */
  readonly productError: number
  /** z = B̃v and y = B̃u. */
  applyPair(v: Float64Array, u: Float64Array, z: Float64Array, y: Float64Array): void
}

/** Bytes that the frequencies of one layer may take. */
const MEMORY = 2 ** 28

function circlesOf(kernel: Kernel): number[] {
  return (kernel.axes as readonly SizedAxis[]).map(
    ({ outputs, taps, stride }) => outputs + Math.ceil(taps / stride) - 1,
  )
}

/**
 * Multiply-adds: once for the symbol, and per product of one vector; null where this is not to be had: there have to be
 * no more output channels than input channels and phases, and the frequencies have to fit.
 */
export function circleCost(kernel: Kernel): { once: number; each: number } | null {
  const { outputs, inputs } = kernel
  const phases = phaseCount(kernel)
  const points = circlesOf(kernel)
  const total = points.reduce((product, count) => product * count, 1)
  if (outputs > inputs * phases || total * padded(outputs) ** 2 * 4 > MEMORY) return null
  const transforms = points.reduce((sum, count) => sum + 2 * count, 0) * total * outputs
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
export function circleMap(kernel: Kernel, symbol: FourierSymbol = symbolOf(kernel)): CircleMap {
  const { outputs } = kernel
  const axes = kernel.axes as readonly SizedAxis[]
  const counts = axes.map((axis) => axis.outputs)
  const points = circlesOf(kernel)
  const degrees = axes.map(({ taps, stride }) => Math.ceil(taps / stride) - 1)
  const read = fieldOf(
    counts.map((count, a) => count + 2 * degrees[a]),
    outputs,
    2,
  )
  const written = fieldOf(counts, outputs, 2)
  const origin = degrees
  const groups = frequencyGroups(points)
  const frequencies = groups.flatMap((group) => group.frequencies)
  const { weights, largest, error } = placeSymbol(symbol, frequencies)

  const transform = transformOf(read, origin, written, points, groups)
  const waves = allocateFloats(frequencies.length * 4 * read.run)
  const images = allocateFloats(frequencies.length * 4 * read.run)
  const from = allocateFloats(read.size)
  const to = allocateFloats(written.size)
  floatsAt(from, read.size).fill(0)
  const margin: Margin = marginOf(kernel, { field: read, origin, written })

  const starts = positionsOf(counts).map((position) =>
    offsetIn(
      read,
      position.map((q, a) => q + origin[a]),
    ),
  )

  function write(vector: Float64Array, copy: number): void {
    const field = floatsAt(from, read.size)
    for (let i = 0, k = 0; i < starts.length; i++) {
      for (let c = 0, at = starts[i] + copy * read.run; c < outputs; c++) field[at++] = vector[k++]
    }
  }

  function fetch(copy: number, vector: Float64Array): void {
    const field = floatsAt(to, written.size)
    for (let i = 0, k = 0; i < starts.length; i++) {
      for (let c = 0, at = (2 * i + copy) * read.run; c < outputs; c++) vector[k++] = field[at++]
    }
  }

  const basis = counts.map((count, a) => ({
    defect: 2 ** -49 * Math.sqrt(2 * count),
    rounding: (gamma(count + 1) + gamma(points[a] + 1)) * Math.sqrt(count) * (1 + 2 ** -40),
  }))
  const stretched = basis.reduce((product, { defect }) => product * (1 + defect) ** 2, 1 + 2 ** -44)
  const inTransforms = basis.reduce((sum, { rounding }) => sum + rounding, 2 * gamma(10) * 8)
  const inProduct = Math.SQRT2 * gamma(2 * read.run + 2)
  const inMargin =
    (gamma(margin.forward) + gamma(margin.back) * (1 + 2 ** -30)) * margin.magnitude * Math.sqrt(largest)
  return {
    size: starts.length * outputs,
    deviation: outward(error + (stretched - 1) * largest),
    productError: ((inTransforms + inProduct + 2 * unitRoundoff) * largest + inMargin) * (1 + 2 ** -16),
    applyPair(v, u, z, y) {
      write(v, 0)
      write(u, 1)
      transform.forward(from, waves)
      kernels().multiplyFrequencies(weights, frequencies.length, read.run, waves, images)
      transform.back(images, to)
      margin.subtract(from, to)
      fetch(0, z)
      fetch(1, y)
    },
  }
}

/** H at the given frequencies in float32, as the kernel reads it; `largest` bounds ‖H‖_F, `error` what is wrong with any of them. */
function placeSymbol(
  symbol: FourierSymbol,
  frequencies: readonly (readonly number[])[],
): { weights: Pointer; largest: number; error: number } {
  const { order } = symbol
  const run = padded(order)
  const size = 2 * run * run
  const weights = allocate(4 * size * frequencies.length)
  const matrix = createHermitian(order)
  let largest = 0
  frequencies.forEach((frequency, index) => {
    matrix.evaluate(symbol, frequency)
    const squares = packHermitian(matrix, singlesAt(weights + 4 * size * index, size), run)
    largest = Math.max(largest, squares)
  })
  const norm = outward(Math.sqrt(largest) * (1 + gamma(size)))
  return { weights, largest: norm, error: outward(symbol.error + 2 ** -24 * norm + run * 2 ** -148) }
}

/** Packs panels of four rows, in each all columns of the real part, then all of the imaginary part; returns ‖H‖_F². */
function packHermitian({ order, elements }: Hermitian, out: Float32Array, run: number): number {
  const { real, imaginary } = elements()
  const panel = 8 * run
  const imaginaries = 4 * run
  let squares = 0
  if (run !== order) out.fill(0)
  for (let i = 0; i < order; i++) {
    const half = i >> 1
    const row = 2 * half * (half + 1) + (i & 1) * (2 * half + 2)
    const ownPanel = (i >> 2) * panel + (i & 3)
    for (let j = 0; j < i; j++) {
      const re = real[row + j]
      const im = imaginary[row + j]
      const own = ownPanel + 4 * j
      const other = (j >> 2) * panel + 4 * i + (j & 3)
      out[own] = out[other] = re
      out[own + imaginaries] = im
      out[other + imaginaries] = -im
      squares += 2 * (re * re + im * im)
    }
    const own = ownPanel + 4 * i
    out[own] = real[row + i]
    out[own + imaginaries] = 0
    squares += real[row + i] ** 2
  }
  return squares
}

/** Between a field of outputs and the waves on the circles; both vectors of a field together. */
interface Transform {
  forward(field: Pointer, waves: Pointer): void
  back(waves: Pointer, field: Pointer): void
}

function transformOf(
  read: Field,
  origin: readonly number[],
  written: Field,
  points: readonly number[],
  groups: readonly FrequencyGroup[],
): Transform {
  const counts = written.extents
  const length = 2 * read.run
  /** Fields on the way: the last axis is transformed first. */
  const stages = points.map((_, a) => {
    const extents = counts.map((count, b) => (b < a ? count : points[b]))
    const field: Field = { ...fieldOf(extents, read.run, 2) }
    return { field, pointer: allocateFloats(field.size) }
  })
  const alongs = points.map((count, a) => {
    const basis = trigonometricBasis(count, counts[a])
    const source = a + 1 < points.length ? stages[a + 1].field : read
    const shift = a + 1 < points.length ? counts.map(() => 0) : origin
    const sink = a + 1 < points.length ? stages[a + 1].field : written
    const target = stages[a].field
    const others = positionsOf(target.extents.with(a, 1))
    const at = (field: Field, position: readonly number[], offset: readonly number[]) =>
      offsetIn(
        field,
        position.map((x, b) => x + offset[b]),
      )
    const zero = counts.map(() => 0)
    const steps = (field: Field, number: number) =>
      Array.from({ length: number }, (_, k) => offsetIn(field, zero.with(a, k)))
    return {
      forward: runCombination(
        basis,
        {
          inputs: steps(source, counts[a]),
          outputs: steps(target, count),
          places: others.flatMap((position) => [at(source, position, shift), at(target, position, zero)]),
        },
        length,
      ),
      back: runCombination(
        transposed(basis),
        {
          inputs: steps(target, count),
          outputs: steps(sink, counts[a]),
          places: others.flatMap((position) => [at(target, position, zero), at(sink, position, zero)]),
        },
        length,
      ),
    }
  })
  const { forward: mix, back: unmix } = mixing(stages[0].field, groups, read.run)
  const last = points.length - 1
  return {
    forward(field, waves) {
      for (let a = last; a >= 0; a--) {
        alongs[a].forward.run(a === last ? field : stages[a + 1].pointer, stages[a].pointer)
      }
      for (const each of mix) each.run(stages[0].pointer, waves)
    },
    back(waves, field) {
      for (const each of unmix) each.run(waves, stages[0].pointer)
      for (let a = 0; a <= last; a++) {
        alongs[a].back.run(stages[a].pointer, a === last ? field : stages[a + 1].pointer)
      }
    },
  }
}

/** Basis functions into waves and back, for each kind of group. */
function mixing(
  field: Field,
  groups: readonly FrequencyGroup[],
  run: number,
): { forward: RunCombination[]; back: RunCombination[] } {
  const kinds = new Map<string, { free: readonly boolean[]; places: number[] }>()
  let wave = 0
  for (const { first, free, frequencies } of groups) {
    const key = free.join()
    const kind = kinds.get(key) ?? { free, places: [] }
    kinds.set(key, kind)
    kind.places.push(offsetIn(field, first), wave * 4 * run)
    wave += frequencies.length
  }
  const forward: RunCombination[] = []
  const back: RunCombination[] = []
  for (const { free, places } of kinds.values()) {
    const matrix = waveMatrix(free)
    const bases = basisOffsets(free).map((offset) => offsetIn(field, offset))
    const waves = matrix.map((_, row) => row * 2 * run)
    forward.push(runCombination(matrix, { inputs: bases, outputs: waves, places }, 2 * run))
    const reversed = places.map((_, i) => places[i ^ 1])
    back.push(
      runCombination(transposed(matrix), { inputs: waves, outputs: bases, places: reversed }, 2 * run),
    )
  }
  return { forward, back }
}

function transposed(matrix: readonly (readonly number[])[]): number[][] {
  return matrix[0].map((_, j) => matrix.map((row) => row[j]))
}
