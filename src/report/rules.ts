import type { Finding } from '../audit/report-schema.ts'

/** What is said of a gate or of a kind of finding wherever it appears. */
export interface Rule {
  /** How grave it is as a rule; `gate`: an error where it is not met. */
  readonly level: Finding['level'] | 'gate'
  readonly summary: string
  /** Its page in docs/findings, where it shares one with another rule. */
  readonly page?: string
}

/** Every rule, in the order of the documentation. */
export const rules = {
  'max-lipschitz': { level: 'gate', summary: "the network's Lipschitz constant is within its limit" },
  'max-layer': { level: 'gate', summary: 'the spectral norm of every layer is within its limit' },
  'max-increase': { level: 'gate', summary: 'the bound has not risen against the baseline' },
  'max-layer-increase': {
    level: 'gate',
    summary: "no layer's norm has risen against the baseline",
    page: 'max-increase',
  },
  'max-output-change': {
    level: 'gate',
    summary: 'the outputs of two compared models are close enough over the domain',
  },
  'unbounded-op': { level: 'error', summary: 'an operator on the way to the output has no bound' },
  'non-finite-weight': { level: 'error', summary: 'a weight holds NaN or an infinity' },
  'time-limit': {
    level: 'warning',
    summary: 'the time limit ended the audit before a norm or a bound was as tight as asked',
  },
  interrupted: {
    level: 'warning',
    summary: 'the audit was interrupted before a norm or a bound was as tight as asked',
    page: 'time-limit',
  },
  'no-audited-input': { level: 'error', summary: 'no input can be varied, or no output bounded' },
  'missing-rung': { level: 'note', summary: 'one of the bounds of the ladder could not be computed' },
  'input-range': { level: 'warning', summary: 'the bound holds for inputs in the given ranges alone' },
  'cut-at-embedding': {
    level: 'warning',
    summary: 'all inputs are integers: the bound is from the embedding on',
  },
  'fixed-input': {
    level: 'warning',
    summary: 'inputs that are held fixed: integers, and floats that were not asked for',
  },
  'quantisation-offset': { level: 'warning', summary: 'the bound has an additive part' },
  'overridable-initializer': {
    level: 'warning',
    summary: 'a caller may override weights that the bound relies on',
  },
  'wide-enclosure': { level: 'warning', summary: 'a norm is enclosed less tightly than asked' },
  'any-size': { level: 'note', summary: "a convolution's norm is that over all input sizes" },
  'ranked-by-norm': { level: 'note', summary: 'without a bound, layers are ranked by norm alone' },
  'batch-bound': { level: 'note', summary: 'a dynamic batch axis is taken as one' },
  'unknown-operator': { level: 'warning', summary: 'an operator is not known' },
  'unsorted-nodes': { level: 'note', summary: 'nodes were not in topological order' },
  'newer-format': { level: 'warning', summary: "the file's format is newer than the tool" },
  'newer-opset': {
    level: 'warning',
    summary: "the file's operators are newer than the tool",
    page: 'newer-format',
  },
  'unknown-field': { level: 'note', summary: 'fields of the file that are not known', page: 'ignored-parts' },
  'training-info': {
    level: 'note',
    summary: 'training information, which is ignored',
    page: 'ignored-parts',
  },
  'device-configuration': {
    level: 'note',
    summary: 'device configurations, which are ignored',
    page: 'ignored-parts',
  },
  'not-in-baseline': { level: 'warning', summary: 'the baseline does not hold this model', page: 'baseline' },
  'new-layers': { level: 'note', summary: 'layers that the baseline does not hold', page: 'baseline' },
  'vanished-layers': { level: 'note', summary: 'layers of the baseline that are gone', page: 'baseline' },
  'improved-bound': { level: 'note', summary: 'the bound is below that of the baseline', page: 'baseline' },
  'expired-ignore': { level: 'warning', summary: 'an ignore has passed its date', page: 'ignores' },
  'no-output-change': {
    level: 'warning',
    summary: 'how far the outputs of two compared models may be apart is not proven',
  },
  'ignored-layers': { level: 'note', summary: 'layers that a gate leaves out', page: 'ignores' },
} as const satisfies Record<string, Rule>

export type RuleName = keyof typeof rules

const byName: ReadonlyMap<string, Rule> = new Map(Object.entries(rules))

/** Null for a rule of a later version. */
export function ruleOf(name: string): Rule | null {
  return byName.get(name) ?? null
}

/** The name of the rule's page, without its ending. */
export function pageOf(name: string): string {
  return ruleOf(name)?.page ?? name
}

/** Where the rule is explained. */
export function helpUrl(name: string): string {
  return `https://unpkg.com/lipschitz/docs/findings/${ruleOf(name) === null ? 'README' : pageOf(name)}.md`
}
