import { exactly } from '../core/enclosure.ts'
import type { FloatArray } from '../core/tensor.ts'
import { encloseConvolution, frobeniusOfConvolution } from '../linalg/convolution.ts'
import { scaleEnclosure } from '../linalg/dense.ts'
import { frobeniusNorm } from '../linalg/frobenius.ts'
import { largestMagnitude } from '../linalg/survey.ts'
import type { FormOptions } from './form-options.ts'
import type { Geometry, OperatorOf } from './geometry.ts'
import { measureMatrix } from './matrix.ts'
import type { LayerMeasurement } from './measurement.ts'
import { type Found, measureOutside } from './outside.ts'
import type { WeightSource } from './source.ts'

type Measure<Operator> = (operator: Operator, source: WeightSource, options: FormOptions) => LayerMeasurement

const forms: { [Form in Geometry['form']]: Measure<OperatorOf<Form>> } = {
  matrix: measureMatrix,

  diagonal: (operator, source, { recall }) =>
    measureOutside(source, recall, (weights) => foundOfDiagonal(operator, weights)),

  convolution: (operator, source, { recall, optionsFor }) =>
    measureOutside(source, recall, (weights, sha256) => {
      const full = { ...operator, load: () => weights }
      return {
        spectral: encloseConvolution(full, weights, optionsFor(sha256)),
        operator: frobeniusOfConvolution(full, weights),
      }
    }),
}

export function measureForm(
  geometry: Geometry,
  source: WeightSource,
  options: FormOptions,
): LayerMeasurement {
  return (forms[geometry.form] as Measure<Geometry>)(geometry, source, options)
}

/** A diagonal map is told by one look at its entries. */
export function foundOfDiagonal(
  { factor, multiplicity }: OperatorOf<'diagonal'>,
  weights: FloatArray,
): Found {
  return {
    spectral: scaleEnclosure(exactly(largestMagnitude(weights), 'exact'), factor),
    operator:
      multiplicity === null ? null : frobeniusNorm(weights) * Math.abs(factor) * Math.sqrt(multiplicity),
  }
}
