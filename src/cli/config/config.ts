import { dirname, relative, resolve, sep } from 'node:path'
import type { Ignore } from '../../audit/ignore.ts'
import type { Source } from '../options.ts'
import type { Surroundings } from '../surroundings.ts'
import { findConfig, openConfig } from './find.ts'
import { matcher } from './glob.ts'
import type { IgnoreBlock } from './schema.ts'
import { configSource, type Places } from './source.ts'
import { validateConfig } from './validate.ts'

/** A configuration file as the command line uses it. */
export interface Config {
  /** From the working directory. */
  readonly path: string
  /** What it sets for all models. */
  readonly source: Source
  /** What its blocks set for this model, the last block that says it first. */
  readonly sourcesFor: (model: string) => readonly Source[]
  readonly ignoresFor: (model: string) => readonly Ignore[]
}

/** A model's path from the folder of the file, with forward slashes. */
function placeIn({ folder, directory }: Places, model: string): string {
  return relative(folder, resolve(directory, model)).split(sep).join('/')
}

function toIgnore({ rule, node, reason, until }: IgnoreBlock, today: string): Ignore {
  return {
    rule,
    reason,
    ...(node === undefined ? {} : { matchesNode: matcher(node) }),
    ...(until === undefined ? {} : { until, expired: until < today }),
  }
}

/**
 * Loads the file at `path`, or the nearest one where none is named; null where there is none. `today` is
 * YYYY-MM-DD. Throws `config`.
 */
export async function loadConfig(
  path: string | undefined,
  { directory }: Pick<Surroundings, 'directory'>,
  today: string,
): Promise<Config | null> {
  const found = path === undefined ? findConfig(directory) : openConfig(resolve(directory, path))
  if (found === null) return null
  const places = { folder: dirname(found.path), directory }
  const name = relative(directory, found.path)
  const { models = [], ignore = [], ...values } = await validateConfig(name, found.content)
  const blocks = models.map((block, i) => ({
    matches: matcher(block.path),
    source: configSource(block, `models[${i}] of ${name}`, places),
  }))
  const ignores = ignore.map((block) => ({
    matches: block.model === undefined ? () => true : matcher(block.model),
    ignore: toIgnore(block, today),
  }))
  return {
    path: name,
    source: configSource(values, name, places),
    sourcesFor: (model) =>
      blocks
        .filter(({ matches }) => matches(placeIn(places, model)))
        .map(({ source }) => source)
        .toReversed(),
    ignoresFor: (model) =>
      ignores.filter(({ matches }) => matches(placeIn(places, model))).map((each) => each.ignore),
  }
}
