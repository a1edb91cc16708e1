import { availableParallelism } from 'node:os'
import { type Ball, intervalsOf } from '../bounds/ball.ts'
import { boundNetwork, type LayerNorms, type NetworkBounds, withoutBounds } from '../bounds/network-bounds.ts'
import { type Selection, select } from '../bounds/selection.ts'
import { usefulMerges } from '../bounds/useful-merges.ts'
import { LipschitzError } from '../core/errors.ts'
import { attempt, createStop, type StopReason } from '../core/stop.ts'
import { layersOf, type PlacedLayer } from '../infer/layers.ts'
import type { MergedLayer } from '../infer/merged-layers.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { type KeyedLayer, measureLayers } from '../norms/measure.ts'
import type { LayerMeasurement } from '../norms/measurement.ts'
import type { Interval } from '../ops/bound.ts'
import { ballOf } from './ball.ts'
import { boxOf } from './domain.ts'
import type { MeasuredLayer } from './measured-layer.ts'
import { type AuditOptions, defaults, type RunOptions } from './options.ts'
import { unlessOutOfMemory } from './out-of-memory.ts'
import { notAudited, untilWhen } from './unfinished.ts'

/** Relative error that computing a Frobenius norm may make, with room. */
const frobeniusError = 2 ** -30

/** Nodes that take a noticeable time to walk. */
const MANY_NODES = 1000

/** What is proven of a model, before it is told. */
export interface Proof {
  /** The domain, by name of input. */
  readonly box: ReadonlyMap<string, Interval>
  /** The ball that is the domain, held by that box; null where it is the box. */
  readonly ball: Ball | null
  /** The model's own layers. */
  readonly layers: readonly MeasuredLayer[]
  /** These and the merged ones that bounds rest on. */
  readonly measured: readonly MeasuredLayer[]
  readonly bounds: NetworkBounds
  /** Why the bounds are not those of all methods: there was no more time. */
  readonly unfinished: StopReason | null
}

/** What is measured of a model, for which question. */
export interface ChosenLayers {
  readonly selection: Selection
  readonly box: Proof['box']
  readonly ball: Ball | null
  readonly placed: readonly PlacedLayer[]
  /** Merged layers that bounds may rest on. */
  readonly candidates: readonly MergedLayer[]
}

export async function chooseLayers(
  typed: TypedGraph,
  options: AuditOptions,
  { stop }: RunOptions,
): Promise<ChosenLayers> {
  const selection = { inputs: options.inputs ?? null, outputs: options.outputs ?? null }
  const selected = select(typed, selection)
  if (options.ball !== undefined && (options.inputRanges?.length ?? 0) > 0) throw twoDomains()
  const ball = options.ball === undefined ? null : ballOf(typed, selected, options.ball)
  const box = ball === null ? boxOf(typed.graph.inputs, selected, options.inputRanges) : intervalsOf(ball)
  const isLong = typed.graph.nodes.length >= MANY_NODES
  const merges = await attempt(stop, () => usefulMerges(typed, { ...selection, inputRanges: box }), {
    isLong,
  })
  return {
    selection,
    box,
    ball,
    placed: layersOf(typed),
    candidates: merges.reason === null ? merges.value : [],
  }
}

function twoDomains(): LipschitzError {
  return new LipschitzError('usage', 'the domain is a box or a ball, not both', {
    hint: 'give --input-range, or --around with --radius',
  })
}

