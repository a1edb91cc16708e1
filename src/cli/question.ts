import { auditOptions, decide, type OptionGroup, type OptionName, type Source } from './options.ts'

/** Options that bounds depend on. All others say where a report goes, how it is judged, or how it is made. */
const asking: ReadonlySet<OptionGroup> = new Set<OptionGroup>(['What is audited', 'Proofs', 'Safety'])

const isAsking = (name: OptionName) => asking.has(auditOptions[name].group)

/** Options that bounds depend on, as they are decided, as texts. */
export type Question = Readonly<Record<string, readonly string[]>>

export function questionOf(sources: readonly Source[]): Question {
  const asked = decide(sources).filter(({ name }) => isAsking(name))
  return Object.fromEntries(asked.map(({ name, texts }) => [name, texts]))
}

/** The question as a source of options. */
export function questionSource(question: Question): Source {
  return {
    label: (name) => `${name} of the shards`,
    texts: (name) => (isAsking(name) && Object.hasOwn(question, name) ? question[name] : undefined),
  }
}

/** A source that says how a report is judged and made, never what is asked: that, the shards have settled. */
export function withoutQuestion(source: Source): Source {
  return { label: source.label, texts: (name) => (isAsking(name) ? undefined : source.texts(name)) }
}
