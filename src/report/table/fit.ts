import { type Column, columns } from './columns.ts'
import { GAP } from './grid.ts'

const NAME_LEAST = 20

export interface Fit {
  readonly columns: readonly Column[]
  readonly nameWidth: number
}

/** The least width of names for which a column of this priority is dropped. */
function nameRoom(priority: number): number {
  return NAME_LEAST + Math.max(0, 60 - priority) / 4
}

/**
 * The columns that fit into `width`, and the width that is left for names: drops the least important column
 * until all fit. Where nothing fits, the most important column and a short name.
 */
export function fitColumns(widths: ReadonlyMap<Column, number>, width: number, nameWanted: number): Fit {
  const used = columns.filter((column) => widths.has(column))
  let kept = used.filter((column) => column.insteadOf === undefined)
  for (;;) {
    const room = width - kept.reduce((sum, column) => sum + widths.get(column)! + GAP.length, 0)
    const least = kept.reduce((a, b) => (b.priority < a.priority ? b : a))
    if (room >= Math.min(nameWanted, nameRoom(least.priority)) || kept.length === 1) {
      return { columns: kept, nameWidth: Math.max(NAME_LEAST, Math.min(room, nameWanted)) }
    }
    kept = used.filter(
      (column) => column.insteadOf === least.key || (kept.includes(column) && column !== least),
    )
  }
}
