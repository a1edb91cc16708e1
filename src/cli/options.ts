import type { AnyDeclaration } from './options/declaration.ts'
import { gatesOptions } from './options/gates.ts'
import { outputOptions } from './options/output.ts'
import { proofsOptions } from './options/proofs.ts'
import { runningOptions } from './options/running.ts'
import { safetyOptions } from './options/safety.ts'
import { subjectOptions } from './options/subject.ts'
import type { Reader } from './readers.ts'

export type { AnyDeclaration, OptionGroup } from './options/declaration.ts'

/**
 * Every option of `audit`, once: the key is its name in settings and, in capitals, behind LIPSCHITZ_ in the
 * environment. Lists repeat on the command line and are parted by semicolons in the environment.
 */
export const auditOptions = {
  ...outputOptions,
  ...gatesOptions,
  ...subjectOptions,
  ...proofsOptions,
  ...safetyOptions,
  ...runningOptions,
} satisfies Record<string, AnyDeclaration>

export type OptionName = keyof typeof auditOptions

type Value<D> = D extends { kind: 'list'; read: Reader<infer T> }
  ? readonly T[]
  : D extends { read: Reader<infer T> }
    ? T
    : never

/** The options as read; undefined where no source gives one. */
export type Settings = { readonly [K in OptionName]?: Value<(typeof auditOptions)[K]> }

/** Options as texts, from one source: the command line, the environment, a file. */
export interface Source {
  /** How messages call an option from here. */
  label(name: OptionName): string
  texts(name: OptionName): readonly string[] | undefined
}

/** Options that say one thing together: a source that gives one of them overrules all of them in later sources. */
const together: readonly (readonly OptionName[])[] = [['format', 'json', 'output']]

/** An option as decided: what it was given as, and by whom. */
export interface Decision {
  readonly name: OptionName
  readonly texts: readonly string[]
  readonly from: string
}

/** The first source that knows an option, or one that it belongs together with, decides it. */
export function decide(sources: readonly Source[]): Decision[] {
  return (Object.keys(auditOptions) as OptionName[]).flatMap((name) => {
    const group = together.find((names) => names.includes(name)) ?? [name]
    const source = sources.find((candidate) => group.some((member) => candidate.texts(member) !== undefined))
    const texts = source?.texts(name)
    return source === undefined || texts === undefined ? [] : [{ name, texts, from: source.label(name) }]
  })
}

/** The options as their readers understand them. Throws `usage` with the source of what is wrong. */
export function readSettings(sources: readonly Source[]): Settings {
  const settings: Record<string, unknown> = {}
  for (const { name, texts, from } of decide(sources)) {
    const { kind, read }: AnyDeclaration = auditOptions[name]
    const values = texts.map((text) => read(text, from))
    settings[name] = kind === 'list' ? values : values.at(-1)
  }
  return settings
}

/** LIPSCHITZ_MAX_LIPSCHITZ for maxLipschitz. */
function variableOf(name: OptionName): string {
  return `LIPSCHITZ_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** Options from LIPSCHITZ_* variables; empty ones count as not set. */
export function environmentSource(environment: Readonly<Record<string, string | undefined>>): Source {
  return {
    label: variableOf,
    texts: (name) => {
      const text = environment[variableOf(name)]
      if (text === undefined || text === '') return undefined
      return auditOptions[name].kind === 'list' ? text.split(';').filter((part) => part !== '') : [text]
    },
  }
}
