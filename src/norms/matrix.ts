import { createHash } from 'node:crypto'
import { type Enclosure, exactly, joinMaximum } from '../core/enclosure.ts'
import { allocate, floatsAt, scoped, singlesAt } from '../linalg/arena.ts'
import { enclosePlaced, scaleEnclosure } from '../linalg/dense.ts'
import { frobeniusNorm } from '../linalg/frobenius.ts'
import type { NormOptions } from '../linalg/norm-options.ts'
import {
  blockWithin,
  encloseStreamed,
  type StreamedMatrix,
  type StreamedSurvey,
  surveyStreamed,
} from '../linalg/streamed.ts'
import { firstNonFinite, surveyMatrix } from '../linalg/survey.ts'
import type { FormOptions } from './form-options.ts'
import type { OperatorOf } from './geometry.ts'
import type { LayerMeasurement } from './measurement.ts'
import { NARROW_BLOCK, narrowBytes, placeNarrow } from './narrow.ts'
import { broken, type Recall } from './outside.ts'
import {
  isSingle,
  readWeights,
  type StoredSource,
  sizeOf,
  type WeightReader,
  type WeightSource,
  withReader,
} from './source.ts'

type Operator = OperatorOf<'matrix'>

/** Blocks that act on one input are one tall matrix. */
const isOne = ({ blocks, arrangement }: Operator) => blocks === 1 || arrangement === 'stacked'

const bytesIn = (source: WeightSource) => sizeOf(source) * (isSingle(source) ? 4 : 8)

/** Measures a dense layer: in the arena where it fits, large ones of narrow elements as they are stored; else by blocks of rows. */
export function measureMatrix(
  operator: Operator,
  source: WeightSource,
  options: FormOptions,
): LayerMeasurement {
  const stored = narrowBytes(source)
  if (stored !== null && stored <= options.memory) {
    return scoped(() => {
      const reader = placeNarrow(source as StoredSource, 0, sizeOf(source))
      return measureBlocks(operator, source, reader, NARROW_BLOCK, options)
    })
  }
  if (bytesIn(source) <= options.memory) return measurePlaced(operator, source, options)
  const blockBytes = blockWithin(options.memory)
  return withReader(source, (reader) => measureBlocks(operator, source, reader, blockBytes, options))
}

/** The Frobenius norm of the map, from that of the weights. */
export const ofOperator = (weight: number, { factor }: Operator, copies: number | null) =>
  copies === null ? null : weight * Math.abs(factor) * Math.sqrt(copies)

/** Reads the matrix straight into the arena and works on it there. */
function measurePlaced(operator: Operator, source: WeightSource, options: FormOptions): LayerMeasurement {
  return scoped(() => {
    const size = sizeOf(source)
    const single = isSingle(source)
    const pointer = allocate(bytesIn(source))
    const weights = () => (single ? singlesAt(pointer, size) : floatsAt(pointer, size))
    const weightSha256 = readWeights(source, weights())
    const known = options.recall(weightSha256)
    if (known !== null) return known
    const rows = operator.rows * operator.blocks
    const whole = { rows, columns: operator.columns, pointer, single, team: options.team }
    const survey = surveyMatrix(whole)
    const index = Number.isFinite(survey.frobenius) ? -1 : firstNonFinite(weights())
    if (index >= 0) return broken(index, weights()[index], weightSha256)
    const weight = inRange(survey) ? survey.frobenius : frobeniusNorm(weights())
    const norm = options.optionsFor(weightSha256)
    const blockBytes = operator.rows * operator.columns * (single ? 4 : 8)
    const spectral = isOne(operator)
      ? enclosePlaced(whole, norm, survey)
      : largestOf(operator, norm, (block, share) =>
          enclosePlaced({ ...whole, rows: operator.rows, pointer: pointer + block * blockBytes }, share),
        )
    return {
      frobenius: { weight, operator: ofOperator(weight, operator, options.copies) },
      spectral: scaleEnclosure(spectral, operator.factor),
      weightSha256,
      nonFinite: null,
    }
  })
}

const inRange = ({ frobenius }: { frobenius: number }) => frobenius > 2 ** -400 && frobenius < 2 ** 500

/** Reads the matrix by blocks of rows, once for each pass over it. */
function measureBlocks(
  operator: Operator,
  source: WeightSource,
  reader: WeightReader,
  blockBytes: number,
  options: FormOptions,
): LayerMeasurement {
  const whole = streamedMatrix(operator, source, reader, blockBytes)
  const seen = surveyWhole(source, whole, reader, options.recall)
  if ('known' in seen) return seen.known
  const { survey, weight, weightSha256 } = seen
  const norm = options.optionsFor(weightSha256)
  const spectral = isOne(operator)
    ? encloseStreamed(whole, norm, survey, options.team)
    : largestOf(operator, norm, (block, share) => {
        const start = block * operator.rows * operator.columns
        const matrix = {
          ...whole,
          rows: operator.rows,
          read: (first: number, target: Float32Array | Float64Array) => reader.read(start + first, target),
        }
        return encloseStreamed(matrix, share, surveyStreamed(matrix))
      })
  return {
    frobenius: { weight, operator: ofOperator(weight, operator, options.copies) },
    spectral: scaleEnclosure(spectral, operator.factor),
    weightSha256,
    nonFinite: null,
  }
}

/** All blocks below one another, elements read from the source. */
export function streamedMatrix(
  operator: Operator,
  source: WeightSource,
  reader: WeightReader,
  blockBytes: number,
): StreamedMatrix {
  return {
    rows: operator.rows * operator.blocks,
    columns: operator.columns,
    single: isSingle(source),
    read: (first, target) => reader.read(first, target),
    blockBytes,
  }
}

/** The first pass: checksum, survey and Frobenius norm of all blocks together. */
export function surveyWhole(
  source: WeightSource,
  whole: StreamedMatrix,
  reader: WeightReader,
  recall: Recall,
): { readonly known: LayerMeasurement } | { survey: StreamedSurvey; weight: number; weightSha256: string } {
  const hash = createHash('sha256')
  const survey = surveyStreamed({
    ...whole,
    read: (first, target) => reader.read(first, target, (bytes) => hash.update(bytes)),
  })
  const weightSha256 = source.kind === 'folded' ? source.sha256 : hash.digest('hex')
  const known = recall(weightSha256)
  if (known !== null) return { known }
  const { nonFinite, largest } = survey
  if (nonFinite !== null) return { known: broken(nonFinite.index, nonFinite.value, weightSha256) }
  // beyond that range squares tell nothing: a bound has to do
  const weight = inRange(survey) ? survey.frobenius : largest * Math.sqrt(sizeOf(source))
  return { survey, weight, weightSha256 }
}

/** Blocks that act on slices of their own: the largest of their norms. */
function largestOf(
  { blocks }: Operator,
  options: NormOptions,
  enclose: (block: number, share: NormOptions) => Enclosure,
): Enclosure {
  let joined = exactly(0, 'zero')
  for (let block = 0; block < blocks; block++) {
    const failureProbability = options.failureProbability / blocks
    joined = joinMaximum(
      joined,
      enclose(block, { ...options, failureProbability, seed: options.seed + block }),
    )
  }
  return joined
}
