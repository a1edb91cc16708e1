import * as mag from '../../core/magnitude.ts'
import { addUp, mulUp } from '../../core/rounding.ts'
import * as term from '../../core/term.ts'
import type { Node, Value } from '../../graph/graph.ts'
import { layersOf } from '../../infer/layers.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import type { Interval, TensorBound } from '../../ops/bound.ts'
import { stacked } from '../../ops/rules/join.ts'
import { type NormOf, type Walk, walkGraph } from '../walk.ts'
import { biasInput, widened } from './constant-difference.ts'

/** The network whose outputs are asked about. */
export interface SensitivityOptions {
  /** Its own refined walk over the domain. */
  readonly base: Walk
  readonly normOf: NormOf
  readonly audited: readonly Value[]
  readonly inputRanges: ReadonlyMap<string, Interval>
  readonly outputs: readonly Value[]
  /** Size of the change of a layer's weights, ‖ΔW‖₂ as a part of ‖W‖₂. */
  readonly relative: number
}

const kinds: ReadonlySet<string> = new Set(['dense', 'conv', 'conv-transpose'])

/**
 * By layer key: ‖f(x) − f'(x)‖₂ at most, over all x of the domain, where the weights of that layer alone change by an
 * operator of norm `relative`·‖W‖₂, all outputs together. One walk carries the changes of all layers together, as
 * `perturbation.ts` does, with ranges that hold for all of them; each layer's part of it is what it can do alone.
 * Layers without a number: those whose input has no bound over the domain, and all where some output has none.
 */
export function weightSensitivities(
  typed: TypedGraph,
  options: SensitivityOptions,
): ReadonlyMap<string, number> {
  const { base, normOf, relative } = options
  const changes = new Map<Node, { leaf: string; size: number }[]>()
  const known = new Map<string, string>()
  const counted = nodesBehind(typed, options.audited)
  for (const { key, node, spec } of layersOf(typed)) {
    // the walk comes once to each node of the main graph, and begins anew where the graph is cut
    if (!counted.has(node)) continue
    const norm = normOf(key)
    const data = dataOf(typed, node)
    const length = data === null ? Infinity : base.find(data)?.norm
    if (!kinds.has(spec.kind) || typeof norm === 'string' || length === undefined || length === Infinity)
      continue
    const leaf = `change of ${key}`
    known.set(leaf, key)
    changes.set(node, [...(changes.get(node) ?? []), { leaf, size: mulUp(mulUp(relative, norm), length) }])
  }
  if (known.size === 0) return new Map()
  const refine = (node: Node, results: readonly TensorBound[]) =>
    results.map((result, i) =>
      changed(base, node.outputs[i], result, i === 0 ? changes.get(node) : undefined),
    )
  const { audited, inputRanges } = options
  const walk = walkGraph(typed, {
    ...{ normOf, audited, inputRanges, refined: true, refine },
    // every input is read as it is; that one is told keeps ranges of single elements out, which hold for one network
    readAs: (_node, _input, operand) => operand,
  })
  const [joint, own] = [walk, base].map((one) => jointOffset(one, options.outputs))
  if (joint === null || own === null) return new Map()
  const parts = term.partsAlone(joint, (leaf) => known.has(leaf))
  // where tensors are rounded, two networks may differ by their roundings, too
  const roundings = mag.toNumber(own.value)
  return new Map([...known].map(([leaf, key]) => [key, addUp(parts.get(leaf) ?? 0, roundings)]))
}

/** The additive part of all outputs together; null where one has no bound. */
function jointOffset(walk: Walk, outputs: readonly Value[]): term.Term | null {
  const bounds = outputs.map((output) => ({ bound: walk.boundOf(output), gain: 1 }))
  const { refusal, offset } = stacked(bounds, { lo: -Infinity, hi: Infinity })
  return refusal === null ? offset : null
}

/** Nodes of the main graph, but for those that only tensors where the graph is cut depend on. */
function nodesBehind({ graph }: TypedGraph, audited: readonly Value[]): ReadonlySet<Node> {
  const before = new Set<Node>(audited.flatMap(({ producer }) => producer ?? []))
  for (const node of before) {
    for (const value of node.inputs) if (value?.producer != null) before.add(value.producer)
  }
  return new Set(graph.nodes.filter((node) => !before.has(node)))
}

/** What the node's one layer is applied to; null where it reads several tensors. */
function dataOf(typed: TypedGraph, node: Node): Value | null {
  const bias = biasInput(node)
  const data = node.inputs.filter(
    (value, input) => value !== null && input !== bias && !typed.operand(value).isConstant,
  )
  return data.length === 1 ? data[0] : null
}

/** The bound of one output of a node with the changes of its weights. */
function changed(
  base: Walk,
  output: Value | null | undefined,
  result: TensorBound,
  changes: readonly { leaf: string; size: number }[] = [],
): TensorBound {
  if (!output || result.refusal !== null) return result
  const offset = term.sum(result.offset, ...changes.map(({ leaf, size }) => term.leaf(leaf, size)))
  const error = mag.toNumber(offset.value)
  const own = base.find(output)
  if (own === null || error === Infinity) return { ...result, offset }
  return { ...result, offset, range: widened(own.range, error), norm: addUp(own.norm, error) }
}
