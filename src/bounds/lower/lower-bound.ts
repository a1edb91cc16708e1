import { nodeWithoutEnclosure } from '../../calculus/motion/enclosure.ts'
import { createNetwork } from '../../calculus/network.ts'
import { LipschitzError } from '../../core/errors.ts'
import type { NormName } from '../../core/norm-name.ts'
import { isFloatType, sizeOf, type Tensor } from '../../core/tensor.ts'
import type { Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import type { Interval } from '../../ops/bound.ts'
import type { Effort } from '../effort.ts'
import type { Selected } from '../selection.ts'
import { measures } from './measure.ts'
import type { Unproven } from './objective.ts'
import { createObjective, type Objective } from './objective.ts'
import { joinParts, type Parts, splitParts } from './point.ts'
import { ballRegion, boxRegion, type Region } from './region.ts'
import { type Found, searchLower } from './search.ts'

/** Points of all audited inputs within a distance of one. */
export interface Ball {
  /** Aligned with the audited inputs. */
  readonly center: Parts
  readonly radius: number
  readonly norm: 'l2' | 'linf'
}

export interface LowerOptions {
  readonly effort: Effort
  readonly seed: number
  /** The box, by name of input; inputs without an interval are not bounded. */
  readonly ranges: ReadonlyMap<string, Interval>
  /** The ball in whose place the box stands otherwise. */
  readonly ball?: Ball
  /** Points to begin with. */
  readonly points?: readonly Parts[]
  /** What inputs that are held are held at, by name; zeros by default. */
  readonly held?: ReadonlyMap<string, Tensor>
  /** A proven upper bound: what comes near it is enough. */
  readonly upper?: number
  /** Gives nothing where nothing can be proven. */
  readonly provenOnly?: boolean
  /** The norm on both sides; ℓ2 unless given. */
  readonly norm?: NormName
  readonly expired?: () => boolean
}

/** A lower bound with the two points that it follows from. */
export interface LowerBound {
  readonly value: number
  /** Null where the quotient of the points is not proven, but only evaluated. */
  readonly certificate: 'deterministic' | null
  readonly unproven: Omit<Unproven, 'isFar'> | null
  /** The same of each selected output alone, by the same points; empty where it is not proven. */
  readonly outputs: readonly number[]
  /** ‖J‖₂ at `point`, of which `value` falls short by what rounding may add. */
  readonly sigma: number
  readonly point: Parts
  readonly x: Parts
  readonly y: Parts
  /** Points whose Jacobians were looked at. */
  readonly looks: number
}

/** Why there is none. */
export interface LowerObstacle {
  readonly reason: string
  readonly node?: string
}

/** A lower bound that is so near the upper one ends the search. */
const nearly = 0.9999

/** Multiplications, about: tenths of a second where effort is normal, a few seconds where it is high. */
const budgets: Readonly<Record<Effort, number>> = { fast: 4e6, normal: 2e7, high: 3e9 }

/** Multiplications where one point alone is looked at, and evaluations that this takes. */
const single: Readonly<Record<Effort, number>> = { fast: 0, normal: 3e8, high: 5e10 }
const evaluationsOfOne = 20

/** Evaluations without which there is no search, and what they may take at the most. */
const fewest = 120
const most: Readonly<Record<Effort, number>> = { fast: 2e7, normal: 1e8, high: 6e9 }

/**
 * A lower bound of the Lipschitz constant over the domain: two points x and y of it and |f(x) − f(y)| / |x − y|,
 * found where the Jacobian is long. Inputs that are not audited are held. An obstacle where a node on the way has no
 * derivative, a size is not known, or a single evaluation is beyond the effort.
 */
export function lowerBound(
  typed: TypedGraph,
  selected: Selected,
  options: LowerOptions,
): LowerBound | LowerObstacle {
  try {
    for (const filling of [0, 1]) {
      const held = heldTensors(typed, selected, options, filling)
      const found = search(typed, selected, options, held)
      // Ids and masks of zeros may leave nothing to compute: then ones.
      if (found !== null || held.size === 0)
        return found ?? { reason: 'no input with a derivative was found' }
    }
    return { reason: 'no input with a derivative was found' }
  } catch (error) {
    // Arrays that are larger than there is memory for.
    if (error instanceof RangeError) return { reason: `its values do not fit into memory: ${error.message}` }
    if (!(error instanceof LipschitzError) || error.code === 'interrupted') throw error
    return { reason: error.message, ...(error.facts.node === undefined ? {} : { node: error.facts.node }) }
  }
}

export function isObstacle(lower: LowerBound | LowerObstacle): lower is LowerObstacle {
  return 'reason' in lower
}

function search(
  typed: TypedGraph,
  selected: Selected,
  options: LowerOptions,
  held: ReadonlyMap<Value, Tensor>,
): LowerBound | LowerObstacle | null {
  const { inputs } = selected
  if (inputs.length === 0 || selected.outputs.length === 0) return { reason: 'nothing varies' }
  const sizes = inputs.map((input) => sizeOfInput(typed, input))
  const network = createNetwork(typed, inputs, selected.outputs, held)
  const open = options.provenOnly === true ? nodeWithoutEnclosure(network) : null
  if (open !== null)
    return {
      reason: `${open.op} is not known to be enclosed, so that nothing would be proven`,
      node: open.name,
    }
  const objective = createObjective(network, sizes)
  const budget = Math.max(budgets[options.effort], Math.min(fewest * objective.cost, most[options.effort]))
  const isSingle = objective.cost * 12 > budget
  if (isSingle && !(objective.cost * evaluationsOfOne <= single[options.effort]))
    return {
      reason: `an evaluation takes ${objective.cost.toExponential(0)} multiplications, too many for this effort`,
    }
  const found = searchLower(objective, regionOf(selected, sizes, options), {
    seed: options.seed,
    measure: measures[options.norm ?? 'l2'],
    isSingle,
    provenOnly: options.provenOnly,
    enough: nearly * (options.upper ?? Infinity),
    budget,
    points: options.points?.map(joinParts),
    expired: options.expired,
  })
  return found && described(found, objective)
}

function described({ witness, point, sigma, looks }: Found, { inputSizes }: Objective): LowerBound {
  const parts = (vector: Float64Array) => splitParts(vector, inputSizes)
  const { value, unproven, outputs } = witness
  const certificate = unproven === null ? 'deterministic' : null
  return {
    value,
    certificate,
    unproven,
    outputs,
    sigma,
    point: parts(point),
    x: parts(witness.x),
    y: parts(witness.y),
    looks,
  }
}

function regionOf({ inputs }: Selected, sizes: readonly number[], { ball, ranges }: LowerOptions): Region {
  if (ball !== undefined) return ballRegion(joinParts(ball.center), ball.radius, ball.norm)
  return boxRegion(
    sizes,
    inputs.map(({ name }) => ranges.get(name) ?? null),
  )
}

/** Elements of an audited input. Throws `unsupported` where a dimension is not known. */
export function sizeOfInput(typed: TypedGraph, input: Value): number {
  const { shape } = typed.operand(input)
  const size = shape === null ? null : sizeOf(shape)
  if (size !== null) return size
  throw new LipschitzError('unsupported', `the shape of input '${input.name}' is not known`, {
    tensor: input.name,
    hint: `give it with --input-shape ${input.name}=…`,
  })
}

/** What is not audited, at what is given or at the filling number. Those of an unknown shape have no value. */
export function heldTensors(
  typed: TypedGraph,
  { held }: Selected,
  options: Pick<LowerOptions, 'held'>,
  filling: number,
): Map<Value, Tensor> {
  const tensors = new Map<Value, Tensor>()
  for (const value of held) {
    const { type, shape } = typed.operand(value)
    const size = shape === null ? null : sizeOf(shape)
    const given = options.held?.get(value.name)
    if (given !== undefined) tensors.set(value, given)
    else if (type !== null && size !== null && type !== 'string')
      tensors.set(value, {
        type,
        dims: shape as readonly number[],
        data: new Float64Array(size).fill(isFloatType(type) ? 0 : filling),
      })
  }
  return tensors
}
