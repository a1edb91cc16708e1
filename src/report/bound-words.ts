import type { Bound, ModelReport } from '../audit/report-schema.ts'
import { displayMessage, displayName } from './display-name.ts'
import { formatProbability } from './numbers.ts'

const normNames = { l2: 'ℓ2', linf: 'ℓ∞', l1: 'ℓ1' } satisfies Record<ModelReport['norm'], string>

const domainNames = {
  global: 'over all inputs',
  box: 'over a box of inputs',
  ball: 'over a ball of inputs',
} satisfies Record<ModelReport['domain']['kind'], string>

/** In which norm, and for which inputs, a bound of this model holds: 'ℓ2, over all inputs'. */
export function describeScope({ norm, domain }: Pick<ModelReport, 'norm' | 'domain'>): string {
  return `${normNames[norm]}, ${domainNames[domain.kind]}`
}

/** A bound's method in words; others are shown as they are named. */
const methodNames = new Map([
  ['frobenius-product', 'Frobenius product'],
  ['spectral-product', 'spectral product'],
  ['induced-product', 'product of norms'],
  ['graph', 'graph'],
  ['mean-slope', 'mean slope'],
  ['sdp', 'SDP'],
  ['branch-and-bound', 'branch and bound'],
  ['jacobian', 'Jacobian'],
])

export function methodName(method: string): string {
  return methodNames.get(method) ?? displayName(method)
}

/** How far the bound may be trusted, in words. */
export function describeCertificate(bound: Pick<Bound, 'certificate' | 'failureProbability'>): string {
  if (bound.certificate === null) return 'no certificate'
  if (bound.certificate === 'deterministic') return 'proven, rounding errors accounted for'
  return `proven, except with probability ${formatProbability(bound.failureProbability ?? 0)} over the seeded start`
}

/** Why there is no finite bound: the first operator that stands in the way, and where. */
export function describeObstacle({ op, reason, node }: Pick<Bound, 'op' | 'reason' | 'node'>): string {
  const what = [op, reason ?? 'no finite bound is proven'].filter((part) => part !== undefined)
  return displayMessage(what.join(' ')) + (node === undefined ? '' : ` (${displayName(node)})`)
}
