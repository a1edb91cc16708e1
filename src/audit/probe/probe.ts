import {
  type Ball,
  heldTensors,
  isObstacle,
  type LowerBound,
  lowerBound,
  sizeOfInput,
} from '../../bounds/lower/lower-bound.ts'
import { createObjective, jacobianNorm, type Objective } from '../../bounds/lower/objective.ts'
import { joinParts } from '../../bounds/lower/point.ts'
import { ballRegion, boxRegion, type Region } from '../../bounds/lower/region.ts'
import { encloseAt } from '../../calculus/motion/enclosure.ts'
import { createNetwork } from '../../calculus/network.ts'
import { traceAt } from '../../calculus/trace.ts'
import { LipschitzError } from '../../core/errors.ts'
import { createRandom, gaussianVector } from '../../core/random.ts'
import { addDown } from '../../core/rounding.ts'
import type { Tensor } from '../../core/tensor.ts'
import { toolName, toolVersion } from '../../core/version.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import { describeDomain } from '../domain.ts'
import { trustIn } from '../lipschitz.ts'
import { upperOf } from '../lower.ts'
import { type AuditOptions, defaults } from '../options.ts'
import { type Proof, proveBounds } from '../proof.ts'
import { certifiedRadius } from './certified-radius.ts'
import { gradientStatistic } from './gradient.ts'
import type { Answer, PointReport, ProbeResult, StoredWitness } from './probe-result.ts'

/** What is asked beside what an audit is asked. */
export interface ProbeOptions extends AuditOptions {
  /** A point: how it was named, and its elements by input. Other inputs that it has are held at what it says. */
  readonly around?: { readonly name: string; readonly elements: ReadonlyMap<string, NumberArray> }
  /** Searches within this distance of the point alone. */
  readonly radius?: number
  readonly radiusNorm?: 'l2' | 'linf'
  /** Samples of the one audited input. */
  readonly samples?: readonly Float64Array[]
}

interface NumberArray {
  readonly dims: readonly number[]
  readonly data: Float64Array
}

/** Seeded samples where none are given. */
const seededSamples = 32

/** What a probe found, and the points that prove its lower bound. */
export interface Probe {
  readonly result: ProbeResult
  readonly witness: StoredWitness | null
}

/**
 * Looks at a network from below: the best lower bound of its constant over the domain with the points that prove it,
 * the Jacobian and the certified radius at a point, and the statistic that a gradient penalty is made of. What cannot
 * be computed has its reason in the result. Throws `usage` for options that contradict one another.
 */
export async function probe(typed: TypedGraph, options: ProbeOptions): Promise<Probe> {
  const { around, radius, radiusNorm = 'l2', seed = defaults.seed, effort = defaults.effort } = options
  if (radius !== undefined && around === undefined)
    throw new LipschitzError('usage', 'a radius needs a point', { hint: 'give it with --around' })
  const domain =
    around === undefined || radius === undefined
      ? {}
      : { ball: { name: around.name, read: () => around.elements, radius, norm: radiusNorm } }
  const proof = await proveBounds(typed, { ...options, ...domain })
  const { selected } = proof.bounds
  const center =
    around && selected.inputs.map(({ name }) => around.elements.get(name)?.data ?? new Float64Array())
  const ball: Ball | undefined =
    center === undefined || radius === undefined ? undefined : { center, radius, norm: radiusNorm }
  const held = heldAt(typed, proof, around?.elements)
  const lower = lowerBound(typed, selected, {
    effort,
    seed,
    ranges: proof.box,
    ball,
    held,
    points: center === undefined ? [] : [center],
    upper: upperOf(proof.bounds),
  })
  const { model } = typed
  const named = { path: model.path, sha256: model.sha256 }
  const result: ProbeResult = {
    schemaVersion: 1,
    tool: { name: toolName, version: toolVersion },
    model: named,
    norm: 'l2',
    domain: describeDomain(proof.box, domain.ball),
    inputs: selected.inputs.map((input) => ({
      name: input.name,
      shape: (typed.operand(input).shape ?? []) as number[],
    })),
    outputs: selected.outputs.map(({ name }) => name),
    lower: isObstacle(lower)
      ? lower
      : {
          value: lower.value,
          log10: Math.log10(lower.value),
          method: 'jacobian',
          certificate: lower.certificate,
          unproven: lower.unproven,
          jacobian: lower.sigma,
          looks: lower.looks,
        },
    point:
      around === undefined || center === undefined
        ? null
        : answer(() => pointReport(typed, proof, around.name, center, held)),
    gradient: answer(() => statistic(typed, proof, options, held, ball)),
  }
  return { result, witness: isObstacle(lower) ? null : witnessOf(typed, proof, lower, named) }
}

/** The result, or the reason why a network cannot be followed. */
function answer<T>(compute: () => Answer<T>): Answer<T> {
  try {
    return compute()
  } catch (error) {
    if (!(error instanceof LipschitzError)) throw error
    return { reason: error.message, ...(error.facts.node === undefined ? {} : { node: error.facts.node }) }
  }
}

