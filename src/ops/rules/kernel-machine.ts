import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { floatsAttribute, intAttribute, intsAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import { type BoundContext, type BoundRule, everything } from '../bound.ts'
import { up } from './interval.ts'
import { through } from './join.ts'
import { powerUp } from './multiplicative.ts'

/**
 * Support vector machines: f(x) = Σ αᵢ·K(sᵢ, x) + ρ, so that |Δf| ≤ |Σ αᵢ·∇K(sᵢ, ·)|·|Δx|:
 *
 *   LINEAR   K = ⟨s, x⟩             the norm of Σ αᵢsᵢ itself
 *   RBF      K = e^(−γ|s − x|²)     2γr·e^(−γr²) ≤ √(2γ/e), at r = 1/√(2γ)
 *   SIGMOID  K = tanh(γ⟨s, x⟩ + c)  |γ|·|s|
 *   POLY     K = (γ⟨s, x⟩ + c)^d    d·|γ|·|s|·(|γ|·|s|·|x| + |c|)^(d−1), on bounded x
 */
interface Machine {
  readonly kernel: string
  readonly gamma: number
  readonly shift: number
  readonly degree: number
  readonly vectors: readonly number[]
  /** Entries of one support vector. */
  readonly features: number
}

function machineOf(node: Node, supports: number): Machine {
  const [gamma = 0, shift = 0, degree = 3] = floatsAttribute(node, 'kernel_params', [])
  const vectors = floatsAttribute(node, 'support_vectors', [])
  const kernel = stringAttribute(node, 'kernel_type', 'LINEAR')
  return { kernel, gamma, shift, degree, vectors, features: supports > 0 ? vectors.length / supports : 0 }
}

function lengthOf(vector: readonly number[]): number {
  return sqrtUp(vector.reduce((sum, entry) => addUp(sum, mulUp(entry, entry)), 0))
}

/** The constant of Σ αᵢK(sᵢ, ·) over the given support vectors; null for kernels that have none. */
function slopeOf(
  { kernel, gamma, shift, degree, vectors, features }: Machine,
  supports: readonly { readonly at: number; readonly alpha: number }[],
  length: number,
): number | null {
  const vectorAt = (at: number) => vectors.slice(at * features, (at + 1) * features)
  if (kernel === 'LINEAR') {
    const total = new Float64Array(features)
    const sizes = new Float64Array(features)
    for (const { at, alpha } of supports)
      for (const [j, entry] of vectorAt(at).entries()) {
        total[j] += alpha * entry
        sizes[j] += Math.abs(alpha * entry)
      }
    const slack = (supports.length + 2) * 2 ** -52
    return lengthOf(Array.from(total, (entry, j) => Math.abs(entry) + slack * sizes[j]))
  }
  const slopes: Readonly<Record<string, (size: number) => number>> = {
    RBF: () => (gamma >= 0 ? up(Math.sqrt((2 * gamma) / Math.E)) : Infinity),
    SIGMOID: (size) => mulUp(Math.abs(gamma), size),
    POLY: (size) => {
      const steep = mulUp(Math.abs(gamma), size)
      if (!(degree >= 1) || !Number.isInteger(degree)) return Infinity
      return mulUp(mulUp(degree, steep), powerUp(up(mulUp(steep, length) + Math.abs(shift)), degree - 1))
    },
  }
  if (!Object.hasOwn(slopes, kernel)) return null
  return supports.reduce(
    (sum, { at, alpha }) => addUp(sum, mulUp(Math.abs(alpha), slopes[kernel](lengthOf(vectorAt(at))))),
    0,
  )
}

const noKernel = 'has a kernel that has no bound here; polynomials need --input-range'

const regressor: BoundRule = (context) => {
  const { node } = context
  const x = context.input(0)
  const transform = stringAttribute(node, 'post_transform', 'NONE')
  const count = intAttribute(node, 'n_supports', 0)
  const coefficients = floatsAttribute(node, 'coefficients', [])
  if (x === null) return [context.refuse('has no data')]
  if (intAttribute(node, 'one_class', 0) !== 0)
    return [context.refuse('decides for one class: discontinuous')]
  if (transform !== 'NONE') return [context.refuse(`has the post_transform ${transform}, which has no bound`)]
  const slope =
    count === 0
      ? lengthOf(coefficients)
      : slopeOf(
          machineOf(node, count),
          coefficients.slice(0, count).map((alpha, at) => ({ at, alpha })),
          x.norm,
        )
  return [slope === null || !(slope < Infinity) ? context.refuse(noKernel) : through(x, slope, everything)]
}

/**
 * Decision values of all pairs of classes i < j: the vectors of class i with the coefficients of row j − 1, those of class j
 * with row i. Side by side √Σ L²; a single one is written for both classes: √2.
 */
function decisions(context: BoundContext, length: number): number | null {
  const { node } = context
  const perClass = intsAttribute(node, 'vectors_per_class', [])
  const coefficients = floatsAttribute(node, 'coefficients', [])
  if (perClass.length === 0) return lengthOf(coefficients)
  const count = perClass.reduce((sum, size) => sum + size, 0)
  const machine = machineOf(node, count)
  const starts = perClass.map((_, i) => perClass.slice(0, i).reduce((sum, size) => sum + size, 0))
  const of = (own: number, row: number) =>
    Array.from({ length: perClass[own] }, (_, i) => ({
      at: starts[own] + i,
      alpha: coefficients[row * count + starts[own] + i] ?? Number.NaN,
    }))
  let squares = 0
  for (let i = 0; i < perClass.length; i++) {
    for (let j = i + 1; j < perClass.length; j++) {
      const slope = slopeOf(machine, [...of(i, j - 1), ...of(j, i)], length)
      if (slope === null) return null
      squares = addUp(squares, mulUp(slope, slope))
    }
  }
  return sqrtUp(squares)
}

/** The label jumps; scores that are decision values do not. */
const classifier: BoundRule = (context) => {
  const { node } = context
  const x = context.input(0)
  const label = context.refuse('is discontinuous')
  if (x === null) return [label, context.refuse('has no data')]
  if (floatsAttribute(node, 'prob_a', []).length > 0)
    return [label, context.refuse('couples the probabilities of its classes by an iteration')]
  const transform = stringAttribute(node, 'post_transform', 'NONE')
  if (transform !== 'NONE')
    return [label, context.refuse(`has the post_transform ${transform}, which has no bound`)]
  const slope = decisions(context, x.norm)
  if (slope === null || !(slope < Infinity)) return [label, context.refuse(noKernel)]
  return [label, through(x, mulUp(slope, sqrtUp(2)), everything)]
}

export const kernelMachineRules = {
  SVMRegressor: regressor,
  SVMClassifier: classifier,
} satisfies Record<string, BoundRule>
