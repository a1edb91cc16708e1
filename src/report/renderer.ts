import type { Report } from '../audit/report-schema.ts'
import type { SortKey } from './sort.ts'

/** How a report is shown to people; machine formats ignore it, so that equal reports give equal bytes. */
export interface RenderOptions {
  /** Columns to fill at most. */
  readonly width: number
  readonly colour: boolean
  /** Rows of the table of layers; null for all. */
  readonly top: number | null
  readonly sort: SortKey
  readonly verbosity: 'quiet' | 'normal' | 'verbose'
}

/** The whole output, with a final newline. */
export type Renderer = (report: Report, options: RenderOptions) => string

export interface Format {
  /** One line for the help text. */
  readonly summary: string
  load(): Promise<Renderer>
}

/** Every format of `-f`, by its name. A renderer is loaded only when it is asked for. */
export const formats = {
  table: {
    summary: 'for people: ranked layers, bounds, gates, findings',
    load: async () => (await import('./table/table.ts')).renderTable,
  },
  json: {
    summary: 'the whole report for scripts, described by `lipschitz schema report`',
    load: async () => (await import('./json.ts')).renderJson,
  },
} satisfies Record<string, Format>

export type FormatName = keyof typeof formats

export const formatNames = Object.keys(formats) as FormatName[]
