import { deterministic, type Enclosure, exactly } from '../core/enclosure.ts'
import type { FloatArray } from '../core/tensor.ts'
import { allocate, allocateFloats, floatsAt, scoped, singlesAt } from './arena.ts'
import { concludeLanczos, meetsFree, runLanczos } from './dense.ts'
import { type DenseMap, mapOf } from './dense-map.ts'
import { freeBound } from './free-bound.ts'
import { type Gram, mirror, PACKED_DEPTH } from './gram.ts'
import { encloseFromGram } from './gram-enclosure.ts'
import { kernels, type Pointer } from './kernels.ts'
import type { NormOptions } from './norm-options.ts'
import { gamma, outward } from './rounding-error.ts'
import type { ProductTeam, SlabProducts } from './slabs.ts'
import { firstNonFinite, type Survey } from './survey.ts'

/**
 * Dense matrices that are not in memory: read by blocks of rows, once for each pass. The sums are those of the
 * kernels on the whole matrix in the same order, blocks being whole panels, so that a bound does not depend on how
 * much memory there is: the proofs are those of dense.ts, and so are the bytes of their results.
 *
 * Memory: one block and the vectors. Cost: what dense.ts says, and reading the matrix for each pass.
 */
export interface StreamedMatrix {
  readonly rows: number
  readonly columns: number
  readonly single: boolean
  /** Fills the target with elements, row-major, from the one with this index on: whole rows, but in `readSlice`. */
  read(first: number, target: FloatArray): void
  /** Bytes of a block, where whole panels allow it; 32 MiB by default. */
  readonly blockBytes?: number
}

/** What a block may take where so much memory is there for all. */
export const blockWithin = (memory: number) => Math.min(BLOCK, memory / 4)

const BLOCK = 2 ** 25
/** Rows that the kernels sum before they add them to the rest. */
const PANEL = 256
/** Columns up to which a survey takes a panel of rows in one call: sums of squares are then those of the panels. */
const NARROW = 4
/** Smaller side up to which a Gram matrix is made, as in dense.ts; with deterministic proofs this one. */
const GRAM_ORDER = 128
const GRAM_LIMIT = 8000

interface Block {
  readonly from: number
  readonly rows: number
  readonly pointer: Pointer
}

/** Reads rows from `from` to `to` block by block, in turn, into the same place in the arena. */
function forBlocks(
  matrix: StreamedMatrix,
  from: number,
  to: number,
  place: Pointer,
  use: (block: Block) => void,
): void {
  const { columns } = matrix
  const height = blockHeight(matrix)
  for (let first = from; first < to; first += height) {
    const rows = Math.min(height, to - first)
    matrix.read(first * columns, elementsAt(matrix, place, rows * columns))
    use({ from: first, rows, pointer: place })
  }
}

function blockHeight({ rows, columns, single, blockBytes = BLOCK }: StreamedMatrix): number {
  const panels = Math.max(1, Math.floor(blockBytes / (PANEL * columns * (single ? 4 : 8))))
  return Math.min(rows, PANEL * panels)
}

function elementsAt({ single }: StreamedMatrix, pointer: Pointer, count: number): FloatArray {
  return single ? singlesAt(pointer, count) : floatsAt(pointer, count)
}

function allocateBlock(matrix: StreamedMatrix): Pointer {
  return allocate(blockHeight(matrix) * matrix.columns * (matrix.single ? 4 : 8))
}

/** A survey, and the index of the first element that is NaN or infinite: −1 where there is none. */
export interface StreamedSurvey extends Survey {
  readonly nonFinite: { readonly index: number; readonly value: number } | null
}

/** `surveyMatrix` in one pass over the blocks, from the first row to the last: a reader may hash what it reads. */
export function surveyStreamed(matrix: StreamedMatrix): StreamedSurvey {
  const { rows, columns, single } = matrix
  const { surveyF32, surveyF64 } = kernels()
  const survey = single ? surveyF32 : surveyF64
  return scoped(() => {
    const out = allocateFloats(3)
    const sums = allocateFloats(columns)
    floatsAt(sums, columns).fill(0)
    const place = allocateBlock(matrix)
    let [largest, squares, largestRow] = [0, 0, 0]
    let nonFinite: StreamedSurvey['nonFinite'] = null
    forBlocks(matrix, 0, rows, place, ({ from, rows: height, pointer }) => {
      const step = columns <= NARROW ? PANEL : 1
      for (let row = 0; row < height; row += step) {
        const count = Math.min(step, height - row)
        survey(pointer + row * columns * (single ? 4 : 8), count, columns, sums, out)
        const part = floatsAt(out, 3)
        largest = Math.max(largest, part[0])
        squares += part[1]
        largestRow = Math.max(largestRow, part[2])
      }
      if (nonFinite !== null || Number.isFinite(squares)) return
      const elements = elementsAt(matrix, pointer, height * columns)
      const index = firstNonFinite(elements)
      if (index >= 0) nonFinite = { index: from * columns + index, value: elements[index] }
    })
    const largestColumn = floatsAt(sums, columns).reduce((most, sum) => Math.max(most, sum), 0)
    const relativeError = gamma(rows + columns / 2 + 4)
    const holder = Math.sqrt(largestRow) * Math.sqrt(largestColumn) * (1 + relativeError)
    return { largest, frobenius: Math.sqrt(squares), holder: outward(holder), relativeError, nonFinite }
  })
}

