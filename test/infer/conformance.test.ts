import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../src/core/tensor.ts'
import type { Model } from '../../src/graph/graph.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { nodesOf } from '../../src/graph/walk.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import type { TypedGraph } from '../../src/infer/typed-graph.ts'
import type { StoredTensor } from '../../src/onnx/stored-tensor.ts'
import { conformanceCases, conformanceDataExists } from '../helpers/conformance.ts'

/** Losses, optimizers and transforms that no declaration covers: their outputs must stay unknown. */
const undeclared = new Set(
  'NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss Momentum Adam Adagrad Gradient DFT STFT Det'.split(' '),
)
/** Operators whose output shape is not told even by constant inputs. */
const dataDependent = new Set(
  'Loop NonMaxSuppression NonZero Unique ConcatFromSequence OptionalGetElement'.split(' '),
)
/** The data set stores bfloat16 as the uint16 of its bits. */
const bitsForBfloat16 = /BFLOAT16/

/** Folding takes NaN for an entry that is not known, and so leaves the answer open. */
const asksForNaN = /^test_is(nan|inf)/

function outputsOf(typed: TypedGraph) {
  return typed.graph.outputs.map((output) => typed.operand(output))
}

function expectedOf(path: string): StoredTensor[] {
  return readModel(path).graph.initializers.map((value) => value.stored!)
}

function unknownOperators(model: Model, typed: TypedGraph): string[] {
  return [...nodesOf(model.graph)]
    .filter((node) => typed.typed(node).operator === null)
    .map((node) => node.op)
}

/** Largest |actual − expected| / (1e-4 + 1e-3·|expected|); NaN agrees with NaN alone. */
function deviation(actual: Tensor, expected: Tensor): number {
  let worst = 0
  for (const [index, value] of expected.data.entries()) {
    const found = actual.data[index]
    if (Object.is(found, value) || found === value) continue
    worst = Math.max(worst, Math.abs(found - value) / (1e-4 + 1e-3 * Math.abs(value)))
  }
  return worst
}

/** One operator family: `npx vitest run test/infer/conformance.test.ts -t 'Conv '`. */
describe.skipIf(!conformanceDataExists)('the node tests of the standard', () => {
  let folded = 0

  for (const one of conformanceCases()) {
    it(`${one.name} (${one.operators.join(' , ')} )`, () => {
      const model = readModel(one.path)
      const typed = inferModel(model)
      expect(unknownOperators(model, typed).filter((op) => !undeclared.has(op))).toEqual([])
      expect(layersOf(typed).every((layer) => layer.key !== '')).toBe(true)

      const expectedPath = one.expectedOutputs()
      if (expectedPath === null || bitsForBfloat16.test(one.name)) return
      const expected = expectedOf(expectedPath)
      for (const [index, { type, shape }] of outputsOf(typed).entries()) {
        expect([null, expected[index].type], `type of output ${index}`).toContain(type)
        const { dims } = expected[index]
        expect(shape?.map((dim, axis) => dim ?? dims[axis]) ?? dims, `shape of output ${index}`).toEqual(dims)
      }

      const storedPath = one.withStoredInputs()
      if (storedPath === null || one.operators.some((op) => undeclared.has(op))) return
      const constant = inferModel(readModel(storedPath))
      for (const [index, output] of outputsOf(constant).entries()) {
        const { dims, type } = expected[index]
        if (!one.operators.some((op) => dataDependent.has(op))) expect(output.shape).toEqual(dims)
        const tensor = output.constant()
        if (tensor === null) continue
        folded++
        expect({ type: tensor.type, dims: tensor.dims }).toEqual({ type, dims })
        if (!asksForNaN.test(one.name))
          expect(deviation(tensor, expected[index].load())).toBeLessThanOrEqual(1)
      }
    })
  }

  it('folds most of them', () => {
    expect(folded).toBeGreaterThan(700)
  })
})
