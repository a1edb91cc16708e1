import type { FloatArray } from '../../core/tensor.ts'
import type { LinearOperator, MatrixOperator } from '../../linalg/linear-operator.ts'
import type { LayerSpec } from '../../ops/layer.ts'

/** Covers the rounding of each difference, 2⁻⁵³ of itself: |δ|₂ ≤ 2⁻⁵³·‖Δ‖_F ≤ 2⁻⁴⁰·‖Δ‖₂ up to rank 2²⁶. */
const roundingFactor = 1 + 2 ** -40

/** W − W' of two layers. */
export interface LayerDifference {
  /** A layer of its own, in the place of the first. */
  readonly spec: LayerSpec
  /** How far its weights may be off by rounding, as a part of those of both layers: 0 where nothing was multiplied. */
  readonly slack: number
}

/** The difference of two layers; null where they are no operators between the same spaces. */
export function differenceLayer(first: LayerSpec, second: LayerSpec): LayerDifference | null {
  const [a, b] = [first.operator, second.operator]
  const isEven = a.factor === b.factor
  const load = a.form === 'matrix' && b.form === 'matrix' ? matrixLoad(a, b) : sameLoad(a, b)
  if (load === null) return null
  const [p, q] = isEven ? [1, 1] : [a.factor, b.factor]
  const difference = () => {
    const [mine, theirs] = [a.load(), load()]
    return Float64Array.from(mine, (value, i) => p * value - q * theirs[i])
  }
  const factor = (isEven ? a.factor : 1) * roundingFactor
  const spec: LayerSpec = {
    ...first,
    weightName: `${first.weightName} − ${second.weightName}`,
    stored: null,
    operator: { ...a, factor, load: difference },
  }
  return { spec, slack: isEven ? 0 : 2 ** -51 }
}

type Load = () => FloatArray

/** The second's weights in the order of the first's, which are of the same geometry. */
function sameLoad(a: LinearOperator, b: LinearOperator): Load | null {
  const geometry = ({ load: _load, factor: _factor, ...rest }: LinearOperator) => JSON.stringify(rest)
  return geometry(a) === geometry(b) ? b.load : null
}

/** Matrices may be stored one way or the other. */
function matrixLoad(a: MatrixOperator, b: MatrixOperator): Load | null {
  if (a.blocks !== b.blocks || a.arrangement !== b.arrangement) return null
  const isTurned = a.input !== undefined && b.input !== undefined && a.input !== b.input
  if (!isTurned) return a.rows === b.rows && a.columns === b.columns ? b.load : null
  return a.rows === b.columns && a.columns === b.rows ? () => turned(b) : null
}

function turned({ rows, columns, blocks, load }: MatrixOperator): FloatArray {
  const source = load()
  const result = new Float64Array(source.length)
  for (let block = 0, start = 0; block < blocks; block++, start += rows * columns) {
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) result[start + j * rows + i] = source[start + i * columns + j]
  }
  return result
}
