import type { NumberArray } from './npy.ts'

/** What stands between numbers; decimal points are points. */
const separator = /[,;\t]|\s+/

/**
 * Rows of numbers, one sample each: separated by commas, semicolons, tabs or spaces, all of one length; a first row of
 * names is left out, and so are empty rows. Throws an `Error` that names the row.
 */
export function decodeCsv(text: string): NumberArray {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  const rows: number[][] = []
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue
    const fields = line
      .trim()
      .split(separator)
      .map((field) => field.trim())
    const numbers = fields.map((field) => (field === '' ? Number.NaN : Number(field)))
    const bad = fields[numbers.findIndex(Number.isNaN)]
    const isHeader = rows.length === 0 && lines.slice(0, i).every((before) => before.trim() === '')
    if (bad !== undefined && isHeader && numbers.every(Number.isNaN)) continue
    if (bad !== undefined) throw new Error(`row ${i + 1} holds '${bad.slice(0, 20)}', which is no number`)
    if (rows.length > 0 && numbers.length !== rows[0].length)
      throw new Error(`row ${i + 1} has ${numbers.length} numbers, the first has ${rows[0].length}`)
    rows.push(numbers)
  }
  if (rows.length === 0) throw new Error('it holds no row of numbers')
  const columns = rows[0].length
  const data = new Float64Array(rows.length * columns)
  for (const [i, row] of rows.entries()) data.set(row, i * columns)
  return { dims: [rows.length, columns], data }
}
