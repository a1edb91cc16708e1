import Table from 'cli-table3'

export const GAP = '  '

/** cli-table3 takes time with the square of the rows: it lays out this many at once. */
const CHUNK = 50

/** No frame, no lines: columns stand apart by two spaces. */
const chars = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'right', 'right-mid', 'mid', 'mid-mid'],
  ].map((place) => [place, '']),
)

export interface GridColumn {
  readonly align: 'left' | 'right'
  /** Width of the widest cell, without colours. */
  readonly width: number
}

/** Rows of cells, coloured or not, as lines of aligned text without trailing space. */
export function drawRows(columns: readonly GridColumn[], rows: readonly (readonly string[])[]): string[] {
  const lines: string[] = []
  for (let start = 0; start < rows.length; start += CHUNK) {
    const table = new Table({
      chars: { ...chars, middle: GAP },
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
      colAligns: columns.map(({ align }) => align),
      colWidths: columns.map(({ width }) => width),
    })
    table.push(...rows.slice(start, start + CHUNK).map((row) => [...row]))
    lines.push(...table.toString().split('\n'))
  }
  return lines.map((line) => line.trimEnd())
}

export function widthOfGrid(columns: readonly GridColumn[]): number {
  return columns.reduce((sum, { width }) => sum + width, (columns.length - 1) * GAP.length)
}
