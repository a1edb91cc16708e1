import { type Enclosure, exactly, joinMaximum, relativeWidth } from '../core/enclosure.ts'
import type { FloatArray } from '../core/tensor.ts'
import { scoped } from './arena.ts'
import { energyBounds } from './convolution/energy.ts'
import { encloseFinite, planFinite } from './convolution/finite.ts'
import type { Kernel } from './convolution/kernel.ts'
import { keptAxes, kernelReader, matrixOf, partsOf, sumOfSliceNorms } from './convolution/kernel.ts'
import { denseConvolution, directCost, finiteSize } from './convolution/matrix.ts'
import type { Spectrum } from './convolution/spectrum.ts'
import { spectrumOf, supremumBelow } from './convolution/spectrum.ts'
import { symbolCost } from './convolution/symbol.ts'
import { encloseBySymbol, encloseUnbounded } from './convolution/symbolic.ts'
import { type TorusBound, torusBound } from './convolution/torus.ts'
import { encloseMatrix, type Matrix, scaleEnclosure } from './dense.ts'
import type { ConvolutionOperator } from './linear-operator.ts'
import type { NormOptions } from './norm-options.ts'
import { largestMagnitude, powerOfTwoBelow } from './survey.ts'

export { frobeniusOfConvolution } from './convolution/frobenius.ts'

/** Multiply-adds that a dense Gram matrix and its factorisation may cost where nothing else is asked. */
const GRAM_BUDGET = 1e8
/** Elements up to which a deterministic certificate may cost a dense matrix where nothing else is tight. */
const DENSE_LIMIT = 16_000_000
/** Multiply-adds per step of Lanczos on the finite operator that are not worth avoiding on images of few positions. */
const CHEAP_STEP = 3e6
const SMALL_IMAGE = 700
/** Dimensions up to which it goes on beyond the tolerance. */
const SMALL = 1200
/** Lanczos steps, with two starts, that a finite operator is expected to take. */
const EXPECTED_STEPS = 40
/** Lanczos may cost this many times as much as bounds by the symbol: it does not fail, and where those fail both are paid for. */
const CERTAIN = 1.5
/** Factorisations that may be spent on showing that one of many pieces does not matter. */
const BUDGET = 1000

/**
 * Encloses ‖T‖₂ of a convolution at its real size, all its strides, pads, dilations and groups included; of the
 * supremum over sizes where the size is not known ('symbol-supremum', see spectrum.ts).
 *
 * The operator is first split exactly: groups and interleaved copies are direct sums, of which the largest norm
 * counts; 1×1 kernels, patch embeddings and axes of size one are dense matrices (see kernel.ts and axis.ts). What is
 * left is enclosed by the cheapest way that meets the tolerance:
 *
 * - small operators as dense matrices (see dense.ts), deterministic and tight;
 * - 'torus' and 'symbol': windowed plane waves from below (windowed-wave.ts), twisted tori (torus.ts) or the supremum of the
 *   symbol (supremum.ts) from above: deterministic, at a cost that does not depend on the image size;
 * - 'lanczos': the finite operator by its definition, with the probabilistic certificate (finite.ts).
 *
 * Weights must be finite.
 */
export function encloseConvolution(
  operator: ConvolutionOperator,
  weights: FloatArray,
  options: NormOptions,
): Enclosure {
  const largest = largestMagnitude(weights)
  const parts = partsOf(operator)
  if (largest === 0 || parts.length === 0) return exactly(0, 'zero')
  const groups = Array.from({ length: operator.groups }, (_, group) => group)
  const share = {
    ...options,
    failureProbability: options.failureProbability / (groups.length * parts.length),
  }
  const unit = powerOfTwoBelow(largest)
  const several = groups.length * parts.length > 1
  return scoped(() => {
    const pieces = parts.flatMap((part) => {
      if (keptAxes(part).length === 0) {
        return groups.map((group) => {
          const matrix = matrixOf(operator, part, group, weights)
          return matrixPiece(matrix, several ? frobeniusBound(matrix, unit) : Infinity, unit)
        })
      }
      const read = kernelReader(operator, part)
      const kernels = groups.map((group) => read(group, weights, 1 / unit))
      const bounds = several ? energyBounds(kernels) : [Infinity]
      return kernels.map((kernel, group) => kernelPiece(kernel, bounds[group]))
    })
    return scaleEnclosure(scaleEnclosure(largestOf(pieces, share), unit), operator.factor)
  })
}

/** One summand of the operator; all numbers in units of the power of two next below the largest weight. */
interface Piece {
  /** A cheap bound on the norm. */
  readonly bound: number
  /** Whether the norm is cheaply shown not to exceed `limit`. */
  isBelow(limit: number): boolean
  enclose(options: NormOptions): Enclosure
}

