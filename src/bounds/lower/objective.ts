import { calculusCost } from '../../calculus/cost.ts'
import { type Secant, secantBelow } from '../../calculus/motion/secant.ts'
import type { Network } from '../../calculus/network.ts'
import { type KinkedArray, type Trace, traceAt } from '../../calculus/trace.ts'
import { LipschitzError } from '../../core/errors.ts'
import type { NormName } from '../../core/norm-name.ts'
import { gaussianVector, type Random } from '../../core/random.ts'
import type { Value } from '../../graph/graph.ts'
import { lanczos } from '../../linalg/lanczos.ts'
import type { ComposedMap } from '../../ops/maps/composed.ts'
import { joinParts, lengthOf, splitParts } from './point.ts'

/** The network as a function of one vector, with a count of what it was asked. */
export interface Objective {
  readonly inputSize: number
  readonly inputSizes: readonly number[]
  /** Multiplications of one evaluation, about. */
  readonly cost: number
  /** Multiplications so far, about. */
  readonly spent: number
  /** Values and derivative; null where a value is not finite. */
  at(x: Float64Array): Local | null
  /** Values alone; null where one is not finite. */
  valueAt(x: Float64Array): Float64Array | null
  /** What |f(x) − f(y)| / |x − y| is at least in the norm, proven; why it cannot be. */
  prove(x: Float64Array, y: Float64Array, norm: NormName): Secant | Unproven
}

/** Why a difference is not proven. */
export interface Unproven {
  /** Nearer points may do. */
  readonly isFar: boolean
  readonly reason: string
  readonly node?: string
}

/** The network at one point. */
export interface Local {
  readonly x: Float64Array
  readonly value: Float64Array
  /** The Jacobian is the same at every point. */
  readonly isAffine: boolean
  /** J·v. */
  push(v: Float64Array): Float64Array
  /** Jᵀ·u. */
  pull(u: Float64Array): Float64Array
  /** How many elements in the network stand at the argument of a kinked function, over all its kinks. */
  readonly kinkCount: number
  /** Kink number `index`: how far its element is from it, and the gradient of that. */
  kink(index: number): { readonly distance: number; readonly gradient: Float64Array }
  /** On which side of its kinks each element stands: equal for points of the same cell. */
  pattern(): string
  /**
   * The gradient of uᵀJ(x)v where kinks are rounded over a distance of `width` times the usual size of what stands
   * there; null where nothing has a kink.
   */
  kinkSlope(u: Float64Array, v: Float64Array, width: number): Float64Array | null
}

/** What an evaluation costs at least, in multiplications: one of next to nothing would never use up a budget. */
const leastCost = 1000

