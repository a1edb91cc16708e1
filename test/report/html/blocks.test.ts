import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TracePoint } from '../../../src/audit/report-schema.ts'
import { type BlockGraph, gainAt, groupBlocks } from '../../../src/report/html/network/blocks.ts'
import { layOut } from '../../../src/report/html/network/layout.ts'
import { criticalPath } from '../../../src/report/html/network/path.ts'
import { sampleModel } from '../sample.ts'
import { deep, point, traced } from './network.ts'

/** Any directed graph without cycles, some of whose nodes have no bound. */
const traces = fc
  .array(
    fc.record({
      reads: fc.array(fc.nat(), { maxLength: 3 }),
      log10: fc.option(fc.double({ min: -3, max: 9, noNaN: true })),
      lost: fc.boolean(),
    }),
    { minLength: 1, maxLength: 400 },
  )
  .map((nodes) =>
    nodes.map(
      ({ reads, log10, lost }, place): TracePoint =>
        point(place, {
          from: place === 0 ? [] : [...new Set(reads.map((read) => read % place))],
          op: place === 0 ? '' : 'Op',
          log10: lost ? null : log10,
          ...(lost ? { unbounded: true as const } : {}),
        }),
    ),
  )

const placesOf = ({ blocks }: BlockGraph) => blocks.flatMap(({ places }) => places)

describe('blocks', () => {
  it('hold a layer and what follows without changing the bound; joins stay alone', () => {
    const { blocks } = groupBlocks(traced())
    expect(blocks.map(({ ops, from, layer }) => [ops.join(' '), from, layer])).toEqual([
      ['', [], null],
      ['Gemm Relu', [0], 1],
      ['Gemm Relu', [1], 2],
      ['Add', [1, 2], null],
      ['Gemm', [3], 3],
    ])
    expect(blocks.map(({ gain }) => 10 ** gain!)).toEqual(
      [1, 10, 5, 1.2, 10 / 3].map((x) => expect.closeTo(x, 9)),
    )
  })

  it('hold a change of units together with the change back', () => {
    const logs = [0, 2, 2, 0, 1, 3, 1, 1]
    const trace = logs.map((log10, place) => point(place, { log10, ...(place === 0 ? { op: '' } : {}) }))
    const { blocks } = groupBlocks(sampleModel({ trace, layers: [] }))
    expect(blocks.map(({ places, gain }) => [places, gain])).toEqual([
      [[0], 0],
      [[1, 2, 3], 0],
      [[4, 5, 6, 7], 1],
    ])
  })

  it('hold every node once, read only blocks before them, and are few', () => {
    fc.assert(
      fc.property(traces, (trace) => {
        const graph = groupBlocks(sampleModel({ trace, layers: [] }))
        expect(placesOf(graph).toSorted((a, b) => a - b)).toEqual([...trace.keys()])
        expect(graph.blocks.length).toBeLessThanOrEqual(300)
        for (const [block, { from }] of graph.blocks.entries()) {
          for (const source of from) expect(source).toBeLessThan(block)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('become runs of neighbours in a graph of thousands of nodes', () => {
    const graph = groupBlocks(deep(2000))
    expect(graph.isCoarse).toBe(true)
    expect(placesOf(graph)).toHaveLength(6001)
    const gains = graph.blocks.reduce((sum, { gain }) => sum + gain!, 0)
    expect(gains).toBeCloseTo(200, 6)
  })

  it('become few where everything reads everything', () => {
    const trace = Array.from({ length: 250 }, (_, place) =>
      point(place, { from: Array.from({ length: place }, (_, source) => source), log10: place }),
    )
    const { blocks, isCoarse } = groupBlocks(sampleModel({ trace, layers: [] }))
    expect(isCoarse).toBe(true)
    expect(blocks.length).toBeLessThanOrEqual(25)
    expect(layOut(blocks).corners).toHaveLength(blocks.length)
  })
})

describe('a gain', () => {
  it('is what a node makes of the largest bound that enters', () => {
    const trace = [point(0), point(1, { log10: 2 }), point(2, { from: [0, 1], log10: 3 })]
    expect([0, 1, 2].map((place) => gainAt(trace, place))).toEqual([0, 2, 1])
  })
})

describe('the way of the largest bound', () => {
  const block = (from: number[], log10: number | null, losesBound = false) => ({ from, log10, losesBound })

  it('takes the larger branch', () => {
    const blocks = [block([], 0), block([0], 2), block([0], 1), block([1, 2], 2.5), block([2], 1)]
    expect(criticalPath(blocks)).toEqual({ way: [0, 1, 3], obstacle: null })
  })

  it('leads to where the bound is lost', () => {
    const blocks = [block([], 0), block([0], 1), block([1], null, true), block([2], null)]
    expect(criticalPath(blocks)).toEqual({ way: [0, 1], obstacle: 2 })
  })

  it('is empty without a graph', () => {
    expect(criticalPath([])).toEqual({ way: [], obstacle: null })
  })
})

describe('a layout', () => {
  it('places blocks apart, each below what it reads', () => {
    const { blocks } = groupBlocks(deep(30))
    const { corners, width, height } = layOut(blocks)
    const spots = new Set(corners.map(({ x, y }) => `${x} ${y}`))
    expect(spots.size).toBe(blocks.length)
    for (const [block, { from }] of blocks.entries()) {
      for (const source of from) expect(corners[source].y).toBeLessThan(corners[block].y)
      expect(corners[block].x).toBeGreaterThanOrEqual(0)
      expect(corners[block].x).toBeLessThan(width)
      expect(corners[block].y).toBeLessThan(height)
    }
  })
})
