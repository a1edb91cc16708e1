import { availableParallelism } from 'node:os'
import { differenceLayer } from '../../bounds/perturbation/layer-difference.ts'
import {
  firstUnpaired,
  type Pairing,
  pairNetworks,
  roundedTensors,
} from '../../bounds/perturbation/pairing.ts'
import { boundPerturbation, type Perturbation } from '../../bounds/perturbation/perturbation.ts'
import { leaves } from '../../bounds/perturbation/perturbed.ts'
import { type Enclosure, exactly } from '../../core/enclosure.ts'
import * as mag from '../../core/magnitude.ts'
import { addUp } from '../../core/rounding.ts'
import * as term from '../../core/term.ts'
import type { Node, Value } from '../../graph/graph.ts'
import { readModel } from '../../graph/read-model.ts'
import { inferModel } from '../../infer/infer.ts'
import { layersOf, type PlacedLayer } from '../../infer/layers.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import { measureLayers } from '../../norms/measure.ts'
import type { LayerMeasurement } from '../../norms/measurement.ts'
import { describeDomain } from '../domain.ts'
import { describeModel } from '../model.ts'
import { type AuditOptions, defaults, type InputRange } from '../options.ts'
import { type Proof, proveBounds } from '../proof.ts'
import type { Bound, Finding, Layer, ModelReport } from '../report-schema.ts'
import { domainWalk } from '../sensitivity.ts'
import { describeLayers, isUnchanged, type MeasuredDifference } from './diff-layers.ts'
import type { ModelDiff, OutputChange } from './diff-schema.ts'
import { describeSide } from './diff-side.ts'
import { matchLayers } from './match-layers.ts'

/** One of the two models with what is proven of it. */
interface Compared {
  readonly typed: TypedGraph
  readonly proof: Proof
  readonly report: ModelReport
  /** Layers and their rows in the order of the graph. */
  readonly layers: readonly PlacedLayer[]
  readonly rows: readonly Layer[]
}

/** Compares two models by their files. Rejects with what reading and auditing throw. */
export async function compareModels(
  oldPath: string,
  newPath: string,
  options: AuditOptions,
): Promise<Omit<ModelDiff, 'verdict' | 'gates'>> {
  const old = await open(oldPath, options)
  const fresh = await open(newPath, options, old.typed)
  const { pairing, isTurned } = pairBest(old, fresh)
  const [reference, other] = isTurned ? [fresh, old] : [old, fresh]
  const known = knownMatches(pairing, old, fresh, isTurned)
  const unpaired = firstUnpaired(pairing, outputPairs(reference, other))
  // graphs that are not one may agree by accident where names say otherwise
  const matches =
    unpaired === null
      ? matchLayers(old.rows, fresh.rows, known)
      : matchLayers(old.rows, fresh.rows, new Map(), known)
  const pairs = matches.flatMap((match, place) => {
    if (match.old === null || match.new === null) return []
    return [{ place, first: match.old, second: match.new }]
  })
  const measured = await measureDifferences(old, fresh, pairs, options)
  const differences = new Map(pairs.map(({ place }, i) => [place, measured[i]]))
  const differenceByKey = new Map(
    pairs.map(({ first, second }, i) => {
      const layer = isTurned ? fresh.layers[second] : old.layers[first]
      return [layer.key, measured[i]] as const
    }),
  )
  const perturbation =
    unpaired === null
      ? perturb(reference, other, pairing, known, isTurned, differenceByKey)
      : { bound: term.infinite, refusal: unpaired, parts: new Map<string, number>() }
  const keyOf = (place: number) => {
    const { old: i, new: j } = matches[place]
    const layer = isTurned ? (j === null ? null : fresh.layers[j]) : i === null ? null : old.layers[i]
    return layer === null ? null : leaves.layer(layer.key)
  }
  return {
    old: describeSide(old.report),
    new: describeSide(fresh.report),
    layers: describeLayers(old.rows, fresh.rows, matches, {
      difference: (place) => differences.get(place) ?? null,
      part: (place) => {
        const key = keyOf(place)
        return perturbation.refusal !== null || key === null ? null : (perturbation.parts.get(key) ?? 0)
      },
    }),
    outputChange: describeChange(reference, perturbation, measured),
    findings: findingsOf(old, fresh, perturbation),
  }
}