/** Encloses the largest of the pieces' norms: the likeliest first, and then only those that are not shown to be less. */
function largestOf(pieces: readonly Piece[], options: NormOptions): Enclosure {
  if (pieces.length === 1) return pieces[0].enclose(options)
  const [first, ...others] = [...pieces].sort((a, b) => b.bound - a.bound)
  let joined = first.enclose(options)
  others.forEach((piece, i) => {
    if (piece.bound <= joined.upper || piece.isBelow(joined.upper)) return
    joined = joinMaximum(joined, piece.enclose({ ...options, seed: options.seed + i + 1 }))
  })
  return joined
}

function matrixPiece(matrix: Matrix, bound: number, unit: number): Piece {
  return {
    bound,
    isBelow: () => false,
    enclose: (options) => scaleEnclosure(encloseMatrix(matrix, options), 1 / unit),
  }
}

/** ‖A/unit‖_F, rounded up. */
function frobeniusBound({ data }: Matrix, unit: number): number {
  let squares = 0
  for (let i = 0; i < data.length; i++) squares += (data[i] / unit) ** 2
  return Math.sqrt(squares) * (1 + 2 ** -20)
}

function kernelPiece(kernel: Kernel, energy: number): Piece {
  const sum = sumOfSliceNorms(kernel)
  const bound = Math.min(sum, energy)
  let spectrum: Spectrum | null = null
  let torus: TorusBound | null = null
  const spectral = () => (spectrum ??= spectrumOf(kernel, bound))
  const sized = kernel.axes[0].inputs !== null
  const toral = () => (torus ??= torusBound(kernel.axes, spectral()))
  return {
    bound,
    isBelow: (limit) => supremumBelow(spectral(), limit, BUDGET) || (sized && toral().below(limit, BUDGET)),
    enclose(options) {
      if (bound === 0) return exactly(0, 'zero')
      return sized ? encloseSized(kernel, spectral, options) : encloseUnbounded(kernel, spectral())
    },
  }
}

function encloseSized(kernel: Kernel, spectral: () => Spectrum, options: NormOptions): Enclosure {
  const { rows, columns } = finiteSize(kernel)
  const asMatrix = () => encloseMatrix(denseConvolution(kernel), options)
  const order = Math.min(rows, columns)
  const gramWork = order * order * (Math.max(rows, columns) / 2 + order / 6)
  if (gramWork <= GRAM_BUDGET) return asMatrix()
  const probabilistic = options.certify === 'probabilistic'
  const step = 2 * directCost(kernel) + 24 * columns
  const tiny = columns <= SMALL && step <= CHEAP_STEP
  const cheap = columns <= SMALL_IMAGE * kernel.inputs && step <= CHEAP_STEP
  const outright = planFinite(kernel)
  const steps = outright.once + EXPECTED_STEPS * outright.step
  if (probabilistic && (tiny || cheap || steps <= CERTAIN * symbolCost(kernel))) {
    return encloseFinite(outright, options, tiny ? 3 * EXPECTED_STEPS : 0)
  }
  const plan = planFinite(kernel, true)
  const worth = probabilistic ? plan.total : Infinity
  const bySymbol = encloseBySymbol(kernel, spectral(), options.tolerance, !probabilistic, worth)
  if (relativeWidth(bySymbol) <= options.tolerance) return bySymbol
  if (!probabilistic) return rows * columns <= DENSE_LIMIT ? asMatrix() : bySymbol
  const { symbol } = spectral()
  const byLanczos = encloseFinite(plan, options, 0, { kernel, symbol })
  return agreed(byLanczos, bySymbol, options.tolerance, () =>
    encloseBySymbol(kernel, spectral(), options.tolerance, true),
  )
}

/**
 * The sharper upper and the larger lower bound of a probabilistic enclosure and one that is proven. Where the proven lower bound is
 * above the probabilistic upper one, the certificate has failed, as it may with its probability: the proven one alone counts.
 */
export function agreed(
  probabilistic: Enclosure,
  proven: Enclosure,
  tolerance: number,
  thorough: () => Enclosure,
): Enclosure {
  const contradicted = proven.lower > probabilistic.upper
  const met = !contradicted && relativeWidth(probabilistic) <= tolerance
  const found = met ? proven : thorough()
  const lower = Math.max(probabilistic.lower, proven.lower, found.lower)
  if (contradicted || lower > probabilistic.upper) return { ...found, lower }
  return { ...(probabilistic.upper < found.upper ? probabilistic : found), lower }
}
