import { chooseDestinations } from './destinations.ts'
import { exitCodes } from './exit-code.ts'
import type { Settings } from './options.ts'
import { writeReport } from './rendering.ts'
import { readReport } from './stored-report.ts'
import type { Surroundings } from './surroundings.ts'
import { checkWritable } from './write-file.ts'

/** Renders a stored report. Nothing is judged again: the exit code tells whether it could be rendered. */
export async function runReport(
  path: string,
  settings: Settings,
  surroundings: Surroundings,
): Promise<number> {
  const destinations = chooseDestinations(settings)
  for (const destination of destinations) {
    if (destination.path !== null) await checkWritable(destination.path)
  }
  await writeReport(await readReport(path), destinations, settings, surroundings)
  return exitCodes.success
}
