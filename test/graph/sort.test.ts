import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readModel } from '../../src/graph/read-model.ts'
import { verifyGraph } from '../../src/graph/verify.ts'
import { errorOf } from '../helpers/error.ts'
import { modelFile, node, subgraph } from '../helpers/onnx-builder.ts'

/** Node i of a random acyclic graph reads some of the values before it. */
const acyclic = fc.integer({ min: 1, max: 30 }).chain((size) =>
  fc.record({
    reads: fc.tuple(
      ...Array.from({ length: size }, (_, i) => fc.array(fc.integer({ min: 0, max: i }), { maxLength: 3 })),
    ),
    order: fc.shuffledSubarray(
      Array.from({ length: size }, (_, i) => i),
      { minLength: size },
    ),
  }),
)

function shuffled(reads: readonly (readonly number[])[], order: readonly number[]): string {
  const nodes = order.map((i) => node('Sum', ['v0', ...reads[i].map((read) => `v${read}`)], [`v${i + 1}`]))
  return modelFile({ inputs: { v0: [1] }, outputs: [`v${reads.length}`], nodes })
}

describe('the order of nodes', () => {
  it('puts each node behind those that it reads from', () => {
    fc.assert(
      fc.property(acyclic, ({ reads, order }) => {
        const { graph, notes } = readModel(shuffled(reads, order))
        verifyGraph(graph)
        const position = new Map(graph.nodes.map((one, index) => [one.name, index]))
        expect(position.size).toBe(reads.length)
        for (const [i, sources] of reads.entries()) {
          for (const source of sources) {
            if (source > 0) expect(position.get(`v${source}`)).toBeLessThan(position.get(`v${i + 1}`)!)
          }
        }
        const sortedNote = notes.some((note) => note.rule === 'unsorted-nodes')
        const asInFile = graph.nodes.every((one, index) => one.name === `v${order[index] + 1}`)
        expect(sortedNote).toBe(!asInFile)
      }),
      { numRuns: 60 },
    )
  })

  it('counts what a body reads', () => {
    const body = subgraph({ outputs: ['b'], nodes: [node('Neg', ['late'], ['b'])] })
    const nodes = [node('If', ['c'], ['y'], { then_branch: body }), node('Abs', ['x'], ['late'])]
    const { graph } = readModel(
      modelFile({ inputs: { c: { type: 'bool', shape: [] }, x: [1] }, outputs: ['y'], nodes }),
    )
    expect(graph.nodes.map((one) => one.op)).toEqual(['Abs', 'If'])
  })

  it('does not exist for a cycle', () => {
    const nodes = [node('Add', ['x', 'b'], ['a']), node('Neg', ['a'], ['b'])]
    const error = errorOf(() => readModel(modelFile({ inputs: { x: [1] }, outputs: ['b'], nodes })))
    expect(error).toMatchObject({ code: 'malformed', message: 'the graph has a cycle' })
  })

  it('does not exist for a node that reads itself, through a body too', () => {
    const self = [node('Add', ['x', 'a'], ['a'])]
    expect(
      errorOf(() => readModel(modelFile({ inputs: { x: [1] }, outputs: ['a'], nodes: self }))).code,
    ).toBe('malformed')
    const body = subgraph({ outputs: ['b'], nodes: [node('Neg', ['a'], ['b'])] })
    const through = [node('If', ['x'], ['a'], { then_branch: body })]
    expect(
      errorOf(() => readModel(modelFile({ inputs: { x: [1] }, outputs: ['a'], nodes: through }))).code,
    ).toBe('malformed')
  })

  it('is found for a chain of 100,000 nodes in reverse', () => {
    const length = 100_000
    const nodes = Array.from({ length }, (_, i) => node('Relu', [`v${length - 1 - i}`], [`v${length - i}`]))
    const { graph } = readModel(modelFile({ inputs: { v0: [1] }, outputs: [`v${length}`], nodes }))
    expect(graph.nodes[0].name).toBe('v1')
    expect(graph.nodes.at(-1)?.name).toBe(`v${length}`)
  })
})
