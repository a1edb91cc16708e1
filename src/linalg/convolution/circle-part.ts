import { allocate, allocateFloats, scoped, singlesAt } from '../arena.ts'
import { kernels, type Pointer } from '../kernels.ts'
import { gamma, outward, singleGamma, unitRoundoff } from '../rounding-error.ts'
import type { SizedAxis } from './axis.ts'
import {
  basisOffsets,
  type FrequencyGroup,
  frequencyGroups,
  trigonometricBasis,
  waveMatrix,
} from './circle-basis.ts'
import { type Field, fieldOf, offsetIn, type Placement, positionsOf } from './field.ts'
import { padded } from './gather.ts'
import { createHermitian, type Hermitian } from './hermitian.ts'
import type { Kernel } from './kernel.ts'
import { type RunCombination, runCombination } from './runs.ts'
import { type FourierSymbol, symbolOf } from './symbol.ts'

/** What products between frequencies are made in: float32 is twice as fast. Sums of more than a few dozen are float64. */
export type Precision = 'double' | 'single'

/** A symmetric operator on fields of outputs, and what is wrong with its products. */
export interface NormalPart {
  /** y += B̃x or y −= B̃x, or y = B̃x, for both vectors. */
  apply(x: Pointer, y: Pointer, precision: Precision): void
  /** ‖B̃ − B‖₂ is at most this. */
  readonly deviation: number
  /** ‖fl(B̃v) − B̃v‖ ≤ productError · ‖v‖. */
  readonly productError: Readonly<Record<Precision, number>>
  /** A bound on ‖B‖₂. */
  readonly magnitude: number
}

/** Points of the circles on which outputs do not meet themselves. */
export function circlesOf(kernel: Kernel): number[] {
  return (kernel.axes as readonly SizedAxis[]).map(
    ({ outputs, taps, stride }) => outputs + Math.ceil(taps / stride) - 1,
  )
}

/**
 * T_f T_f* for a convolution T_f whose input does not end, between frequencies: a Toeplitz operator on the outputs with the
 * symbol H(ω) = K̂(ω)K̂(ω)* of degree D_a, hence on m_a outputs a part of the circulant on m_a + D_a points.
 *
 * H(ω) = C + iD is held in float32; that and the rounding of the basis are in `deviation`. `productError` is the rounding of
 * the products: |fl(Σ) − Σ| ≤ γ Σ|·|, stage by stage, with ‖|A|‖₂ ≤ ‖A‖_F for the transforms. For H itself the sums of
 * magnitudes are made by the symmetric matrix of |C| and |D|, whose norm is at most that of |C| + |D|, and so its largest row sum.
 */
export function circlePart(
  kernel: Kernel,
  placement: Placement,
  mode: 'set' | 'add' | 'subtract',
  symbol: FourierSymbol | null = null,
): NormalPart {
  const axes = kernel.axes as readonly SizedAxis[]
  const counts = axes.map((axis) => axis.outputs)
  const points = circlesOf(kernel)
  const groups = frequencyGroups(points)
  const frequencies = groups.flatMap((group) => group.frequencies)
  const { weights, largest, absolute, error } = placeSymbol(kernel, symbol, frequencies)
  const transform = transformOf(placement, counts, points, groups, mode)
  const { run } = placement
  const waves = allocateFloats(frequencies.length * 4 * run)
  const images = allocateFloats(frequencies.length * 4 * run)
  const turned = allocateFloats(4 * run)

  const basis = counts.map((count, a) => ({
    defect: 2 ** -49 * Math.sqrt(2 * count),
    rounding: (gamma(count + 2) + gamma(points[a] + 2)) * Math.sqrt(count) * (1 + 2 ** -40),
  }))
  const stretched = basis.reduce((product, { defect }) => product * (1 + defect) ** 2, 1 + 2 ** -44)
  const inTransforms = basis.reduce((sum, { rounding }) => sum + rounding, 2 * gamma(10) * 8)
  const inDouble = gamma(2 * run + 2) * absolute
  // rounding the vectors, products, and sums of 32; products of numbers below 2⁻⁷⁰ may vanish
  const inSingle = (singleGamma(36) + gamma(run / 16 + 4)) * absolute + run * 2 ** -69
  const others = (inTransforms + 4 * unitRoundoff) * largest
  return {
    magnitude: largest,
    deviation: outward(error + (stretched - 1) * largest),
    productError: {
      double: (inDouble + others) * (1 + 2 ** -16),
      single: (inSingle + others) * (1 + 2 ** -16),
    },
    apply(x, y, precision) {
      transform.forward(x, waves)
      const { multiplyFrequencies, multiplyFrequenciesSingle } = kernels()
      const multiply = precision === 'double' ? multiplyFrequencies : multiplyFrequenciesSingle
      multiply(weights, frequencies.length, run, waves, images, turned)
      transform.back(images, y)
    },
  }
}

