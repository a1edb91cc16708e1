import { readModel } from '../graph/read-model.ts'
import { inferModel } from '../infer/infer.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { padEnd, widest } from '../report/text.ts'
import { shapesByName, toReadOptions } from './audit-requests.ts'
import { inspect } from './inspect/inspection.ts'
import { jsonOf } from './inspect/json.ts'
import { type Line, linesOf } from './inspect/lines.ts'
import { type BoundsOf, noBounds, provenBounds } from './inspect/value-bound.ts'
import type { Settings } from './options.ts'
import { createProgress } from './progress.ts'
import { type Surroundings, writeAll } from './surroundings.ts'

/** Fields that are aligned on a terminal; longer ones push the rest of their line to the right. */
const ALIGNED = 12
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

/** Measures the layers and bounds every value. */
async function boundsOf(
  typed: TypedGraph,
  settings: Settings,
  surroundings: Surroundings,
): Promise<BoundsOf> {
  const { inputRange, input, norm, tolerance, certify, seed, threads } = settings
  const progress = createProgress(surroundings, settings)
  const { proveBounds } = await import('../audit/proof.ts')
  try {
    const onProgress = progress.update
    const { bounds } = await proveBounds(typed, {
      inputRanges: inputRange,
      inputs: input,
      norm,
      // nodes have the bounds of walks, whatever else is known of the whole
      bound: 'graph',
      tolerance,
      certify,
      seed,
      threads,
      onProgress,
    })
    return provenBounds(bounds)
  } finally {
    progress.clear()
  }
}

/** Prints the graph as read: aligned on a terminal, with tabs between fields in a pipe, or as JSON. */
export async function runInspect(
  path: string,
  measures: boolean,
  settings: Settings,
  surroundings: Surroundings,
): Promise<number> {
  const model = readModel(path, toReadOptions(settings))
  const typed = inferModel(model, { inputShapes: shapesByName(settings.inputShape) })
  const bounds = measures ? await boundsOf(typed, settings, surroundings) : noBounds
  const inspection = inspect(typed, bounds)
  if (settings.json) {
    await writeAll(surroundings.stdout, jsonOf(inspection))
    return 0
  }
  const lines = [...linesOf(inspection)]
  const texts = surroundings.stdout.isTTY ? align(lines) : lines.map((line) => line.join('\t'))
  await writeAll(surroundings.stdout, `${texts.join('\n')}\n`)
  return 0
}
