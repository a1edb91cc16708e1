import { Graph, layout } from '@dagrejs/dagre'
import type { Block } from './blocks.ts'

export const blockSize = { width: 196, height: 40 } as const

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Layout {
  readonly width: number
  readonly height: number
  /** The upper left corner of each block. */
  readonly corners: readonly Point[]
  readonly edges: readonly { readonly from: number; readonly to: number; readonly points: readonly Point[] }[]
}

const MARGIN = 8

/** Places blocks in rows from top to bottom, so that edges run downward and cross seldom. */
export function layOut(blocks: readonly Block[]): Layout {
  const graph = new Graph()
  const settings = {
    rankdir: 'TB',
    nodesep: 16,
    ranksep: 22,
    edgesep: 8,
    marginx: MARGIN,
    marginy: MARGIN,
  } as const
  graph.setGraph({ ...settings, ranker: 'tight-tree' })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const index of blocks.keys()) graph.setNode(String(index), { ...blockSize })
  const pairs = blocks.flatMap(({ from }, to) => from.map((source) => ({ from: source, to })))
  for (const { from, to } of pairs) graph.setEdge(String(from), String(to))
  layout(graph)
  const corners = Array.from(blocks.keys(), (index) => {
    const { x, y } = graph.node(String(index))
    return { x: x - blockSize.width / 2, y: y - blockSize.height / 2 }
  })
  const edges = pairs.map(({ from, to }) => ({
    from,
    to,
    points: graph.edge(String(from), String(to)).points ?? [],
  }))
  const { width = 0, height = 0 } = graph.graph()
  return { width, height, corners, edges }
}
