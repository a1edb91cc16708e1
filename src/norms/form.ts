import { type Enclosure, exactly, joinMaximum } from '../core/enclosure.ts'
import type { FloatArray } from '../core/tensor.ts'
import { allocate, floatsAt, scoped, singlesAt } from '../linalg/arena.ts'
import { encloseConvolution, frobeniusOfConvolution } from '../linalg/convolution.ts'
import { enclosePlaced, scaleEnclosure } from '../linalg/dense.ts'
import type { PlacedMatrix } from '../linalg/dense-map.ts'
import { frobeniusNorm } from '../linalg/frobenius.ts'
import type { LinearOperator, MatrixOperator } from '../linalg/linear-operator.ts'
import type { NormOptions } from '../linalg/norm-options.ts'
import type { ProductTeam } from '../linalg/slabs.ts'
import { firstNonFinite, largestMagnitude, surveyMatrix } from '../linalg/survey.ts'
import type { LayerMeasurement } from './measurement.ts'
import { isSingle, readWeights, sizeOf, type WeightSource } from './source.ts'

type OperatorOf<Form extends LinearOperator['form']> = Extract<Geometry, { form: Form }>
type WithoutLoad<Operator> = Operator extends unknown ? Omit<Operator, 'load'> : never

/** A linear operator without its weights: what one thread tells another. */
export type Geometry = WithoutLoad<LinearOperator>

/** How to enclose a norm once the checksum of the weights is known. */
export type OptionsFor = (sha256: string) => NormOptions

/** Measures one form of linear operator. `copies`: how often the operator acts on one batch element, null: not known. */
type Measure<Operator> = (
  operator: Operator,
  source: WeightSource,
  copies: number | null,
  optionsFor: OptionsFor,
  team?: ProductTeam,
) => LayerMeasurement

const forms: { [Form in Geometry['form']]: Measure<OperatorOf<Form>> } = {
  matrix: measureMatrix,

  diagonal(operator, source, _copies, optionsFor) {
    return measureOutside(source, optionsFor, (weights) => ({
      spectral: scaleEnclosure(exactly(largestMagnitude(weights), 'exact'), operator.factor),
      operator:
        operator.multiplicity === null
          ? null
          : frobeniusNorm(weights) * Math.abs(operator.factor) * Math.sqrt(operator.multiplicity),
    }))
  },

  convolution(operator, source, _copies, optionsFor) {
    return measureOutside(source, optionsFor, (weights, options) => {
      const full = { ...operator, load: () => weights }
      return {
        spectral: encloseConvolution(full, weights, options),
        operator: frobeniusOfConvolution(full, weights),
      }
    })
  },
}

export function measureForm(
  geometry: Geometry,
  source: WeightSource,
  copies: number | null,
  optionsFor: OptionsFor,
  team?: ProductTeam,
): LayerMeasurement {
  return (forms[geometry.form] as Measure<Geometry>)(geometry, source, copies, optionsFor, team)
}

function broken(weights: FloatArray, index: number, weightSha256: string): LayerMeasurement {
  return {
    frobenius: { weight: Number.NaN, operator: null },
    spectral: null,
    weightSha256,
    nonFinite: { index, value: String(weights[index]) },
  }
}

/** Memory outside the arena for weights that are worked on there; kept, since fresh memory is slow. */
let outside = new ArrayBuffer(0)

function measureOutside(
  source: WeightSource,
  optionsFor: OptionsFor,
  measure: (weights: FloatArray, options: NormOptions) => { spectral: Enclosure; operator: number | null },
): LayerMeasurement {
  const size = sizeOf(source)
  const bytes = size * (isSingle(source) ? 4 : 8)
  if (outside.byteLength < bytes) outside = new ArrayBuffer(bytes)
  const weights = isSingle(source) ? new Float32Array(outside, 0, size) : new Float64Array(outside, 0, size)
  const weightSha256 = readWeights(source, weights)
  const index = firstNonFinite(weights)
  if (index >= 0) return broken(weights, index, weightSha256)
  const { spectral, operator } = measure(weights, optionsFor(weightSha256))
  return { frobenius: { weight: frobeniusNorm(weights), operator }, spectral, weightSha256, nonFinite: null }
}

/** Reads the matrix straight into the arena and works on it there. */
function measureMatrix(
  operator: OperatorOf<'matrix'>,
  source: WeightSource,
  copies: number | null,
  optionsFor: OptionsFor,
  team?: ProductTeam,
): LayerMeasurement {
  return scoped(() => {
    const size = sizeOf(source)
    const single = isSingle(source)
    const pointer = allocate(size * (single ? 4 : 8))
    const weights = () => (single ? singlesAt(pointer, size) : floatsAt(pointer, size))
    const weightSha256 = readWeights(source, weights())
    const whole = { rows: operator.rows * operator.blocks, columns: operator.columns, pointer, single, team }
    const survey = surveyMatrix(whole)
    const index = Number.isFinite(survey.frobenius) ? -1 : firstNonFinite(weights())
    if (index >= 0) return broken(weights(), index, weightSha256)
    const inRange = survey.frobenius > 2 ** -400 && survey.frobenius < 2 ** 500
    const weight = inRange ? survey.frobenius : frobeniusNorm(weights())
    const options = optionsFor(weightSha256)
    const isOne = operator.blocks === 1 || operator.arrangement === 'stacked'
    const spectral = isOne ? enclosePlaced(whole, options, survey) : encloseDiagonal(operator, whole, options)
    return {
      frobenius: {
        weight,
        operator: copies === null ? null : weight * Math.abs(operator.factor) * Math.sqrt(copies),
      },
      spectral: scaleEnclosure(spectral, operator.factor),
      weightSha256,
      nonFinite: null,
    }
  })
}

/** Blocks that act on slices of their own: the largest of their norms. */
function encloseDiagonal(
  operator: Pick<MatrixOperator, 'rows' | 'columns' | 'blocks'>,
  whole: PlacedMatrix,
  options: NormOptions,
): Enclosure {
  const { rows, columns, blocks } = operator
  const blockBytes = rows * columns * (whole.single ? 4 : 8)
  let joined = exactly(0, 'zero')
  for (let block = 0; block < blocks; block++) {
    const matrix = { ...whole, rows, pointer: whole.pointer + block * blockBytes }
    const share = {
      ...options,
      failureProbability: options.failureProbability / blocks,
      seed: options.seed + block,
    }
    joined = joinMaximum(joined, enclosePlaced(matrix, share))
  }
  return joined
}