/**
 * Encloses ‖A‖₂ like `encloseMatrix`, but for elements beyond 2^±400, which get the free bounds alone. With
 * deterministic proofs the Gram matrix has to fit into memory, up to an order of 8000; else the free bounds count.
 */
export function encloseStreamed(
  matrix: StreamedMatrix,
  options: NormOptions,
  survey: Survey,
  team?: ProductTeam,
): Enclosure {
  const { rows, columns } = matrix
  const { largest } = survey
  if (largest === 0) return exactly(0, 'zero')
  if (!(largest > 2 ** -400 && largest < 2 ** 400)) return deterministic(0, survey.holder, 'holder')
  if (rows === 1 || columns === 1) return exactly(survey.frobenius, 'exact', 2 * survey.relativeError)
  return scoped(() => {
    const map = streamedMap(matrix, survey.frobenius * (1 + 2 * survey.relativeError), team)
    const order = Math.min(rows, columns)
    const byGram = (known: { lower: number; upper: number } | null) =>
      encloseFromGram(streamedGram(matrix, survey), columns < rows, map, survey, known, options.seed)
    if (order <= GRAM_ORDER) return byGram(null)
    const free = freeBound(survey)
    const found = runLanczos(columns, map, free.upper, options)
    const isForced = options.certify === 'deterministic' && columns < rows && order <= GRAM_LIMIT
    if (isForced && !meetsFree(found, free)) return byGram(found)
    return concludeLanczos(found, free, options)
  })
}

/**
 * Multiplies by AᵀA of slabs of rows, both vectors at once, reading each slab block by block. What is returned is a view
 * that is valid until the next allocation.
 */
export function streamedMultiplier(
  matrix: StreamedMatrix,
): (from: number, to: number, v: Float64Array, u: Float64Array) => SlabProducts {
  const { columns, single } = matrix
  const { normalPairF32, normalPairF64 } = kernels()
  const normalPair = single ? normalPairF32 : normalPairF64
  const place = allocateBlock(matrix)
  // v, u, both products, and what the kernel sums a panel in
  const pairs = allocateFloats(6 * columns)
  const at = (index: number) => pairs + index * columns * 8
  const vectorAt = (index: number) => floatsAt(at(index), columns)
  return (from, to, v, u) => {
    vectorAt(0).set(v)
    vectorAt(1).set(u)
    floatsAt(at(2), 2 * columns).fill(0)
    forBlocks(matrix, from, to, place, (block) =>
      normalPair(block.pointer, block.rows, columns, at(0), at(1), at(2), at(3), at(4)),
    )
    return { z: vectorAt(2), y: vectorAt(3) }
  }
}

/** `denseMap` for a streamed matrix: its rounding errors are the same, since its sums are. */
function streamedMap(matrix: StreamedMatrix, frobenius: number, team: ProductTeam | undefined): DenseMap {
  const { rows, columns, single } = matrix
  const { adjointF32, adjointF64, imageF32, imageF64 } = kernels()
  const multiply = single ? imageF32 : imageF64
  const multiplyAdjoint = single ? adjointF32 : adjointF64
  const place = allocateBlock(matrix)
  return mapOf({ rows, columns, team }, frobenius, {
    pair: streamedMultiplier(matrix),
    image: (v, image) =>
      forBlocks(matrix, 0, rows, place, (block) =>
        multiply(block.pointer, block.rows, columns, v, image + block.from * 8),
      ),
    adjoint: (u, target) =>
      forBlocks(matrix, 0, rows, place, (block) =>
        multiplyAdjoint(block.pointer, block.rows, columns, u + block.from * 8, target),
      ),
  })
}

/** `gramMatrix` by blocks: of rows where A is tall, else of columns. */
function streamedGram(matrix: StreamedMatrix, survey: Survey): Gram {
  const { rows, columns, single, blockBytes = BLOCK } = matrix
  const order = Math.min(rows, columns)
  const length = Math.max(rows, columns)
  const frobenius = survey.frobenius * (1 + 2 * survey.relativeError)
  const pointer = allocateFloats(order * order)
  const { gramF32, gramF64 } = kernels()
  const gram = single ? gramF32 : gramF64
  floatsAt(pointer, order * order).fill(0)
  scoped(() => {
    const packed = allocateFloats((order + 3) * PACKED_DEPTH)
    if (columns < rows) {
      forBlocks(matrix, 0, rows, allocateBlock(matrix), (block) =>
        gram(block.pointer, order, block.rows, 1, columns, pointer, packed),
      )
      return
    }
    const width = Math.min(
      columns,
      PACKED_DEPTH * Math.max(1, Math.floor(blockBytes / (PACKED_DEPTH * rows * 8))),
    )
    const place = allocate(rows * width * (single ? 4 : 8))
    for (let from = 0; from < columns; from += width) {
      const count = Math.min(width, columns - from)
      const elements = elementsAt(matrix, place, rows * count)
      for (let row = 0; row < rows; row++) {
        matrix.read(row * columns + from, elements.subarray(row * count, (row + 1) * count))
      }
      gram(place, order, count, count, 1, pointer, packed)
    }
  })
  mirror(order, floatsAt(pointer, order * order))
  return { order, pointer, error: outward(gamma(length + 1) * frobenius * frobenius) }
}
