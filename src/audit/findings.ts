import type { NetworkBounds } from '../bounds/network-bounds.ts'
import { relativeWidth } from '../core/enclosure.ts'
import type { StopReason } from '../core/stop.ts'
import * as term from '../core/term.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { Interval } from '../ops/bound.ts'
import type { MeasuredLayer } from './measured-layer.ts'
import type { BallOption } from './options.ts'
import type { Finding } from './report-schema.ts'
import { describeUnfinished } from './unfinished.ts'

/** What findings are made from. */
interface Audited {
  readonly typed: TypedGraph
  readonly layers: readonly MeasuredLayer[]
  readonly bounds: NetworkBounds
  /** Ranges of inputs that the bounds hold for. */
  readonly box: ReadonlyMap<string, Interval>
  /** The ball in whose place the box stands otherwise. */
  readonly ball?: BallOption
  readonly tolerance: number
  readonly unfinished: StopReason | null
}

/** Notes on the file whose consequence a reader should know; all others are notes. */
const warnings = new Set(['overridable-initializer', 'unknown-operator', 'newer-format', 'newer-opset'])

const severity: Record<Finding['level'], number> = { error: 0, warning: 1, note: 2 }

/** Everything that a reader should know besides the numbers, worst first, each rule in the order of the graph. */
export function collectFindings(audited: Audited): Finding[] {
  const findings = [
    ...unproven(audited.bounds, audited.unfinished),
    ...nonFinite(audited.layers),
    ...describeUnfinished(audited.layers, audited.bounds, audited.unfinished),
    ...domain(audited),
    ...conditions(audited.bounds),
    ...looseness(audited),
    ...notes(audited.typed),
  ]
  return findings.sort((a, b) => severity[a.level] - severity[b.level])
}

/** Every node that some output lacks a bound for, once; what all outputs lack stands first. */
function unproven({ selected, best, ladder }: NetworkBounds, unfinished: StopReason | null): Finding[] {
  const isEmpty = selected.inputs.length === 0 || selected.outputs.length === 0
  const found = new Map<string, Finding>()
  for (const { refusal } of [best.joint, ...best.outputs]) {
    if (refusal === null) continue
    const { node, op, reason } = refusal
    const ofNoNode = isEmpty || unfinished === null ? 'no-audited-input' : unfinished
    const rule = node === '' ? ofNoNode : 'unbounded-op'
    found.set(`${node}\n${reason}`, {
      rule,
      level: rule === unfinished ? 'warning' : 'error',
      message: node === '' ? `no certificate: ${reason}` : `no certificate: ${op} ${reason}`,
      ...(node === '' ? {} : { node, op }),
    })
  }
  const missing = ladder.filter((rung) => rung.joint.refusal !== null && best.joint.refusal === null)
  const rungs = missing.map(
    ({ method, joint }): Finding => ({
      rule: 'missing-rung',
      level: 'note',
      message: `no ${method}: ${joint.refusal?.op} ${joint.refusal?.reason}`,
      node: joint.refusal?.node,
    }),
  )
  return [...found.values(), ...rungs]
}

function nonFinite(layers: readonly MeasuredLayer[]): Finding[] {
  return layers.flatMap(({ placed: { node, spec }, measurement }) =>
    measurement.nonFinite === null
      ? []
      : {
          rule: 'non-finite-weight',
          level: 'error' as const,
          message: `element ${measurement.nonFinite.index} of the weight is ${measurement.nonFinite.value}`,
          node: node.name,
          tensor: spec.weightName,
        },
  )
}

/** The part of the input space that the bound holds for. */
function domain({ box, ball }: Pick<Audited, 'box' | 'ball'>): Finding[] {
  if (ball !== undefined) {
    const where = `within ${ball.norm} distance ${ball.radius} of ${ball.name}`
    return [{ rule: 'input-range', level: 'warning', message: `the bound holds ${where} alone` }]
  }
  if (box.size === 0) return []
  const ranges = Array.from(box, ([name, { lo, hi }]) => `${name} in [${lo}, ${hi}]`)
  return [
    { rule: 'input-range', level: 'warning', message: `the bound holds for ${ranges.join(', ')} alone` },
  ]
}

/** Under which conditions the bound holds. */
function conditions({ selected, best }: NetworkBounds): Finding[] {
  const findings: Finding[] = []
  for (const { value, node } of selected.cuts) {
    findings.push({
      rule: 'cut-at-embedding',
      level: 'warning',
      message: `integers have no distance: the bound is with respect to what ${node.op} looks up, '${value.name}'`,
      node: node.name,
    })
  }
  const held = selected.held.map((input) => input.name)
  if (held.length > 0 && selected.inputs.length > 0) {
    findings.push({
      rule: 'fixed-input',
      level: 'warning',
      message: `the bound holds for each fixed value of ${held.join(', ')}, not for changes in it`,
    })
  }
  if (best.joint.refusal === null && !term.isZero(best.joint.offset)) {
    findings.push({
      rule: 'quantisation-offset',
      level: 'warning',
      message: 'the model rounds its activations: the bound has an additive part, the offset',
    })
  }
  return findings
}

function looseness({ layers, bounds, tolerance }: Audited): Finding[] {
  const findings: Finding[] = []
  for (const { placed, measurement } of layers) {
    const { node, spec } = placed
    const isFinished = measurement.unfinished === undefined
    if (isFinished && measurement.spectral !== null && relativeWidth(measurement.spectral) > tolerance) {
      const width = relativeWidth(measurement.spectral).toPrecision(2)
      findings.push({
        rule: 'wide-enclosure',
        level: 'warning',
        message: `the norm is enclosed to a relative width of ${width} only`,
        node: node.name,
      })
    }
    if (spec.operator.form === 'convolution' && spec.operator.inputSize === null) {
      findings.push({
        rule: 'any-size',
        level: 'note',
        message: 'the input size is not known: the norm is the supremum over all sizes',
        node: node.name,
        hint: 'give it with --input-shape',
      })
    }
  }
  if (bounds.elasticities === null && layers.length > 0) {
    findings.push({
      rule: 'ranked-by-norm',
      level: 'note',
      message: 'without a positive bound, layers are ranked by their norms alone',
    })
  }
  return findings
}

function notes(typed: TypedGraph): Finding[] {
  return typed.notes.map(({ rule, message }) => ({
    rule,
    level: warnings.has(rule) ? 'warning' : 'note',
    message,
  }))
}