/** Reads, measures and bounds a model. Ranges of inputs that are named otherwise than in `model` are told by place. */
async function open(path: string, options: AuditOptions, model?: TypedGraph): Promise<Compared> {
  const read = readModel(path, options)
  const typed = inferModel(read, { inputShapes: renamed(options.inputShapes, read.graph.inputs, model) })
  const own: AuditOptions = {
    ...options,
    inputRanges: options.inputRanges?.map((range): InputRange => {
      const input = range.input === null ? null : nameHere(range.input, read.graph.inputs, model)
      return { ...range, input }
    }),
    inputs: options.inputs?.map((name) => nameHere(name, read.graph.inputs, model)),
    outputs: options.outputs?.map((name) => nameHere(name, read.graph.outputs, model, 'outputs')),
  }
  const proof = await proveBounds(typed, own)
  const report = describeModel(path, typed, proof, own)
  return {
    typed,
    proof,
    report,
    layers: layersOf(typed),
    rows: report.layers.toSorted((a, b) => a.order - b.order),
  }
}

function renamed<T>(
  byName: ReadonlyMap<string, T> | undefined,
  values: readonly Value[],
  model?: TypedGraph,
) {
  if (byName === undefined) return undefined
  return new Map([...byName].map(([name, shape]) => [nameHere(name, values, model), shape]))
}

/** The name of the value that stands where the other model has the one of this name; the name itself where it is known. */
function nameHere(
  name: string,
  values: readonly Value[],
  model: TypedGraph | undefined,
  side: 'inputs' | 'outputs' = 'inputs',
): string {
  if (model === undefined || values.some((value) => value.name === name)) return name
  const place = model.graph[side].findIndex((value) => value.name === name)
  return values[place]?.name ?? name
}

/** Lays the network that rounds its tensors more over the one that rounds them less: a copy over its original. */
function pairBest(old: Compared, fresh: Compared): { pairing: Pairing; isTurned: boolean } {
  const isTurned = roundedTensors(old.typed) > roundedTensors(fresh.typed)
  const pairing = isTurned ? pairNetworks(fresh.typed, old.typed) : pairNetworks(old.typed, fresh.typed)
  return { pairing, isTurned }
}

/** Outputs of one name, and otherwise of one place. */
function outputPairs(reference: Compared, other: Compared): { value: Value; other: Value }[] {
  const outputs = other.typed.graph.outputs
  return reference.proof.bounds.selected.outputs.flatMap((value) => {
    const place = reference.typed.graph.outputs.indexOf(value)
    const found = outputs.find(({ name }) => name === value.name) ?? outputs[place]
    return found === undefined ? [] : [{ value, other: found }]
  })
}

/** Layers of paired nodes, as places in the lists of the old and the new model. */
function knownMatches(
  pairing: Pairing,
  old: Compared,
  fresh: Compared,
  isTurned: boolean,
): ReadonlyMap<number, number> {
  const place = (layers: readonly PlacedLayer[]) => {
    const places = new Map<Node, Map<string, number>>()
    for (const [i, { node, spec }] of layers.entries()) {
      places.set(node, (places.get(node) ?? new Map<string, number>()).set(spec.role, i))
    }
    return places
  }
  const [before, after] = [place(old.layers), place(fresh.layers)]
  const known = new Map<number, number>()
  for (const { node, other } of pairing.pairs.values()) {
    const [first, second] = isTurned ? [other, node] : [node, other]
    for (const [role, i] of before.get(first) ?? []) {
      const j = after.get(second)?.get(role)
      if (j !== undefined) known.set(i, j)
    }
  }
  return known
}

/** ‖W − W'‖ of matched layers; null where the operators are no maps between the same spaces. */
async function measureDifferences(
  old: Compared,
  fresh: Compared,
  pairs: readonly { readonly first: number; readonly second: number }[],
  options: AuditOptions,
): Promise<(MeasuredDifference | null)[]> {
  const layers = pairs.map(({ first, second }, i) => {
    const [a, b] = [old.layers[first].spec, fresh.layers[second].spec]
    if (isUnchanged(old.rows[first], fresh.rows[second]) && a.stored?.type === b.stored?.type) {
      if (a.operator.factor === b.operator.factor) return 'equal'
    }
    const difference = differenceLayer(a, b)
    const slack = (difference?.slack ?? 0) * (sizeOf(old.rows[first]) + sizeOf(fresh.rows[second]))
    return difference === null ? null : { key: String(i), spec: difference.spec, slack }
  })
  const toMeasure = layers.filter((layer) => layer !== null && layer !== 'equal')
  const found = await measureLayers(toMeasure, {
    tolerance: options.tolerance ?? defaults.tolerance,
    certify: options.certify ?? defaults.certify,
    seed: options.seed ?? defaults.seed,
    threads: options.threads ?? availableParallelism(),
    failureProbability: defaults.failureProbability,
  })
  return layers.map((layer) => {
    if (layer === 'equal') return { frobenius: 0, spectral: exactly(0, 'zero') }
    const measurement = layer === null ? undefined : (found.get(layer.key) as LayerMeasurement)
    if (layer === null || measurement === undefined) return null
    return { frobenius: measurement.frobenius.weight, spectral: widenedBy(measurement.spectral, layer.slack) }
  })
}

