/**
 * Holds the bound that is claimed for a model against what onnxruntime computes: for every output, and for all
 * together, pairs of points are searched that the network drives apart the most.
 */
import type { Tensor } from 'onnxruntime-node'
import { climbFurther } from '../../../src/bounds/further-rungs.ts'
import { type BoundOptions, boundNetwork, type NetworkBounds } from '../../../src/bounds/network-bounds.ts'
import { usefulMerges } from '../../../src/bounds/useful-merges.ts'
import * as mag from '../../../src/core/magnitude.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { layersOf } from '../../../src/infer/layers.ts'
import type { TypedGraph } from '../../../src/infer/typed-graph.ts'
import { measureLayers } from '../../../src/norms/measure.ts'
import type { Interval, TensorBound } from '../../../src/ops/bound.ts'
import { steepestPair } from './adversary.ts'
import { feed, type Network, openNetwork, type VaryingInput } from './network.ts'

/** Elements of an input to start from, or to hold it fixed at. */
export interface Sample {
  readonly dims: readonly number[]
  readonly data: ArrayLike<number>
}

export interface JudgeOptions {
  /** By input name. */
  readonly samples?: ReadonlyMap<string, Sample>
  /** Every audited input lies in this box, and the claim may use it. */
  readonly box?: readonly [number, number]
  /** Runs of the network to spend on each output. */
  readonly runs?: number
  readonly seed?: number
  readonly inputs?: readonly string[]
  /** Also holds ranges and lengths of outputs against what was seen: not for networks in which rounding cancels. */
  readonly ranges?: boolean
  /** Length of dimensions that the claim leaves open. */
  readonly openLength?: number
}

export interface Verdict {
  /** '*' for all outputs together. */
  readonly output: string
  /** Infinity where it is refused. */
  readonly claimed: number
  readonly offset: number
  readonly measured: number
  readonly refusal: string | null
  /** Where all elements are claimed to lie, and how long they are together. */
  readonly range: Interval
  readonly norm: number
  /** False where a pair of points is further apart than claimed, or, where asked for, an element lies outside of its range. */
  readonly holds: boolean
}

export interface Judgement {
  readonly verdicts: readonly Verdict[]
  /** Why nothing was measured, where nothing was. */
  readonly skipped: string | null
}

/** What measuring may be off by: rounding of steps, and of sums that are longer than most. */
const tolerance = 1e-3

export async function judgeModel(path: string, options: JudgeOptions = {}): Promise<Judgement> {
  const { samples = new Map<string, Sample>() } = options
  const inputShapes = new Map(Array.from(samples, ([name, { dims }]) => [name, dims]))
  const model = readModel(path)
  const known = new Map([...inputShapes].filter(([name]) => model.graph.inputs.some((i) => i.name === name)))
  const typed = inferModel(model, { inputShapes: known })
  const bounds = await boundsOf(typed, options)
  const claims = claimsOf(bounds)
  if (claims.every(({ claimed }) => claimed === Infinity)) return { verdicts: claims, skipped: null }
  const network = await open(typed, bounds, path, options)
  if (typeof network === 'string') return { verdicts: claims, skipped: network }
  try {
    return { verdicts: await measure(network, claims, options), skipped: null }
  } catch (error) {
    return { verdicts: claims, skipped: `does not run: ${(error as Error).message.slice(0, 100)}` }
  } finally {
    await network.network.release()
  }
}

async function boundsOf(typed: TypedGraph, { box, inputs }: JudgeOptions): Promise<NetworkBounds> {
  const names = typed.graph.inputs.map(({ name }) => name)
  const options: BoundOptions = {
    inputs: inputs ?? null,
    outputs: null,
    ...(box !== undefined && {
      inputRanges: new Map(names.map((name) => [name, { lo: box[0], hi: box[1] }])),
    }),
  }
  const merged = usefulMerges(typed, options)
  const norms = await measureLayers([...layersOf(typed), ...merged], {
    tolerance: 1e-3,
    certify: 'probabilistic',
    seed: 0,
    threads: 1,
    failureProbability: 1e-10,
  })
  const known = {
    spectral: (key: string) => norms.get(key)?.spectral?.upper ?? 'has a weight that is not finite',
    frobenius: (key: string) => norms.get(key)?.frobenius.operator ?? 'has a size that is not known',
  }
  const base = boundNetwork(typed, known, { ...options, merged })
  return climbFurther(typed, known, base, { ...options, merged, bound: 'best' })
}

