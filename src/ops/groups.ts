import type { BoundRule } from './bound.ts'
import { arithmeticRules } from './rules/arithmetic.ts'
import { attentionRules } from './rules/attention.ts'
import { biasedRules } from './rules/biased.ts'
import { causalRules } from './rules/causal.ts'
import { channelBlockRules } from './rules/channel-blocks.ts'
import { controlRules } from './rules/control.ts'
import { deformRules } from './rules/deform.ts'
import { einsumRules } from './rules/einsum.ts'
import { elementwiseRules } from './rules/elementwise.ts'
import { featureRules } from './rules/feature.ts'
import { fourierRules } from './rules/fourier.ts'
import { fusedRules } from './rules/fused.ts'
import { fusedAttentionRules } from './rules/fused-attention.ts'
import { indexingRules } from './rules/indexing.ts'
import { constantRules, discontinuousRules, randomRules } from './rules/jumps.ts'
import { kernelMachineRules } from './rules/kernel-machine.ts'
import { linearRules } from './rules/linear.ts'
import { linearAttentionRules } from './rules/linear-attention.ts'
import { linearModelRules } from './rules/linear-model.ts'
import { lossRules } from './rules/loss.ts'
import { mixedRules } from './rules/mixed.ts'
import { movementRules } from './rules/movement.ts'
import { multiplicativeRules } from './rules/multiplicative.ts'
import { normalizationRules } from './rules/normalization.ts'
import { overlapRules } from './rules/overlap.ts'
import { poolingRules } from './rules/pooling.ts'
import { quantizationRules } from './rules/quantization.ts'
import { quantizedRules } from './rules/quantized.ts'
import { rangedRules } from './rules/ranged.ts'
import { recurrentRules } from './rules/recurrent.ts'
import { reductionRules } from './rules/reduction.ts'
import { regionRules } from './rules/regions.ts'
import { resizeRules } from './rules/resize.ts'
import { rotationRules } from './rules/rotation.ts'
import { samplingRules } from './rules/sampling.ts'
import { softmaxRules } from './rules/softmax.ts'

/** Operators whose rules share one inequality, and so one page below docs/operators. */
interface Group {
  readonly title: string
  readonly rules: readonly Readonly<Record<string, BoundRule>>[]
  /** Operators of the group whose rules are made for them alone, and stand in no table. */
  readonly operators?: readonly string[]
}

/** By the name of the page. Operators without a rule stand on the page `without`. */
export const groups = {
  elementwise: { title: 'Elementwise functions', rules: [elementwiseRules, rangedRules] },
  arithmetic: { title: 'Arithmetic of several tensors', rules: [arithmeticRules] },
  linear: { title: 'Linear maps', rules: [linearRules, einsumRules, fusedRules, causalRules, deformRules] },
  blocks: { title: 'Channels in blocks', rules: [channelBlockRules] },
  movement: {
    title: 'Moving and copying',
    rules: [movementRules, indexingRules, mixedRules, overlapRules],
    operators: ['Slice', 'Split'],
  },
  pooling: { title: 'Pooling', rules: [poolingRules, regionRules] },
  sampling: { title: 'Interpolation', rules: [resizeRules, samplingRules] },
  fourier: { title: 'Fourier transforms', rules: [fourierRules] },
  reductions: { title: 'Reductions, sums and products', rules: [reductionRules, multiplicativeRules] },
  normalization: { title: 'Normalisation', rules: [normalizationRules] },
  softmax: { title: 'Softmax and losses', rules: [softmaxRules, lossRules] },
  attention: {
    title: 'Attention',
    rules: [attentionRules, fusedAttentionRules, rotationRules, linearAttentionRules],
  },
  recurrent: { title: 'Recurrent networks', rules: [recurrentRules] },
  control: { title: 'Control flow', rules: [controlRules] },
  quantization: { title: 'Quantisation', rules: [quantizationRules, quantizedRules] },
  fused: { title: 'Fused biases, residuals and distances', rules: [biasedRules] },
  classical: {
    title: 'Classical machine learning',
    rules: [linearModelRules, kernelMachineRules, featureRules],
  },
  constants: { title: 'Constants, shapes and counts', rules: [constantRules] },
  discontinuous: { title: 'Discontinuous operators', rules: [discontinuousRules] },
  random: { title: 'Random numbers', rules: [randomRules] },
} satisfies Record<string, Group>

export type GroupName = keyof typeof groups

const byRule = new Map<BoundRule, GroupName>(
  Object.entries(groups).flatMap(([name, { rules }]) =>
    rules.flatMap((table) =>
      Object.values(table).map((rule): [BoundRule, GroupName] => [rule, name as GroupName]),
    ),
  ),
)

/** The group that names the operator, or whose tables hold the rule or one that it extends; null where there is none. */
export function groupOf(op: string, rule: BoundRule): GroupName | null {
  const named = Object.entries<Group>(groups).find(([, { operators }]) => operators?.includes(op))
  if (named !== undefined) return named[0] as GroupName
  let found: BoundRule | undefined = rule
  while (found !== undefined && !byRule.has(found)) found = found.extends
  return found === undefined ? null : (byRule.get(found) ?? null)
}
