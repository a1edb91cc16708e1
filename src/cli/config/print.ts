import { type AnyDeclaration, auditOptions, type Decision, decide, type Source } from '../options.ts'
import type { Config } from './config.ts'

interface Shown {
  readonly value: string | readonly string[]
  readonly from: string
}

function show({ name, texts, from }: Decision): Shown {
  const { kind }: AnyDeclaration = auditOptions[name]
  return { value: kind === 'list' ? texts : (texts.at(-1) ?? ''), from }
}

function showAll(decisions: readonly Decision[]): Record<string, Shown> {
  return Object.fromEntries(decisions.map((decision) => [decision.name, show(decision)]))
}

/** Every setting with its origin, as JSON; for each model those that a block of the file decides. */
export function printConfig(
  config: Config | null,
  stronger: readonly Source[],
  models: readonly string[],
): string {
  const sources = config === null ? stronger : [...stronger, config.source]
  const settings = decide(sources)
  const known = new Map(settings.map(({ name, from }) => [name, from]))
  const blocks = models.map((path) => {
    const own = decide([...stronger, ...(config?.sourcesFor(path) ?? []), ...(config ? [config.source] : [])])
    const ignore = (config?.ignoresFor(path) ?? []).map(({ rule, reason, until, expired }) => ({
      rule,
      reason,
      ...(until === undefined ? {} : { until, expired }),
    }))
    return { path, settings: showAll(own.filter(({ name, from }) => known.get(name) !== from)), ignore }
  })
  const shown = { config: config?.path ?? null, settings: showAll(settings), models: blocks }
  return `${JSON.stringify(shown, null, 2)}\n`
}