/** Whether no element was seen outside of the range, and no output longer than the norm, but for rounding. */
function covers({ range, norm }: Claim, seen: Interval & { readonly norm: number }): boolean {
  if (seen.norm > norm * (1 + tolerance) + 1e-4) return false
  const rounding = 1e-4 * (1 + Math.min(Math.abs(seen.lo), Math.abs(seen.hi)))
  return !(seen.lo < range.lo - rounding) && !(seen.hi > range.hi + rounding)
}

/** Elements of the input times runs, for large inputs. */
const largeEffort = 3e7

interface Claim extends Verdict {
  /** Positions among the outputs. */
  readonly outputs: readonly number[]
}

function claimsOf({ best, selected }: NetworkBounds): Claim[] {
  const all = selected.outputs.map((_, i) => i)
  const single = all.map((i) => claimOf(selected.outputs[i].name, best.outputs[i], [i]))
  return single.length === 1 ? single : [...single, claimOf('*', best.joint, all)]
}

function claimOf(output: string, bound: TensorBound, outputs: readonly number[]): Claim {
  const { refusal } = bound
  const value = (term: TensorBound['lipschitz']) => (refusal === null ? mag.toNumber(term.value) : Infinity)
  return {
    output,
    claimed: value(bound.lipschitz),
    offset: value(bound.offset),
    measured: 0,
    range: bound.range,
    norm: bound.norm,
    refusal: refusal && `${refusal.op} ${refusal.node}: ${refusal.reason}`,
    holds: true,
    outputs,
  }
}

interface Opened {
  readonly network: Network
  readonly samples: readonly Float64Array[]
}

async function open(
  typed: TypedGraph,
  { selected }: NetworkBounds,
  path: string,
  { samples = new Map(), openLength = 3, box }: JudgeOptions,
): Promise<Opened | string> {
  const varying: VaryingInput[] = []
  const fixed: Record<string, Tensor> = {}
  for (const input of typed.graph.inputs) {
    const { type, shape, isConstant } = typed.operand(input)
    if (isConstant) continue
    const sample = samples.get(input.name) ?? null
    if (shape === null && sample === null) return `input '${input.name}' has no shape`
    const dims = sample?.dims ?? (shape as readonly (number | null)[]).map((dim) => dim ?? openLength)
    const size = dims.reduce((product, dim) => product * dim, 1)
    const values = sample === null ? new Float64Array(size) : Float64Array.from(sample.data)
    if (!selected.inputs.includes(input)) {
      const tensor = type === null ? null : feed(type, values, dims)
      if (tensor === null) return `input '${input.name}' of type ${type} is not fed here`
      fixed[input.name] = tensor
    } else if (type === 'float32' || type === 'float64') {
      varying.push({ name: input.name, type, dims, sample: sample && values })
    } else return `input '${input.name}' of type ${type} is not varied here`
  }
  const names = selected.outputs.map((output) => output.name)
  const known = varying.every(({ sample }) => sample !== null)
  const start = known ? varying.flatMap(({ sample }) => Array.from(sample as Float64Array)) : null
  try {
    const network = await openNetwork(path, varying, fixed, names)
    if (network.size === 0) return 'has nothing to vary'
    const results = await network.run(new Float64Array(network.size).fill(box === undefined ? 0.5 : box[0]))
    if (!network.isReal) return 'has outputs of a type that is not compared here'
    if (results.every((result) => result.length === 0)) return 'has no numbers in its outputs'
    return { network, samples: start === null ? [] : [Float64Array.from(start)] }
  } catch (error) {
    return `does not run: ${(error as Error).message.replaceAll('\n', ' ').slice(0, 100)}`
  }
}

async function measure(
  { network, samples }: Opened,
  claims: readonly Claim[],
  { runs = 1500, seed = 1, box, ranges = false }: JudgeOptions,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  for (const claim of claims) {
    if (claim.claimed === Infinity) {
      verdicts.push(claim)
      continue
    }
    const { offset, outputs } = claim
    const witness = await steepestPair(network, {
      seed,
      runs: Math.min(runs, Math.max(40, largeEffort / network.size)),
      samples,
      offset,
      claimed: claim.claimed,
      outputs,
      box: box ?? null,
    })
    const inside = !ranges || outputs.length !== 1 || covers(claim, network.extremes[outputs[0]])
    const holds = inside && witness.slope <= claim.claimed * (1 + tolerance)
    verdicts.push({ ...claim, measured: witness.slope, holds })
  }
  return verdicts
}
