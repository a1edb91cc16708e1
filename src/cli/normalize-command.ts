import type { Normalization } from '../edit/normalization.ts'
import { displayMessage, displayName } from '../report/display-name.ts'
import { formatBound, formatNumber } from '../report/numbers.ts'
import { cutMiddle, padEnd, padStart, widest } from '../report/text.ts'
import { shapesByName, toReadOptions } from './audit-requests.ts'
import { matcher } from './config/glob.ts'
import { exitCodes } from './exit-code.ts'
import type { normalizeOptions } from './normalize-options.ts'
import type { Settings } from './options.ts'
import type { OwnSettings } from './own-options.ts'
import { createProgress } from './progress.ts'
import { usage } from './readers.ts'
import { type Surroundings, writeAll } from './surroundings.ts'
import { checkWritable } from './write-file.ts'

type Own = OwnSettings<typeof normalizeOptions>

const accuracy =
  'what the model computes has changed: nothing is known about its accuracy, evaluate it before it is used'

/** Whether a node's or a weight's whole name, or its last part, fits one of the patterns. */
function choiceOf(patterns: readonly string[] | undefined) {
  if (patterns === undefined) return undefined
  const matches = matcher(patterns)
  return (node: string, weight: string) =>
    matches(node) || matches(weight) || patterns.includes(node) || patterns.includes(weight)
}

function rowsOf({ layers }: Normalization): string[][] {
  return layers.map(({ node, role, weight, before, after, factor, reason }) => [
    cutMiddle(displayName(role === '' ? node : `${node}[${role}]`), 40),
    cutMiddle(displayName(weight), 40),
    formatNumber(before.upper, 'up'),
    formatNumber(after.upper, 'up'),
    reason === null ? (factor === 1 ? '–' : formatNumber(factor)) : 'not scaled',
  ])
}

/** The layers in columns, the bounds, the files. */
function describe(result: Normalization, quiet: boolean): string {
  const { lipschitz, files, output, sha256, notFolded } = result
  const scaled = result.layers.filter(({ factor }) => factor !== 1).length
  const bounds = `L ≤ ${formatBound(lipschitz.before)} → ${formatBound(lipschitz.after)}`
  const same = sha256.before === sha256.after ? ', nothing had to change' : ''
  const summary = `${displayName(output)}: ${scaled} of ${result.layers.length} layers scaled, ${bounds}${same}`
  if (quiet) return `${summary}\n`
  const table = [['layer', 'weight', 'norm before', 'after', 'factor'], ...rowsOf(result)]
  const widths = table[0].map((_, i) => widest(table.map((row) => row[i])))
  const lines = table.map((row) =>
    row
      .map((cell, i) => (i < 2 ? padEnd(cell, widths[i]) : padStart(cell, widths[i])))
      .join('  ')
      .trimEnd(),
  )
  const folds = notFolded.map(({ node, reason }) => displayMessage(`not folded: ${node}: ${reason}`))
  const data =
    files.length > 1
      ? [
          `external data: ${files
            .slice(0, -1)
            .map((name) => displayName(name))
            .join(', ')}`,
        ]
      : []
  return `${[...lines, '', ...folds, ...data, summary, ...(same === '' ? [accuracy] : [])].join('\n')}\n`
}

/** Writes the normalised model and says what was done. */
export async function runNormalize(
  model: string,
  own: Own,
  settings: Settings,
  surroundings: Surroundings,
): Promise<number> {
  const { output, layers, ...wanted } = own
  if (output === undefined) throw usage('no output is given', 'lipschitz normalize <model> -o <path>')
  await checkWritable(output)
  const { inputShape, inputRange, input, outputName, tolerance, certify, bound, effort, seed, threads } =
    settings
  const progress = createProgress(surroundings, settings)
  const [{ normalize }, { discardUnfinished }] = await Promise.all([
    import('../edit/normalize.ts'),
    import('../edit/workshop.ts'),
  ])
  process.once('exit', discardUnfinished)
  try {
    const result = await normalize(model, output, {
      ...toReadOptions(settings),
      ...wanted,
      layers: choiceOf(layers),
      inputShapes: shapesByName(inputShape),
      inputRanges: inputRange,
      inputs: input,
      outputs: outputName,
      ...{ tolerance, certify, bound, effort, seed, threads },
      onProgress: progress.update,
    })
    progress.clear()
    const text = settings.json
      ? `${JSON.stringify(result, null, 2)}\n`
      : describe(result, settings.quiet ?? false)
    await writeAll(surroundings.stdout, text)
    return exitCodes.success
  } finally {
    progress.clear()
    process.removeListener('exit', discardUnfinished)
  }
}
