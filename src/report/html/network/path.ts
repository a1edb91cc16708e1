import type { Block } from './blocks.ts'

/** The way of the largest bound through the graph. */
export interface CriticalPath {
  /** Blocks, from an input to where the way ends. */
  readonly way: readonly number[]
  /** The first block that loses the bound, behind the end of the way; null where the way reaches an output. */
  readonly obstacle: number | null
}

/**
 * From the largest bound that nothing reads back to an input, each time to the largest bound that enters. Where a
 * bound is lost, the way leads to the first place where it is.
 */
export function criticalPath(blocks: readonly Pick<Block, 'from' | 'log10' | 'losesBound'>[]): CriticalPath {
  const found = blocks.findIndex(({ losesBound }) => losesBound)
  const obstacle = found < 0 ? null : found
  const read = new Set(blocks.flatMap(({ from }) => from))
  const ends = [...blocks.keys()].filter((block) => !read.has(block))
  const size = (block: number) => blocks[block].log10 ?? Number.NEGATIVE_INFINITY
  const largest = (candidates: readonly number[]) =>
    candidates.reduce<number | undefined>(
      (best, block) => (best === undefined || size(block) > size(best) ? block : best),
      undefined,
    )
  const way: number[] = []
  let block = largest(obstacle === null ? ends : blocks[obstacle].from)
  while (block !== undefined) {
    way.push(block)
    block = largest(blocks[block].from)
  }
  return { way: way.reverse(), obstacle }
}
