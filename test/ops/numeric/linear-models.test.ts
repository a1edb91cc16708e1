import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { layersOf } from '../../../src/infer/layers.ts'
import { blockMatrix } from '../../helpers/dense-operator.ts'
import { linearPart } from '../../helpers/linear-part.ts'
import { type AttributeValue, floats, ints, model, node, writeTemporary } from '../../helpers/onnx-builder.ts'
import { singularValues } from '../../linalg/known-norms.ts'

const coefficient = fc.double({ min: -3, max: 3, noNaN: true })

function modelOf(
  op: string,
  outputs: string[],
  rows: number,
  labels: number,
  coefficients: readonly number[],
) {
  const own: Record<string, AttributeValue> =
    op === 'LinearRegressor' ? { targets: rows } : { classlabels_ints: ints([...Array(labels).keys()]) }
  const attributes = { coefficients: floats(coefficients), intercepts: floats(Array(rows).fill(0.5)), ...own }
  return model({
    inputs: { x: [1, coefficients.length / rows] },
    outputs: { y: { type: 'float32', shape: null } },
    nodes: [node(op, ['x'], outputs, attributes, { domain: 'ai.onnx.ml' })],
    opsets: { 'ai.onnx.ml': 3 },
  })
}

async function expectNorm(bytes: Uint8Array, columns: number, copies: number): Promise<void> {
  const typed = inferModel(readModel(writeTemporary(bytes, 'linear-model.onnx')))
  const [{ spec }, ...more] = layersOf(typed)
  expect(more).toEqual([])
  expect(spec).toMatchObject({ kind: 'dense', weightName: 'coefficients', stored: null })
  const [matrix] = blockMatrix(spec.operator)
  const map = await linearPart(bytes, [1, columns])
  expect(typed.operand(typed.graph.outputs[0]).shape).toEqual([1, map.rows])
  const [expected] = singularValues(map.rows, map.columns, map.data)
  const [found] = singularValues(matrix.rows, matrix.columns, matrix.data)
  expect(found * Math.sqrt(copies)).toBeCloseTo(expected, 4)
}

const shaped = fc
  .record({ rows: fc.integer({ min: 1, max: 3 }), columns: fc.integer({ min: 1, max: 4 }) })
  .chain(({ rows, columns }) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      coefficients: fc.array(coefficient, { minLength: rows * columns, maxLength: rows * columns }),
    }),
  )

describe('linear models', () => {
  it('LinearRegressor has the norm of the map that onnxruntime computes', async () => {
    await fc.assert(
      fc.asyncProperty(shaped, async ({ rows, columns, coefficients }) => {
        await expectNorm(modelOf('LinearRegressor', ['y'], rows, 0, coefficients), columns, 1)
      }),
      { numRuns: 20 },
    )
  })

  it('LinearClassifier has it for its scores; one row for two classes counts twice', async () => {
    await fc.assert(
      fc.asyncProperty(shaped, async ({ rows, columns, coefficients }) => {
        const labels = rows === 1 ? 2 : rows
        const bytes = modelOf('LinearClassifier', ['label', 'y'], rows, labels, coefficients)
        await expectNorm(bytes, columns, rows === 1 ? 2 : 1)
      }),
      { numRuns: 20 },
    )
  })

  it('refuses coefficients that are not for the features', () => {
    const path = writeTemporary(modelOf('LinearRegressor', ['y'], 2, 0, [1, 2, 3]), 'odd.onnx')
    expect(() => layersOf(inferModel(readModel(path)))).toThrow(/3 coefficients for 2 rows/)
  })
})