/** Inputs that are held, at what the point says of them. */
function heldAt(
  typed: TypedGraph,
  { bounds: { selected } }: Proof,
  elements: ReadonlyMap<string, NumberArray> = new Map(),
): Map<string, Tensor> {
  return new Map(
    selected.held.flatMap((input): [string, Tensor][] => {
      const given = elements.get(input.name)
      const { type } = typed.operand(input)
      return given === undefined || type === null ? [] : [[input.name, { type, ...given }]]
    }),
  )
}

function objectiveOf(
  typed: TypedGraph,
  { bounds: { selected } }: Proof,
  held: ReadonlyMap<string, Tensor>,
): Objective {
  const { inputs, outputs } = selected
  const network = createNetwork(typed, inputs, outputs, heldTensors(typed, selected, { held }, 0))
  return createObjective(
    network,
    inputs.map((input) => sizeOfInput(typed, input)),
  )
}

/** Steps of Lanczos at the point that is asked for. */
const pointSteps = 100

function pointReport(
  typed: TypedGraph,
  proof: Proof,
  around: string,
  center: readonly Float64Array[],
  held: ReadonlyMap<string, Tensor>,
): Answer<PointReport> {
  const { selected } = proof.bounds
  const random = createRandom(0)
  const normTo = (outputs: typeof selected.outputs) => {
    const part = { ...proof, bounds: { ...proof.bounds, selected: { ...selected, outputs } } }
    const local = objectiveOf(typed, part, held).at(joinParts(center))
    return local === null ? null : (jacobianNorm(local, pointSteps, random)?.sigma ?? 0)
  }
  const jacobian = normTo(selected.outputs)
  if (jacobian === null) return { reason: 'the network has no finite value at the point' }
  const outputs = selected.outputs.map((output) => ({ name: output.name, jacobian: normTo([output]) ?? 0 }))
  const network = createNetwork(
    typed,
    selected.inputs,
    selected.outputs,
    heldTensors(typed, selected, { held }, 0),
  )
  const radius = answer(() =>
    certifiedRadius({
      typed,
      bounds: proof.bounds,
      trust: trustIn(proof.measured),
      trace: traceAt(network, center),
      enclose: (value) => encloseAt(createNetwork(typed, selected.inputs, [value], network.held), center)[0],
      domainRadius: roomAround(proof, center),
    }),
  )
  return { around, jacobian, outputs, certifiedRadius: radius }
}

/** All inputs within that distance of the point are in the domain of the bounds; 0 outside. */
function roomAround({ box, ball, bounds: { selected } }: Proof, center: readonly Float64Array[]): number {
  if (ball !== null) return ball.radius
  let room = Infinity
  selected.inputs.forEach(({ name }, i) => {
    const interval = box.get(name)
    if (interval === undefined) return
    for (const x of center[i]) room = Math.min(room, addDown(x, -interval.lo), addDown(interval.hi, -x))
  })
  return Math.max(room, 0)
}

function statistic(
  typed: TypedGraph,
  proof: Proof,
  options: ProbeOptions,
  held: ReadonlyMap<string, Tensor>,
  ball: Ball | undefined,
) {
  const objective = objectiveOf(typed, proof, held)
  const random = createRandom(options.seed ?? defaults.seed)
  const samples = options.samples ?? seeded(regionOf(proof, objective, ball), objective.inputSize, random)
  const found = gradientStatistic(
    objective,
    samples,
    options.samples === undefined ? 'seeded' : 'file',
    random,
  )
  return found ?? { reason: 'the network has no finite value at any sample' }
}

function regionOf(
  { box, bounds: { selected } }: Proof,
  { inputSizes }: Objective,
  ball: Ball | undefined,
): Region {
  if (ball !== undefined) return ballRegion(joinParts(ball.center), ball.radius, ball.norm)
  return boxRegion(
    inputSizes,
    selected.inputs.map(({ name }) => box.get(name) ?? null),
  )
}

/** Standard normal where nothing bounds the inputs, else random points of the domain. */
function seeded(region: Region, size: number, random: ReturnType<typeof createRandom>): Float64Array[] {
  return Array.from({ length: seededSamples }, (_, i) => {
    const isBounded = region
      .project(new Float64Array(size).fill(Number.MAX_VALUE))
      .every((x) => x < Number.MAX_VALUE)
    return isBounded ? region.start(3 * i + 1, random) : region.project(gaussianVector(size, random))
  })
}

function witnessOf(
  typed: TypedGraph,
  { bounds: { selected } }: Proof,
  { x, y, value }: LowerBound,
  model: StoredWitness['model'],
): StoredWitness {
  return {
    model,
    norm: 'l2',
    value,
    inputs: selected.inputs.map((input, i) => ({
      name: input.name,
      dims: (typed.operand(input).shape ?? []) as number[],
      x: x[i],
      y: y[i],
    })),
  }
}
