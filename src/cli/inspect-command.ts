import { readModel } from '../graph/read-model.ts'
import { inferModel } from '../infer/infer.ts'
import { padEnd, widest } from '../report/text.ts'
import { shapesByName } from './audit-requests.ts'
import { inspect, type Line } from './inspection.ts'
import type { Settings } from './options.ts'
import { type Surroundings, writeAll } from './surroundings.ts'

/** Fields that are aligned on a terminal; longer ones push the rest of their line to the right. */
const ALIGNED = 6
const WIDEST = 40

/** Nodes' fields in columns, for eyes. */
function align(lines: readonly Line[]): string[] {
  const nodes = lines.filter(([kind]) => kind === 'node')
  const widths = Array.from({ length: ALIGNED }, (_, i) =>
    Math.min(WIDEST, widest(nodes.map((line) => line[i]))),
  )
  return lines.map((line) =>
    line
      .map((field, i) => (i < ALIGNED ? padEnd(field, widths[i]) : field))
      .join('  ')
      .trimEnd(),
  )
}

/** Prints the graph as read: aligned on a terminal, with tabs between fields in a pipe. */
export async function runInspect(
  path: string,
  settings: Settings,
  surroundings: Surroundings,
): Promise<number> {
  const typed = inferModel(readModel(path), { inputShapes: shapesByName(settings.inputShape) })
  const lines = [...inspect(typed)]
  const texts = surroundings.stdout.isTTY ? align(lines) : lines.map((line) => line.join('\t'))
  await writeAll(surroundings.stdout, `${texts.join('\n')}\n`)
  return 0
}
