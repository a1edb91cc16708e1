import { type Enclosure, exactly } from '../core/enclosure.ts'
import type { FloatArray } from '../core/tensor.ts'
import { encloseConvolution, frobeniusOfConvolution } from '../linalg/convolution.ts'
import { encloseMatrix, scaleEnclosure } from '../linalg/dense.ts'
import { frobeniusNorm } from '../linalg/frobenius.ts'
import type { LinearOperator, MatrixOperator } from '../linalg/linear-operator.ts'
import type { NormOptions } from '../linalg/norm-options.ts'
import { largestMagnitude } from '../linalg/survey.ts'
import type { LayerSpec } from '../ops/layer.ts'
import { copiesPerElement } from './geometry.ts'

type OperatorOf<Form extends LinearOperator['form']> = Extract<LinearOperator, { form: Form }>

/** How the norms of one form of linear operator are taken, given its weights, all finite. */
interface FormMeasures<Operator> {
  enclose(operator: Operator, weights: FloatArray, options: NormOptions): Enclosure
  /** Of the map on one batch element; null where its size is not known. */
  frobenius(operator: Operator, weights: FloatArray, spec: LayerSpec): number | null
}

const forms: { [Form in LinearOperator['form']]: FormMeasures<OperatorOf<Form>> } = {
  matrix: {
    enclose: encloseBlocks,
    frobenius(operator, weights, spec) {
      const copies = copiesPerElement(spec)
      return copies === null ? null : frobeniusNorm(weights) * Math.abs(operator.factor) * Math.sqrt(copies)
    },
  },
  diagonal: {
    enclose: (operator, weights) =>
      scaleEnclosure(exactly(largestMagnitude(weights), 'exact'), operator.factor),
    frobenius(operator, weights) {
      if (operator.multiplicity === null) return null
      return frobeniusNorm(weights) * Math.abs(operator.factor) * Math.sqrt(operator.multiplicity)
    },
  },
  convolution: { enclose: encloseConvolution, frobenius: frobeniusOfConvolution },
}

export function encloseOperator(
  operator: LinearOperator,
  weights: FloatArray,
  options: NormOptions,
): Enclosure {
  return (forms[operator.form] as FormMeasures<LinearOperator>).enclose(operator, weights, options)
}

export function operatorFrobenius(spec: LayerSpec, weights: FloatArray): number | null {
  return (forms[spec.operator.form] as FormMeasures<LinearOperator>).frobenius(spec.operator, weights, spec)
}

/** Blocks on slices of their own: the maximum; blocks on one input: one tall matrix. */
function encloseBlocks(operator: MatrixOperator, weights: FloatArray, options: NormOptions): Enclosure {
  const { rows, columns, blocks, factor } = operator
  if (blocks === 1 || operator.arrangement === 'stacked') {
    return scaleEnclosure(encloseMatrix({ rows: rows * blocks, columns, data: weights }, options), factor)
  }
  const share = { ...options, failureProbability: options.failureProbability / blocks }
  let joined = exactly(0, 'zero')
  for (let block = 0; block < blocks; block++) {
    const data = weights.subarray(block * rows * columns, (block + 1) * rows * columns)
    joined = joinMaximum(
      joined,
      encloseMatrix({ rows, columns, data }, { ...share, seed: options.seed + block }),
    )
  }
  return scaleEnclosure(joined, factor)
}

/** Encloses the larger of two norms. */
function joinMaximum(a: Enclosure, b: Enclosure): Enclosure {
  const winner = b.upper > a.upper ? b : a
  const failureProbability = a.failureProbability + b.failureProbability
  return {
    lower: Math.max(a.lower, b.lower),
    upper: winner.upper,
    method: winner.method,
    certificate: failureProbability > 0 ? 'probabilistic' : 'deterministic',
    failureProbability,
  }
}