/** Measures the layers of a model and bounds the network by their norms. */
export async function proveBounds(
  typed: TypedGraph,
  options: AuditOptions,
  run: RunOptions = {},
): Promise<Proof> {
  const { selection, box, ball, placed, candidates } = await chooseLayers(typed, options, run)
  const measured = await measure(typed, [...placed, ...candidates], options, run)
  // a merged layer without a norm is no help: its parts may have theirs
  const merged = candidates.filter(
    (_, index) => measured[placed.length + index].measurement.spectral !== null,
  )
  const { certify, seed, effort = defaults.effort, bound: choice = 'best' } = options
  const domain = { inputRanges: box, ...(ball !== null && { ball }) }
  const shared = { ...selection, ...domain, merged, certify, seed, effort }
  if (options.norm !== undefined && options.norm !== 'l2') {
    const { proveInNorm } = await import('./norm-proof.ts')
    const { norm } = options
    const inNorm = await attempt(run.stop, () => proveInNorm(typed, norm, measured, shared, choice))
    if (inNorm.reason !== null) throw notAudited(inNorm.reason)
    const own = inNorm.value
    const layers = own.measured.slice(0, placed.length)
    return { box, ball, layers, ...own, unfinished: run.stop?.reason() ?? null }
  }
  const norms = normsOf(measured)
  const bound = (expired: () => boolean) => boundNetwork(typed, norms, { ...shared, expired })
  const refined = await attempt(run.stop, () => bound(run.stop?.expired ?? (() => false)))
  const bounds =
    refined.reason === null
      ? refined.value
      : await boundInGrace(typed, () => bound(() => true), shared, refined.reason)
  // methods that can stop at any time do so a little before they would be broken off
  const early = run.stop?.within(0.9 * run.stop.remaining())
  const climb = effort === 'fast' && choice === 'best' ? null : await import('../bounds/further-rungs.ts')
  const further =
    climb === null || refined.reason !== null
      ? null
      : await attempt(run.stop, () =>
          unlessOutOfMemory(
            () =>
              climb.climbFurther(typed, norms, bounds, {
                ...shared,
                bound: choice,
                expired: early?.expired ?? (() => false),
              }),
            () => options.onWarning?.('refined bounds need more memory than there is, and are left out'),
          ),
        )
  return {
    box,
    ball,
    layers: measured.slice(0, placed.length),
    measured,
    bounds: (further?.reason === null ? further.value : null) ?? bounds,
    unfinished: refined.reason ?? further?.reason ?? run.stop?.reason() ?? null,
  }
}

/** Milliseconds behind the end of the time for bounds without refinements: a walk over some 50,000 nodes. */
const GRACE = 2000

/** Bounds by walks alone, or none where even these take long: whoever ends an audit does not wait for it. */
async function boundInGrace(
  typed: TypedGraph,
  bound: () => NetworkBounds,
  selection: Selection,
  reason: StopReason,
): Promise<NetworkBounds> {
  const late = createStop({ timeLimit: GRACE, isBreakable: false })
  const walked = await attempt(late, bound)
  return walked.reason === null
    ? walked.value
    : withoutBounds(typed, selection, `there was no time to bound it ${untilWhen(reason)}`)
}

/** Encloses the norms of the layers. */
async function measure(
  typed: TypedGraph,
  placed: readonly PlacedLayer[],
  options: AuditOptions,
  run: RunOptions,
): Promise<MeasuredLayer[]> {
  const measurements = await measureChosen(typed, placed, options, run)
  return placed.map((layer) => {
    const measurement = measurements.get(layer.key)
    if (measurement === undefined) throw new Error(`layer ${layer.key} was not measured`)
    return { placed: layer, measurement }
  })
}

/** Measurements by key of layer. */
export function measureChosen(
  typed: TypedGraph,
  layers: readonly KeyedLayer[],
  options: AuditOptions,
  { stop, measurements: known, only }: RunOptions,
): Promise<Map<string, LayerMeasurement>> {
  const { onProgress, cache, memoryLimit, onWarning } = options
  return measureLayers(layers, {
    tolerance: options.tolerance ?? defaults.tolerance,
    certify: options.certify ?? defaults.certify,
    seed: options.seed ?? defaults.seed,
    threads: options.threads ?? availableParallelism(),
    failureProbability: defaults.failureProbability,
    known,
    only,
    stop,
    cache,
    memory: memoryLimit,
    onWarning,
    ...(onProgress === undefined
      ? {}
      : {
          onProgress: (done: number, total: number, label: string, share: number) =>
            onProgress({ model: typed.model.path, done, total, label, share }),
        }),
  })
}

function withoutNorm({ unfinished }: LayerMeasurement, weight: string): string {
  if (unfinished === undefined) return `has a weight that is not finite ('${weight}')`
  return `has a weight whose norm was not measured ${untilWhen(unfinished)} ('${weight}')`
}

/** Upper bounds by layer key, or the reason why there is none. */
function normsOf(layers: readonly MeasuredLayer[]): LayerNorms {
  const byKey = new Map(layers.map((layer) => [layer.placed.key, layer]))
  const find = (key: string) => {
    const layer = byKey.get(key)
    if (layer === undefined) throw new Error(`there is no layer ${key}`)
    return layer
  }
  return {
    spectral: (key) => {
      const { placed, measurement } = find(key)
      return measurement.spectral?.upper ?? withoutNorm(measurement, placed.spec.weightName)
    },
    frobenius: (key) => {
      const { operator } = find(key).measurement.frobenius
      return operator === null ? 'has an input whose size is not known' : operator * (1 + frobeniusError)
    },
  }
}
