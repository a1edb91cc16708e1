import { floatAttribute, intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { Algebra, Variable } from '../algebra.ts'
import type { Calculus } from '../calculus.ts'
import { type Definition, defined, multiplied, scaled, subtracted, summed } from './definition.ts'
import { stretched, tanh } from './secants.ts'
import { productOf } from './sizes.ts'
import { softmaxOver } from './softmax.ts'

/** Queries, keys or values as [batch, heads, length, features]; arrays of rank 3 hold the heads side by side. */
function byHeads(algebra: Algebra, x: Variable, heads: number): Variable | null {
  if (x.dims.length === 4) return x
  if (x.dims.length !== 3 || !(heads >= 1) || x.dims[2] % heads !== 0) return null
  const [batch, length, width] = x.dims
  return algebra.transpose(algebra.reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3])
}

/** Heads side by side again. */
function sideBySide(algebra: Algebra, x: Variable): Variable {
  const [batch, heads, length, features] = x.dims
  return algebra.reshape(algebra.transpose(x, [0, 2, 1, 3]), [batch, length, heads * features])
}

interface Scores {
  readonly scale: number
  readonly softcap: number
  /** Added to the scores, or null; its last axes are those of the scores. */
  readonly bias: Variable | null
  readonly isCausal: boolean
}

/** softmax(s·QKᵀ + bias)·V; groups of heads share keys and values. Null where they do not divide. */
function attend(
  algebra: Algebra,
  query: Variable,
  key: Variable,
  value: Variable,
  { scale, softcap, bias, isCausal }: Scores,
): Variable | null {
  const [batch, heads, length, features] = query.dims
  const [, groups, total] = key.dims
  if (heads % groups !== 0) return null
  const shared = heads / groups
  const grouped = algebra.reshape(query, [batch, groups, shared, length, features])
  let scores = scaled(algebra, algebra.product(grouped, 'bgrqd', key, 'bgkd', 'bgrqk'), scale)
  if (softcap !== 0) {
    scores = algebra.map(
      scores,
      (x) => softcap * Math.tanh(x / softcap),
      (_, y) => 1 - (y / softcap) ** 2,
      stretched(tanh, softcap, 1 / softcap),
    )
  }
  if (bias !== null) {
    const dims = [...new Array<number>(4 - bias.dims.length).fill(1), ...bias.dims]
    const [first, second] = dims[1] === 1 ? [1, 1] : [groups, shared]
    scores = algebra.zip(scores, algebra.reshape(bias, [dims[0], first, second, dims[2], dims[3]]), summed)
  }
  if (isCausal) {
    const later = Float64Array.from({ length: length * total }, (_, i) =>
      i % total > Math.floor(i / total) ? -Infinity : 0,
    )
    scores = algebra.zip(scores, algebra.constant([length, total], later), summed)
  }
  const weights = softmaxOver(algebra, scores, [4])
  const result = algebra.product(weights, 'bgrqk', value, 'bgke', 'bgrqe')
  return algebra.reshape(result, [batch, heads, length, value.dims[3]])
}

/** A mask that is true where attention is allowed, or is added; −∞ takes the place of what is not allowed. */
function biasOf(algebra: Algebra, mask: Variable | null | undefined, type: string | null): Variable | null {
  if (!mask) return null
  return type === 'bool'
    ? algebra.constant(
        mask.dims,
        Float64Array.from(mask.data, (x) => (x !== 0 ? 0 : -Infinity)),
      )
    : mask
}

/** Attention of the standard: Q, K, V, mask, past keys and values; the scores themselves are no output here. */
const attention: Definition = (context) => {
  const { algebra, node, variables, values } = context
  const [q, k, v, mask, pastKey, pastValue, lengths] = variables
  if (!q || !k || !v || lengths || (node.outputs[3] ?? null) !== null) return null
  const keyHeads = intAttribute(node, 'kv_num_heads', 0)
  const query = byHeads(algebra, q, intAttribute(node, 'q_num_heads', 0))
  const ownKey = byHeads(algebra, k, keyHeads)
  const ownValue = byHeads(algebra, v, keyHeads)
  if (query === null || ownKey === null || ownValue === null) return null
  const key = pastKey ? algebra.concat([pastKey, ownKey], 2) : ownKey
  const value = pastValue ? algebra.concat([pastValue, ownValue], 2) : ownValue
  const softcap = floatAttribute(node, 'softcap', 0)
  const isCausal = intAttribute(node, 'is_causal', 0) !== 0
  // Versions differ in the order of cap and mask, and in what is causal with a past.
  if ((softcap !== 0 && mask) || (isCausal && pastKey)) return null
  const scale = floatAttribute(node, 'scale', 0) || 1 / Math.sqrt(query.dims[3])
  const bias = biasOf(algebra, mask, values[3]?.type ?? null)
  const result = attend(algebra, query, key, value, { scale, softcap, bias, isCausal })
  return result && [q.dims.length === 3 ? sideBySide(algebra, result) : result, key, value]
}

