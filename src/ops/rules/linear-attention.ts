import * as mag from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { addUp, divUp, mulUp, sqrtDown } from '../../core/rounding.ts'
import { floatAttribute, intAttribute, stringAttribute } from '../../graph/attribute.ts'
import {
  type BoundContext,
  type BoundOperand,
  type BoundRule,
  everything,
  type TensorBound,
} from '../bound.ts'
import { rootOf } from './broadcast.ts'
import { swishSlope } from './elementwise.ts'
import { farthest, interval } from './interval.ts'
import { addedIn, isFixed, type Part } from './join.ts'
import { inEvery } from './norms.ts'

/** Products of several tensors that vary, written as one operator: Lipschitz on bounded data alone. */

const unbounded =
  'multiplies tensors that depend on the input and have no proven bounds: not Lipschitz on an unbounded domain; give --input-range'

/** Σ factorᵢ·|Δᵢ| over the operands that vary; a refusal where a factor that is needed is infinite. */
function multilinear(
  context: BoundContext,
  terms: readonly (readonly [BoundOperand | null, mag.Magnitude])[],
  range = everything,
  norm: NormName = 'l2',
): TensorBound {
  const parts: Part[] = []
  for (const [bound, gain] of terms) {
    if (bound === null || isFixed(bound)) continue
    if (!mag.isBounded(gain)) return context.refuse(unbounded)
    parts.push({ bound, gain })
  }
  return addedIn(norm, parts, range)
}

/** swish(a)·b: |Δ| ≤ 1.0999·sup|b|·|Δa| + sup|a|·|Δb|, as |swish(a)| ≤ |a| and the slope of swish is the same for every α; ½ for α = 0. */
const swiglu = inEvery((context, norm) => {
  const [a, b] = [context.input(0), context.input(1)]
  if (a === null || b === null) return [context.refuse('lacks an operand')]
  const slope = floatAttribute(context.node, 'alpha', 1) === 0 ? 0.5 : swishSlope
  const [gates, values] = [farthest(a.range), farthest(b.range)]
  const reach = mulUp(gates, values)
  return [
    multilinear(
      context,
      [
        [a, mag.magnitude(mulUp(slope, values))],
        [b, mag.magnitude(gates)],
      ],
      reach < Infinity ? interval(-reach, reach) : everything,
      norm,
    ),
  ]
})

/**
 * The linear recurrence S_t = S_{t−1} + k_t⊗v_t, o_t = s·q_tᵀS_t, which is Y = s·((QKᵀ∘M)V + Q·S₀) for the causal mask M. With Frobenius
 * norms, that masks only lessen: |ΔY| ≤ s·(‖V‖(‖K‖·|ΔQ| + ‖Q‖·|ΔK|) + ‖Q‖‖K‖·|ΔV| + ‖S₀‖·|ΔQ| + ‖Q‖·|ΔS₀|), and S_T = S₀ + KᵀV. Heads of queries that
 * share keys and values repeat these: √g.
 */
const linearAttention: BoundRule = (context) => {
  const { node } = context
  const refuse = (reason: string) => node.outputs.map(() => context.refuse(reason))
  const [query, key, value, past] = [0, 1, 2, 3].map((i) => context.input(i))
  const update = stringAttribute(node, 'update_rule', 'gated_delta')
  if (query === null || key === null || value === null) return refuse('lacks an operand')
  if (update !== 'linear')
    return refuse(`updates its state by the rule ${update}, whose gain over all steps has no bound here`)
  const [heads, shared] = ['q_num_heads', 'kv_num_heads'].map((name) => intAttribute(node, name, 0))
  const width = query.shape?.at(-1) ?? null
  if (!(heads >= 1 && shared >= 1) || width === null)
    return refuse('has heads that are not known; give --input-shape')
  const given = floatAttribute(node, 'scale', 0)
  const scale = mag.magnitude(given !== 0 ? Math.abs(given) : divUp(1, sqrtDown(width / heads)))
  const repeats = mag.multiply(scale, rootOf(Math.ceil(heads / shared)))
  const [q, k, v, s] = [query, key, value, past].map((operand) => operand?.norm ?? 0)
  const output = multilinear(context, [
    [query, mag.multiply(scale, mag.magnitude(addUp(mulUp(v, k), s)))],
    [key, mag.multiply(repeats, mag.magnitude(mulUp(v, q)))],
    [value, mag.multiply(repeats, mag.magnitude(mulUp(q, k)))],
    [past, mag.multiply(repeats, mag.magnitude(q))],
  ])
  const state = multilinear(context, [
    [key, mag.magnitude(v)],
    [value, mag.magnitude(k)],
    [past, mag.one],
  ])
  return node.outputs.map((_, i) => (i === 0 ? output : state))
}

export const linearAttentionRules = {
  SwiGLU: swiglu,
  LinearAttention: linearAttention,
} satisfies Record<string, BoundRule>