/** An upper bound of the norm of a layer's weights times its factor. */
function sizeOf({ frobenius, gain }: Layer): number {
  return Math.max(frobenius.operator ?? Infinity, gain ?? Infinity)
}

function widenedBy(norm: Enclosure | null, slack: number): Enclosure | null {
  if (norm === null || slack === 0) return norm
  return { ...norm, lower: Math.max(0, norm.lower - slack), upper: addUp(norm.upper, slack) }
}

function perturb(
  reference: Compared,
  other: Compared,
  pairing: Pairing,
  known: ReadonlyMap<number, number>,
  isTurned: boolean,
  differences: ReadonlyMap<string, MeasuredDifference | null>,
): Perturbation {
  const { bounds, box, measured } = reference.proof
  const base = domainWalk(bounds).walk
  const nothing = { node: '', op: '', reason: 'there is nothing to bound' }
  if (base === null) return { bound: term.infinite, refusal: nothing, parts: new Map() }
  const norms = new Map(measured.map(({ placed, measurement }) => [placed.key, measurement.spectral]))
  const paired = new Set(
    (isTurned ? [...known.values()] : [...known.keys()]).map((i) => reference.layers[i].key),
  )
  const byNode = new Map<Node, { key: string; kind: string; weight: string }[]>()
  for (const { key, node, spec } of reference.layers) {
    const layer = { key, kind: spec.kind, weight: spec.weightName }
    byNode.set(node, [...(byNode.get(node) ?? []), layer])
  }
  return boundPerturbation({
    pairing,
    base,
    normOf: (key) => norms.get(key)?.upper ?? 'has a weight that is not finite',
    differenceOf: (key) => {
      if (!paired.has(key)) return 'has a layer without a counterpart in the other model'
      return differences.get(key)?.spectral?.upper ?? 'has weights that cannot be compared'
    },
    layersOf: (node) => byNode.get(node) ?? [],
    audited: bounds.selected.inputs,
    inputRanges: box,
    outputs: outputPairs(reference, other),
  })
}

function describeChange(
  reference: Compared,
  { bound, refusal, parts }: Perturbation,
  measured: readonly (MeasuredDifference | null)[],
): OutputChange {
  const norms = reference.proof.measured.map(({ measurement }) => measurement.spectral)
  const probabilities = [...norms, ...measured.map((found) => found?.spectral ?? null)]
  const failureProbability = probabilities.reduce(
    (sum, found) => sum + (found?.failureProbability ?? 0),
    domainWalk(reference.proof.bounds).failureProbability,
  )
  const sumOf = (kind: string) => {
    let sum = 0
    for (const [leaf, part] of parts) if (leaf.startsWith(kind)) sum += part
    return refusal === null ? sum : null
  }
  return {
    upper: refusal === null ? boundOf(bound, failureProbability) : unbounded(refusal),
    lower: null,
    domain: describeDomain(reference.proof.box),
    roundings: sumOf(leaves.rounding('')),
    constants: sumOf(leaves.constant('')),
  }
}

function boundOf({ value }: Perturbation['bound'], failureProbability: number): Bound {
  const number = mag.toNumber(value)
  const log10 = mag.log10(value)
  return {
    value: Number.isFinite(number) ? number : null,
    log10: Number.isFinite(log10) ? log10 : null,
    method: 'perturbation',
    certificate: failureProbability > 0 ? 'probabilistic' : 'deterministic',
    failureProbability,
  }
}

function unbounded({ node, op, reason }: NonNullable<Perturbation['refusal']>): Bound {
  return {
    value: null,
    log10: null,
    method: 'perturbation',
    certificate: null,
    failureProbability: null,
    unbounded: true,
    reason,
    ...(node === '' ? {} : { node, op }),
  }
}

/** What a reader should know: why there is no bound, and what the models themselves are told of. */
function findingsOf(old: Compared, fresh: Compared, { refusal }: Perturbation): Finding[] {
  const findings: Finding[] = []
  if (refusal !== null) {
    findings.push({
      rule: 'no-output-change',
      level: 'warning',
      message: `how far the outputs may differ is not proven: ${refusal.op} ${refusal.reason}`.replace(
        '  ',
        ' ',
      ),
      ...(refusal.node === '' ? {} : { node: refusal.node, op: refusal.op }),
    })
  }
  for (const { report } of [old, fresh]) {
    for (const finding of report.findings)
      if (finding.level === 'error')
        findings.push({ ...finding, message: `${report.path}: ${finding.message}` })
  }
  return findings
}