/** ONNX Runtime's separate projections [batch, length, width], with a bias for all three; masks and pasts have no rule. */
const multiHead: Definition = (context) => {
  const { algebra, node, variables } = context
  const [q, k, v, bias, ...others] = variables
  const heads = intAttribute(node, 'num_heads', 0)
  if (!q || !k || !v || others.some(Boolean) || intAttribute(node, 'unidirectional', 0) !== 0) return null
  let start = 0
  const projected = [q, k, v].map((x) => {
    if (!bias || x.dims.length !== 3) return byHeads(algebra, x, heads)
    const own = algebra.slice(bias, 0, start, start + x.dims[2])
    start += x.dims[2]
    return byHeads(algebra, algebra.zip(x, own, summed), heads)
  })
  const [query, key, value] = projected
  if (query == null || key == null || value == null) return null
  const scale = floatAttribute(node, 'scale', 0) || 1 / Math.sqrt(query.dims[3])
  const result = attend(algebra, query, key, value, { scale, softcap: 0, bias: null, isCausal: false })
  return result && [sideBySide(algebra, result)]
}

/** Queries, keys and values by one merged weight [width, q + k + v]. */
const merged: Definition = (context) => {
  const { algebra, node, variables } = context
  const [x, weights, bias, ...others] = variables
  const heads = intAttribute(node, 'num_heads', 0)
  if (x?.dims.length !== 3 || !weights || others.some(Boolean) || intAttribute(node, 'do_rotary', 0) !== 0)
    return null
  const product = algebra.product(x, 'blf', weights, 'fo', 'blo')
  const all = bias ? algebra.zip(product, bias, summed) : product
  const third = weights.dims[1] / 3
  const sizes = intsAttribute(node, 'qkv_hidden_sizes', [third, third, third])
  let start = 0
  const parts = sizes.map((size) => {
    start += size
    return byHeads(algebra, algebra.slice(all, 2, start - size, start), heads)
  })
  const [query, key, value] = parts
  if (query == null || key == null || value == null) return null
  const scale = floatAttribute(node, 'scale', 0) || 1 / Math.sqrt(query.dims[3])
  const isCausal = intAttribute(node, 'unidirectional', 0) !== 0
  const result = attend(algebra, query, key, value, { scale, softcap: 0, bias: null, isCausal })
  return result && [sideBySide(algebra, result)]
}

/** Pairs (x, y) become (c·x − s·y, s·x + c·y); elements beyond `rotary_embedding_dim` pass. */
function rotation(cosines: number, sines: number, positions: number): Definition {
  return (context) => {
    const { algebra, node, variables } = context
    const [x, c, s, at] = [0, cosines, sines, positions].map((i) => variables[i] ?? null)
    if (
      !x ||
      !c ||
      !s ||
      floatAttribute(node, 'scale', 1) !== 1 ||
      intAttribute(node, 'is_packed_batching', 0) !== 0
    )
      return null
    const half = c.dims[c.dims.length - 1]
    const rotated = 2 * half
    const heads = intAttribute(node, 'num_heads', 0) || (x.dims.length === 3 ? x.dims[2] / rotated : 0)
    const whole = byHeads(algebra, x, heads)
    if (whole === null || (at !== null && at.data.length === 1 && positions === 1)) return null
    const [batch, , length, features] = whole.dims
    const table = (tensor: Variable) => {
      const data = new Float64Array(batch * length * half)
      for (let row = 0; row < batch * length; row++) {
        const from = (at === null ? row : at.data[row]) * half
        for (let i = 0; i < half; i++) data[row * half + i] = tensor.data[from + i]
      }
      return algebra.constant([batch, 1, length, half], data)
    }
    if (c.slot >= 0 || s.slot >= 0) return null
    const interleaved = intAttribute(node, 'interleaved', 0) !== 0
    const rows = productOf(whole.dims) / features
    const places = (at: (i: number) => number, count: number) =>
      Int32Array.from({ length: rows * count }, (_, i) => Math.floor(i / count) * features + at(i % count))
    const dims = whole.dims.with(3, half)
    const first = algebra.select(
      whole,
      dims,
      places((i) => (interleaved ? 2 * i : i), half),
    )
    const second = algebra.select(
      whole,
      dims,
      places((i) => (interleaved ? 2 * i + 1 : i + half), half),
    )
    const [cos, sin] = [table(c), table(s)]
    const times = (a: Variable, b: Variable) => algebra.zip(a, b, multiplied)
    const real = algebra.zip(times(first, cos), times(second, sin), subtracted)
    const imaginary = algebra.zip(times(first, sin), times(second, cos), summed)
    const pair = algebra.concat([real, imaginary], 3)
    const order = Int32Array.from({ length: rows * rotated }, (_, i) => {
      const within = i % rotated
      const from = interleaved ? (within % 2) * half + Math.floor(within / 2) : within
      return Math.floor(i / rotated) * rotated + from
    })
    const turned = algebra.select(pair, pair.dims, order)
    const result =
      features === rotated ? turned : algebra.concat([turned, algebra.slice(whole, 3, rotated, features)], 3)
    return [x.dims.length === 3 ? sideBySide(algebra, result) : result]
  }
}

export const attentionCalculus: Readonly<Record<string, Calculus>> = {
  Attention: defined(attention),
  'com.microsoft.Attention': defined(merged),
  MultiHeadAttention: defined(multiHead),
  RotaryEmbedding: defined(rotation(1, 2, 3)),
  'com.microsoft.RotaryEmbedding': defined(rotation(2, 3, 1)),
}