/** A network between inputs and outputs whose sizes are known. Throws as `traceAt` does. */
export function createObjective(network: Network, inputSizes: readonly number[]): Objective {
  const inputSize = inputSizes.reduce((sum, size) => sum + size, 0)
  const cost = Math.max(calculusCost(network), inputSize, leastCost)
  let spent = 0
  const valueIn = (trace: Trace) => {
    const value = joinParts(trace.outputs.map(({ data }) => Float64Array.from(data)))
    return value.every(Number.isFinite) ? value : null
  }
  return {
    inputSize,
    inputSizes,
    cost,
    get spent() {
      return spent
    },
    at(x) {
      spent += cost
      const trace = traceAt(network, splitParts(x, inputSizes))
      // how often loops go around is not known beforehand
      spent += trace.bodyNodes * leastCost
      const value = valueIn(trace)
      if (value === null) return null
      const outputSizes = trace.outputs.map(({ data }) => data.length)
      const ahead = new Map<Value, ComposedMap>()
      const aheadOf = (value: Value) => {
        const known = ahead.get(value) ?? trace.derivative(network.inputs, [value])
        ahead.set(value, known)
        return known
      }
      return {
        x,
        value,
        // what varies is affine node by node, and in no body
        isAffine: trace.bodyNodes === 0 && [...network.affine.values()].every((node) => node !== null),
        kinkCount: trace.kinked.reduce((sum, { data, kinks }) => sum + data.length * kinks.length, 0),
        kink(index) {
          const { array, element, at } = kinkAt(trace.kinked, index)
          const change = new Float64Array(array.data.length)
          change[element] = 1
          spent += cost
          const parts = aheadOf(array.value).applyAdjoint([change])
          return { distance: array.data[element] - at, gradient: joined(parts, inputSizes) }
        },
        pattern: () => patternOf(trace.kinked),
        kinkSlope: (u, v, width) => {
          spent += 3 * cost
          const parts = { u: splitParts(u, outputSizes), v: splitParts(v, inputSizes) }
          const slope = kinkSlope(network, trace, parts, width)
          return slope && joined(slope, inputSizes)
        },
        push(v) {
          spent += cost
          return joined(trace.jacobian.apply(splitParts(v, inputSizes)), outputSizes)
        },
        pull(u) {
          spent += cost
          return joined(trace.jacobian.applyAdjoint(splitParts(u, outputSizes)), inputSizes)
        },
      }
    },
    valueAt(x) {
      spent += cost
      return valueIn(traceAt(network, splitParts(x, inputSizes)))
    },
    prove(x, y, norm) {
      spent += proofCost * cost
      const [from, to] = [x, y].map((point) => splitParts(point, inputSizes))
      try {
        return secantBelow(network, from, to, norm)
      } catch (error) {
        if (!(error instanceof LipschitzError) || error.code === 'interrupted') throw error
        const isFar = error.code === 'limit'
        return {
          isFar,
          reason: error.message,
          ...(error.facts.node !== undefined && { node: error.facts.node }),
        }
      }
    },
  }
}

/** Evaluations that enclosing a difference takes. */
const proofCost = 8

/**
 * With slopes d of kinked elements at z, uᵀJv changes with d by (adjoint at their results)·(tangent at z); d rises by
 * the jump over the rounded kink, at a rate that falls off with the distance from it.
 */
function kinkSlope(
  { inputs, outputs }: Pick<Network, 'inputs' | 'outputs'>,
  trace: Trace,
  { u, v }: { u: readonly Float64Array[]; v: readonly Float64Array[] },
  width: number,
): readonly (Float64Array | null)[] | null {
  const { kinked } = trace
  if (kinked.length === 0) return null
  const { gains, ahead } = kinkGains({ inputs, outputs }, trace, u, v)
  const weights = kinked.map(({ data, kinks }, i) => {
    const usual = width * (lengthOf(Float64Array.from(data)) / Math.sqrt(data.length)) || 1
    return gains[i].map((gain, k) => {
      let rate = 0
      for (const kink of kinks) {
        const away = (data[k] - kink) / usual
        rate += 1 / (1 + away * away) / usual
      }
      return gain * rate
    })
  })
  return ahead.applyAdjoint(weights)
}

/** For each kinked element what a rise of its slope makes of uᵀJv, and the way from the inputs to all of them. */
function kinkGains(
  { inputs, outputs }: Pick<Network, 'inputs' | 'outputs'>,
  trace: Trace,
  u: readonly Float64Array[],
  v: readonly Float64Array[],
): { gains: Float64Array[]; ahead: ComposedMap } {
  const { kinked } = trace
  const ahead = trace.derivative(
    inputs,
    kinked.map(({ value }) => value),
  )
  const behind = trace.derivative(
    kinked.map(({ result }) => result),
    outputs,
  )
  const [tangents, adjoints] = [ahead.apply(v), behind.applyAdjoint(u)]
  const gains = kinked.map(({ data }, i) => {
    const [tangent, adjoint] = [tangents[i], adjoints[i]]
    return Float64Array.from(data, (_, k) =>
      tangent === null || adjoint === null ? 0 : tangent[k] * adjoint[k],
    )
  })
  return { gains, ahead }
}

