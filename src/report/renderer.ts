import type { Report } from '../audit/report-schema.ts'
import type { SortKey } from './sort.ts'

/** How a report is shown. What equal reports look like in a format for machines depends on the last two alone. */
export interface RenderOptions {
  /** Columns to fill at most. */
  readonly width: number
  readonly colour: boolean
  /** Rows of the table of layers; null for all. */
  readonly top: number | null
  readonly sort: SortKey
  readonly verbosity: 'quiet' | 'normal' | 'verbose'
  /** Whether a gate that is inconclusive breaks the run. */
  readonly inconclusive: 'fail' | 'warn'
  /** A model's path from the root of the checkout, with forward slashes; absolute where it is outside of it. */
  readonly locate: (path: string) => string
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
  html: {
    summary: 'one page to look at: bars, curve, graph, sortable table; needs no network',
    load: async () => (await import('./html/html.ts')).renderHtml,
  },
  markdown: {
    summary: 'for pull requests and job summaries',
    load: async () => (await import('./markdown/markdown.ts')).renderMarkdown,
  },
  csv: {
    summary: 'one row per layer, for spreadsheets',
    load: async () => (await import('./csv.ts')).renderCsv,
  },
  sarif: {
    summary: 'gates and findings for code scanning, SARIF 2.1.0',
    load: async () => (await import('./sarif/sarif.ts')).renderSarif,
  },
  junit: {
    summary: 'one test suite per model, one test per gate',
    load: async () => (await import('./junit.ts')).renderJunit,
  },
  github: {
    summary: 'annotations in the log of GitHub Actions',
    load: async () => (await import('./github.ts')).renderGithub,
  },
  openmetrics: {
    summary: 'gauges for Prometheus',
    load: async () => (await import('./openmetrics/openmetrics.ts')).renderOpenmetrics,
  },
} satisfies Record<string, Format>

export type FormatName = keyof typeof formats

export const formatNames = Object.keys(formats) as FormatName[]
