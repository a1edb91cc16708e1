import { exactly } from '../core/enclosure.ts'
import type { FloatArray } from '../core/tensor.ts'
import { encloseConvolution, frobeniusOfConvolution } from '../linalg/convolution.ts'
import { scaleEnclosure } from '../linalg/dense.ts'
import { frobeniusNorm } from '../linalg/frobenius.ts'
import type { LinearOperator } from '../linalg/linear-operator.ts'
import type { NormOptions } from '../linalg/norm-options.ts'
import type { ProductTeam } from '../linalg/slabs.ts'
import { largestMagnitude } from '../linalg/survey.ts'
import { measureMatrix } from './matrix.ts'
import type { LayerMeasurement } from './measurement.ts'
import { type Found, measureOutside, type Recall } from './outside.ts'
import type { WeightSource } from './source.ts'

export type OperatorOf<Form extends LinearOperator['form']> = Extract<Geometry, { form: Form }>
type WithoutLoad<Operator> = Operator extends unknown ? Omit<Operator, 'load'> : never

/** A linear operator without its weights: what one thread tells another. */
export type Geometry = WithoutLoad<LinearOperator>

/** How to measure an operator. */
export interface FormOptions {
  /** How often the operator acts on one batch element; null: not known. */
  readonly copies: number | null
  /** How to enclose the norm once the checksum of the weights is known. */
  readonly optionsFor: (sha256: string) => NormOptions
  readonly recall: Recall
  /** Bytes that weights in memory may take: larger matrices are read by blocks. */
  readonly memory: number
  readonly team?: ProductTeam
}

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
