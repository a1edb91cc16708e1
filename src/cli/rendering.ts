import type { Report } from '../audit/report-schema.ts'
import { formats, type RenderOptions } from '../report/renderer.ts'
import { makeLocate } from './locate.ts'
import type { Settings } from './options.ts'
import type { FormatChoice } from './readers.ts'
import { type Surroundings, writeAll } from './surroundings.ts'
import { usesColour, widthOf } from './terminal.ts'
import { writeWhole } from './write-file.ts'

/** `path` null: for standard output. */
export function toRenderOptions(
  settings: Settings,
  path: string | null,
  surroundings: Surroundings,
): RenderOptions {
  const { stdout } = surroundings
  return {
    width: path === null ? widthOf(stdout, surroundings) : widthOf({ write: () => true }, surroundings),
    colour: path === null && usesColour(stdout, settings.color, surroundings),
    top: settings.top ?? null,
    sort: settings.sort ?? 'share',
    verbosity: settings.quiet ? 'quiet' : settings.verbose ? 'verbose' : 'normal',
    inconclusive: settings.inconclusive ?? 'fail',
    locate: makeLocate(surroundings),
  }
}

/** Renders a report in every format that is asked for, each to its place. */
export async function writeReport(
  report: Report,
  destinations: readonly FormatChoice[],
  settings: Settings,
  surroundings: Surroundings,
): Promise<void> {
  for (const { name, path } of destinations) {
    const render = await formats[name].load()
    const text = render(report, toRenderOptions(settings, path, surroundings))
    await (path === null ? writeAll(surroundings.stdout, text) : writeWhole(path, text))
  }
}
