import type { ProbeOptions } from '../audit/probe/probe.ts'
import { select } from '../bounds/selection.ts'
import { readModel } from '../graph/read-model.ts'
import { inferModel } from '../infer/infer.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { shapesByName, toReadOptions } from './audit-requests.ts'
import { exitCodes } from './exit-code.ts'
import type { Settings } from './options.ts'
import type { OwnSettings } from './own-options.ts'
import { readPoint, readSamples } from './points/point.ts'
import { encodeWitness } from './points/witness-file.ts'
import type { probeOptions } from './probe-options.ts'
import { createProgress } from './progress.ts'
import { isStandardOutput, usage } from './readers.ts'
import { type Surroundings, writeAll } from './surroundings.ts'
import { usesColour } from './terminal.ts'
import { checkWritable, writeWhole } from './write-file.ts'

type Own = OwnSettings<typeof probeOptions>

/** The points that files name, as the model's inputs have them. */
function pointsOf(typed: TypedGraph, { samples }: Own, { around, input, outputName }: Settings) {
  const { inputs, held } = select(typed, { inputs: input ?? null, outputs: outputName ?? null })
  const known = (values: typeof inputs) =>
    values.map((value) => ({ name: value.name, shape: typed.operand(value).shape }))
  if (samples !== undefined && inputs.length !== 1)
    throw usage(`samples are of one input, ${inputs.length} may change`, 'choose one with --input')
  return {
    around:
      around === undefined
        ? undefined
        : { name: around, elements: readPoint(around, known(inputs), known(held)) },
    samples: samples === undefined ? undefined : readSamples(samples, known(inputs)[0]),
  }
}

/** Probes one model and writes what was found; the exit code is 0 whatever that is. */
export async function runProbe(
  path: string,
  own: Own,
  settings: Settings,
  surroundings: Surroundings,
): Promise<number> {
  const { witness } = own
  const target = own.output === undefined || isStandardOutput(own.output) ? null : own.output
  for (const file of [target, witness]) if (file != null) await checkWritable(file)
  const typed = inferModel(readModel(path, toReadOptions(settings)), {
    inputShapes: shapesByName(settings.inputShape),
  })
  const { radius, radiusNorm, inputRange, input, outputName, tolerance, certify, effort, seed, threads } =
    settings
  const progress = createProgress(surroundings, settings)
  const options: ProbeOptions = {
    ...pointsOf(typed, own, settings),
    ...{ radius, radiusNorm, tolerance, certify, effort, seed, threads },
    inputRanges: inputRange,
    inputs: input,
    outputs: outputName,
    onProgress: progress.update,
  }
  const { probe } = await import('../audit/probe/probe.ts')
  const found = await probe(typed, options).finally(progress.clear)
  if (witness !== undefined) {
    if (found.witness === null) throw usage('there is no lower bound whose points could be written')
    await writeWhole(witness, encodeWitness(witness, found.witness))
  }
  const text = settings.json
    ? (await import('../report/json.ts')).renderValue(found.result)
    : (await import('../report/probe/table.ts')).renderProbeTable(found.result, {
        colour: target === null && usesColour(surroundings.stdout, settings.color, surroundings),
        quiet: settings.quiet ?? false,
      })
  if (target === null) await writeAll(surroundings.stdout, text)
  else await writeWhole(target, text)
  return exitCodes.success
}