/** Sixteen sides in a character. */
function patternOf(kinked: readonly KinkedArray[]): string {
  const codes: number[] = []
  let [code, bits] = [0, 0]
  for (const { data, kinks } of kinked) {
    for (const kink of kinks) {
      for (let i = 0; i < data.length; i++) {
        code = code * 2 + (data[i] > kink ? 1 : 0)
        if (++bits < 16) continue
        codes.push(code)
        ;[code, bits] = [0, 0]
      }
    }
  }
  return String.fromCharCode(...codes, code)
}

function kinkAt(
  kinked: readonly KinkedArray[],
  index: number,
): { array: KinkedArray; element: number; at: number } {
  let rest = index
  for (const array of kinked) {
    const count = array.data.length * array.kinks.length
    if (rest < count) {
      const element = rest % array.data.length
      return { array, element, at: array.kinks[Math.floor(rest / array.data.length)] }
    }
    rest -= count
  }
  throw new RangeError(`there is no kink ${index}`)
}

function joined(parts: readonly (Float64Array | null)[], sizes: readonly number[]): Float64Array {
  return joinParts(parts.map((part, i) => part ?? new Float64Array(sizes[i])))
}

/** σ ≤ ‖J‖₂ with unit vectors: J·v = σ·u up to rounding in the first. */
export interface Singular {
  readonly sigma: number
  /** In the inputs' space. */
  readonly right: Float64Array
  /** In the outputs' space. */
  readonly left: Float64Array
}

/**
 * The norm of the Jacobian from below: the largest Ritz value of Lanczos on the smaller of JᵀJ and JJᵀ, then one
 * product more, so that σ = |J·v| for a unit vector v. Null where J is zero or not finite. `start` is in the
 * inputs' space. Cost: two products for each step.
 */
export function jacobianNorm(
  local: Local,
  steps: number,
  random: Random,
  start?: Float64Array,
): Singular | null {
  const { x, value } = local
  const inOutputs = value.length < x.length
  const multiply = inOutputs
    ? (u: Float64Array) => local.push(local.pull(u))
    : (v: Float64Array) => local.pull(local.push(v))
  const right =
    x.length === 1 || value.length === 1
      ? oneSided(local)
      : topVector(multiply, firstVector(local, inOutputs, random, start), steps)
  if (right === null) return null
  const vector = inOutputs && value.length > 1 ? local.pull(right) : right
  const length = lengthOf(vector)
  if (!(length > 0 && length < Infinity)) return null
  const unit = vector.map((entry) => entry / length)
  const image = local.push(unit)
  const sigma = lengthOf(image)
  if (!(sigma > 0 && sigma < Infinity)) return null
  return { sigma, right: unit, left: image.map((entry) => entry / sigma) }
}

/** With one input or output there is one direction. */
function oneSided(local: Local): Float64Array {
  return local.value.length === 1 ? local.pull(Float64Array.of(1)) : Float64Array.of(1)
}

function firstVector(local: Local, inOutputs: boolean, random: Random, start?: Float64Array): Float64Array {
  const size = inOutputs ? local.value.length : local.x.length
  const given = start === undefined ? null : inOutputs ? local.push(start) : start
  const length = given === null ? 0 : lengthOf(given)
  const noise = gaussianVector(size, random)
  if (given === null || length === 0) return noise
  const share = 0.05 / Math.sqrt(size)
  return noise.map((entry, i) => given[i] / length + share * entry)
}

/** Products that are longer would overflow when they are squared. */
const longest = 1e140

/** Steps after which the value no longer grew by this are the last. */
const settled = 1e-7

function topVector(
  multiply: (v: Float64Array) => Float64Array,
  start: Float64Array,
  steps: number,
): Float64Array | null {
  const process = lanczos(start, 0)
  let before = 0
  for (let step = 0; step < steps && !process.exhausted; step++) {
    const product = multiply(process.direction)
    const length = lengthOf(product)
    if (!(length < longest)) return null
    process.step(product)
    if (process.ritzValue === 0) return null
    if (process.ritzValue - before < settled * process.ritzValue) break
    before = process.ritzValue
  }
  const vector = new Float64Array(start.length)
  process.ritzVector(vector)
  return vector
}