/**
 * H = C + iD at the given frequencies in float32, as the kernels read it: `largest` bounds ‖H‖_F, `absolute` ‖|C| + |D|‖₂, `error`
 * what is wrong with any of them.
 */
function placeSymbol(
  kernel: Kernel,
  known: FourierSymbol | null,
  frequencies: readonly (readonly number[])[],
): { weights: Pointer; largest: number; absolute: number; error: number } {
  const order = kernel.outputs
  const run = padded(order)
  const size = 2 * run * run
  const weights = allocate(4 * size * frequencies.length)
  // what the symbol itself takes is given back
  return scoped(() => {
    const symbol = known ?? symbolOf(kernel)
    const matrix = createHermitian(order)
    const rowSums = new Float64Array(order)
    let largest = 0
    let absolute = 0
    frequencies.forEach((frequency, index) => {
      matrix.evaluate(symbol, frequency)
      const squares = packHermitian(matrix, singlesAt(weights + 4 * size * index, size), run, rowSums)
      largest = Math.max(largest, squares)
      absolute = rowSums.reduce((most, sum) => Math.max(most, sum), absolute)
    })
    const norm = outward(Math.sqrt(largest) * (1 + gamma(size)))
    const error = outward(symbol.error + 2 ** -24 * norm + run * 2 ** -148)
    // those of float64, and what rounding them to float32 may add
    return { weights, largest: norm, absolute: absolute * (1 + 2 ** -22) + run * 2 ** -148, error }
  })
}

/**
 * Packs panels of eight rows, the last one of four where that is enough, in each all columns of the real part, then all of the
 * imaginary part. Returns ‖H‖_F²; sets the sums over rows of |re| + |im|.
 */
function packHermitian(
  { order, elements }: Hermitian,
  out: Float32Array,
  run: number,
  rowSums: Float64Array,
): number {
  const { real, imaginary } = elements()
  let squares = 0
  rowSums.fill(0)
  if (run !== order) out.fill(0)
  /** Rows of the panel with row i, and where its row starts. */
  const heights = Int32Array.from({ length: order }, (_, i) => Math.min(8, run - (i & ~7)))
  const starts = Int32Array.from({ length: order }, (_, i) => (i >> 3) * 16 * run + (i & 7))
  for (let i = 0; i < order; i++) {
    const half = i >> 1
    const row = 2 * half * (half + 1) + (i & 1) * (2 * half + 2)
    const imaginaries = heights[i] * run
    let sum = Math.abs(real[row + i])
    for (let j = 0; j < i; j++) {
      const re = real[row + j]
      const im = imaginary[row + j]
      const own = starts[i] + heights[i] * j
      const other = starts[j] + heights[j] * i
      out[own] = out[other] = re
      out[own + imaginaries] = im
      out[other + heights[j] * run] = -im
      squares += 2 * (re * re + im * im)
      const size = Math.abs(re) + Math.abs(im)
      sum += size
      rowSums[j] += size
    }
    rowSums[i] += sum
    const own = starts[i] + heights[i] * i
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
  placement: Placement,
  counts: readonly number[],
  points: readonly number[],
  groups: readonly FrequencyGroup[],
  mode: 'set' | 'add' | 'subtract',
): Transform {
  const { run } = placement
  const last = points.length - 1
  /** Fields on the way: the last axis is transformed first. */
  const stages = points.map((_, a) => {
    const extents = counts.map((count, b) => (b < a ? count : points[b]))
    const field = fieldOf(extents, run, 2)
    return { field, pointer: allocateFloats(field.size) }
  })
  const zero = counts.map(() => 0)
  const within = (field: Field) => (position: readonly number[]) => offsetIn(field, position)
  const alongs = points.map((count, a) => {
    const basis = trigonometricBasis(count, counts[a])
    const target = within(stages[a].field)
    const source = a === last ? placement.read : within(stages[a + 1].field)
    const sink = a === last ? placement.write : within(stages[a + 1].field)
    const others = positionsOf(stages[a].field.extents.with(a, 1))
    const steps = (at: (position: readonly number[]) => number, number: number) =>
      Array.from({ length: number }, (_, k) => at(zero.with(a, k)) - at(zero))
    const outermost = a === last
    const back = transposed(basis).map((row) => row.map((x) => (outermost && mode === 'subtract' ? -x : x)))
    return {
      forward: runCombination(
        basis,
        {
          inputs: steps(source, counts[a]),
          outputs: steps(target, count),
          places: others.flatMap((position) => [source(position), target(position)]),
        },
        2 * run,
      ),
      back: runCombination(
        back,
        {
          inputs: steps(target, count),
          outputs: steps(sink, counts[a]),
          places: others.flatMap((position) => [target(position), sink(position)]),
        },
        2 * run,
        outermost && mode !== 'set',
      ),
    }
  })
  const { forward: mix, back: unmix } = mixing(stages[0].field, groups, run)
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
