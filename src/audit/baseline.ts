import type { Layer, ModelReport, Report } from './report-schema.ts'

/** A stored report that a model is held against. */
export interface Baseline {
  readonly report: Pick<Report, 'models'>
  /** By how much a value may rise, in percent; default 0. */
  readonly maxIncrease?: number
}

function normalise(path: string): string {
  return path
    .split(/[\\/]+/)
    .filter((part) => part !== '.')
    .join('/')
}

const baseName = (path: string) => normalise(path).split('/').at(-1)!

/** The same model in the baseline: by path, else by file name where that is unique on both sides. */
export function counterpart(
  path: string,
  baseline: Pick<Report, 'models'>,
  audited: readonly string[],
): ModelReport | null {
  const { models } = baseline
  const same = models.find((model) => normalise(model.path) === normalise(path))
  if (same !== undefined) return same
  const alike = models.filter((model) => baseName(model.path) === baseName(path))
  const rivals = new Set(audited.filter((other) => baseName(other) === baseName(path)).map(normalise))
  return alike.length === 1 && rivals.size <= 1 ? alike[0] : null
}

/** A layer is the same by node, operator and role, not by its place. */
export const identity = ({ node, op, role }: Layer) => JSON.stringify([node, op, role])

/** The same weights on an input of the same size: the same map, whatever its enclosure is. */
export function isUnchanged(now: Layer, before: Layer): boolean {
  return (
    now.weightSha256 === before.weightSha256 &&
    now.weightSha256 !== '' &&
    JSON.stringify(now.inputShape) === JSON.stringify(before.inputShape)
  )
}

/** What was asked: bounds that answer different questions cannot be compared. */
export function question({ norm, domain, inputs, outputs }: ModelReport): string {
  const names = new Set(inputs.map(({ name }) => name))
  // ranges of values within the graph follow from the weights: they belong to the answer
  const ranges = (domain.ranges ?? []).filter(({ input }) => names.has(input))
  const varied = inputs.filter(({ audited }) => audited !== false).map(({ name }) => name)
  const bounded = outputs.filter(({ lipschitz }) => lipschitz !== null).map(({ name }) => name)
  return JSON.stringify([norm, domain.kind === 'box' ? ranges : domain, varied, bounded])
}
