import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LipschitzError } from '../../src/core/errors.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { nodesOf } from '../../src/graph/walk.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import { operatorTable } from '../../src/ops/registry.ts'
import {
  conformanceCases,
  conformanceDataExists,
  type Decoded,
  decode,
  encodeDecoded,
} from '../helpers/conformance.ts'
import { writeTemporary } from '../helpers/onnx-builder.ts'

const numbers = [0, 1, -1, 2, 3, -2, 5, 100, -100, 2 ** 31, -(2 ** 31), 2 ** 40, Number.MAX_SAFE_INTEGER]
const texts = ['', 'x', 'SAME_UPPER', 'VALID', 'linear', 'bidirectional', 'ij,jk->ik']
const operators = operatorTable().map((operator) => operator.op)

/** Picks from a list, by the next of some random numbers. */
type Pick = <T>(list: readonly T[]) => T

/** Ways to make a model wrong that the decoder lets through. */
const mutations: Record<string, (graph: Decoded, node: Decoded, pick: Pick) => void> = {
  attribute: (_, node, pick) => {
    const attribute = node.attribute.length > 0 ? pick<Decoded>(node.attribute) : {}
    if (attribute.value === 'i') attribute.i = pick(numbers)
    if (attribute.value === 's') attribute.s = Buffer.from(pick(texts))
    if (attribute.value === 'f') attribute.f = pick([0, -1, Number.NaN, Infinity, 1e30])
    if (attribute.ints?.length > 0)
      attribute.ints = pick([[], [pick(numbers)], [...attribute.ints, pick(numbers)]])
  },
  'attribute left out': (_, node) => node.attribute.pop(),
  'input left out': (_, node) => node.input.pop(),
  'other input': (graph, node, pick) => {
    const names = [...graph.input, ...graph.initializer].map((value: Decoded) => value.name)
    if (node.input.length > 0) node.input[pick([...node.input.keys()])] = pick(['', ...names])
  },
  'other operator': (_, node, pick) => {
    node.opType = pick(operators)
  },
  'other shape': (graph, _, pick) => {
    const shape = graph.input.length > 0 ? pick<Decoded>(graph.input).type?.tensorType?.shape : null
    if (shape?.dim.length > 0)
      pick([() => shape.dim.pop(), () => shape.dim.push(shape.dim[0]), () => shape.dim.reverse()])()
  },
  'other type': (graph, _, pick) => {
    const type = graph.input.length > 0 ? pick<Decoded>(graph.input).type?.tensorType : null
    if (type) type.elemType = pick([1, 2, 7, 9, 10, 11, 16, 21])
  },
}

function audited(path: string): void {
  const typed = inferModel(readModel(path))
  layersOf(typed)
  for (const node of nodesOf(typed.graph)) {
    for (const output of node.outputs) if (output !== null) typed.operand(output).constant()
  }
}

describe.skipIf(!conformanceDataExists)('a model that was tampered with', () => {
  const cases = conformanceCases()

  it.each(Object.entries(mutations))('is read or refused: %s', (_, mutate) => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (stream) => {
        const pick: Pick = (list) => list[(stream.next().value ?? 0) % list.length]
        const model = decode('ModelProto', readFileSync(pick(cases).path))
        if (model.graph.node.length === 0) return
        model.graph.valueInfo = []
        for (const output of model.graph.output) output.type = null
        mutate(model.graph, pick(model.graph.node), pick)
        const path = writeTemporary(encodeDecoded(model), 'tampered.onnx')
        try {
          audited(path)
        } catch (error) {
          expect(error).toBeInstanceOf(LipschitzError)
          expect((error as LipschitzError).code).not.toBe('internal')
        }
      }),
      { numRuns: 150, seed: 7 },
    )
  })
})
