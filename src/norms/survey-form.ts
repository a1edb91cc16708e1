import { deterministic } from '../core/enclosure.ts'
import { frobeniusOfConvolution } from '../linalg/convolution.ts'
import { freeConvolutionBound } from '../linalg/convolution-free-bound.ts'
import { scaleEnclosure } from '../linalg/dense.ts'
import { freeBound } from '../linalg/free-bound.ts'
import { inward } from '../linalg/rounding-error.ts'
import { blockWithin } from '../linalg/streamed.ts'
import { foundOfDiagonal } from './form.ts'
import type { FormOptions } from './form-options.ts'
import type { Geometry, OperatorOf } from './geometry.ts'
import { ofOperator, streamedMatrix, surveyWhole } from './matrix.ts'
import type { LayerMeasurement } from './measurement.ts'
import { measureOutside } from './outside.ts'
import { type WeightSource, withReader } from './source.ts'

export type SurveyOptions = Pick<FormOptions, 'copies' | 'recall' | 'memory'>
type Survey<Operator> = (operator: Operator, source: WeightSource, options: SurveyOptions) => LayerMeasurement

/**
 * Bounds in one pass over the weights: √(‖A‖₁‖A‖_∞) or ‖A‖_F from above, the largest entry or ‖A‖_F/√rank from below.
 * Matrices take no memory but a block of rows.
 */
const surveys: { [Form in Geometry['form']]: Survey<OperatorOf<Form>> } = {
  matrix: (operator, source, { recall, copies, memory }) =>
    withReader(source, (reader) => {
      const seen = surveyWhole(
        source,
        streamedMatrix(operator, source, reader, blockWithin(memory)),
        reader,
        recall,
      )
      if ('known' in seen) return seen.known
      const { survey, weight, weightSha256 } = seen
      const rank = operator.blocks * Math.min(operator.rows, operator.columns)
      const isMeasured = survey.frobenius > 2 ** -400 && survey.frobenius < 2 ** 500
      const { upper, method } = isMeasured ? freeBound(survey) : { upper: survey.holder, method: 'holder' }
      const average = isMeasured
        ? inward((survey.frobenius * (1 - 2 * survey.relativeError)) / Math.sqrt(rank))
        : 0
      const spectral = deterministic(Math.min(upper, Math.max(survey.largest, average)), upper, method)
      return {
        frobenius: { weight, operator: ofOperator(weight, operator, copies) },
        spectral: scaleEnclosure(spectral, operator.factor),
        weightSha256,
        nonFinite: null,
      }
    }),

  diagonal: (operator, source, { recall }) =>
    measureOutside(source, recall, (weights) => foundOfDiagonal(operator, weights)),

  convolution: (operator, source, { recall }) =>
    measureOutside(source, recall, (weights) => {
      const full = { ...operator, load: () => weights }
      const { upper, method } = freeConvolutionBound(full, weights)
      return { spectral: deterministic(0, upper, method), operator: frobeniusOfConvolution(full, weights) }
    }),
}

export function surveyForm(
  geometry: Geometry,
  source: WeightSource,
  options: SurveyOptions,
): LayerMeasurement {
  return (surveys[geometry.form] as Survey<Geometry>)(geometry, source, options)
}
