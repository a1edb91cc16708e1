import { renderValue } from '../../report/json.ts'
import type { InspectedNode, InspectedValue, Inspection } from './inspection.ts'
import type { ValueBound } from './value-bound.ts'

/** The inspection as JSON, one object; what is not finite is null. */
export function jsonOf(inspection: Inspection): string {
  const { path, irVersion, producer, parameters, opsets, notes } = inspection
  const document = {
    path,
    irVersion,
    producer,
    parameters,
    opsets: Object.fromEntries(opsets),
    inputs: inspection.inputs.map(valueObject),
    nodes: inspection.nodes.map(nodeObject),
    outputs: inspection.outputs.map(valueObject),
    notes: notes.map(({ rule, message }) => ({ rule, message })),
  }
  return renderValue(document)
}

function nodeObject({ inputs, outputs, reason, ...node }: InspectedNode) {
  return {
    ...node,
    inputs: inputs.map((input) => input?.name ?? null),
    outputs: outputs.map((output) => output && valueObject(output)),
    ...(reason === null ? {} : { reason }),
  }
}

function valueObject({ name, kind, type, shape, constant, bound }: InspectedValue) {
  return {
    name,
    type: kind === 'tensor' ? type : kind,
    shape,
    constant,
    ...(bound === null ? {} : boundObject(bound)),
  }
}

function boundObject({ lipschitz, offset, range, norm, refusedBy }: ValueBound) {
  return {
    lipschitz: { ...lipschitz, ...(lipschitz.log10 === null ? { unbounded: true } : {}) },
    offset: finite(offset),
    range: { lo: finite(range.lo), hi: finite(range.hi) },
    norm: finite(norm),
    ...(refusedBy === null ? {} : { refusedBy }),
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
