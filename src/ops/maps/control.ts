import { graphAttribute, intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { Variable } from '../algebra.ts'
import type { Calculus, TracedTensor, UnrollContext } from '../calculus.ts'

/** Nodes that run bodies, as they run at one point. */

/** A number that a node computes itself. */
function fixed(value: number, type: 'int64' | 'bool'): TracedTensor {
  return { tensor: { type, dims: [], data: Float64Array.of(value) }, slot: -1 }
}

const scalarOf = (traced: TracedTensor | null | undefined) => traced?.tensor.data[0] ?? null

function conditional(context: UnrollContext) {
  const condition = scalarOf(context.inputs[0])
  const branch = graphAttribute(context.node, condition === 0 ? 'else_branch' : 'then_branch')
  return branch === null || condition === null ? null : context.body(branch, [])
}

/** What stands at step after step, along a new axis. */
function stacked(context: UnrollContext, steps: readonly TracedTensor[], axis: number, reversed: boolean) {
  const ordered = reversed ? steps.toReversed() : steps
  if (ordered.length === 0) return null
  return context.define(ordered, (algebra, variables) => {
    const rank = variables[0].dims.length + 1
    const at = axis < 0 ? axis + rank : axis
    const opened = (variable: Variable) => algebra.reshape(variable, variable.dims.toSpliced(at, 0, 1))
    return algebra.concat(variables.map(opened), at)
  })
}

/** Trip count and condition as inputs; the body gets the step and both, and returns the condition first. */
function loop(context: UnrollContext) {
  const body = graphAttribute(context.node, 'body')
  if (body === null) return null
  const trips = scalarOf(context.inputs[0]) ?? Infinity
  let goesOn = (scalarOf(context.inputs[1]) ?? 1) !== 0
  let carried = context.inputs.slice(2) as readonly TracedTensor[]
  const collected: TracedTensor[][] = body.outputs.slice(1 + carried.length).map(() => [])
  for (let step = 0; step < trips && goesOn; step++) {
    const outputs = context.body(body, [fixed(step, 'int64'), fixed(1, 'bool'), ...carried])
    goesOn = scalarOf(outputs[0]) !== 0
    carried = outputs.slice(1, 1 + carried.length)
    collected.forEach((list, i) => {
      list.push(outputs[1 + carried.length + i])
    })
  }
  return [...carried, ...collected.map((list) => stacked(context, list, 0, false))]
}

/** States first, then sequences, which are cut along their axes; from version 9 on. */
function scan(context: UnrollContext) {
  const { node } = context
  const body = graphAttribute(node, 'body')
  const scans = intAttribute(node, 'num_scan_inputs', 0)
  if (body === null || node.version < 9) return null
  const states = context.inputs.length - scans
  const [inAxes, inDirections, outAxes, outDirections] = [
    'scan_input_axes',
    'scan_input_directions',
    'scan_output_axes',
    'scan_output_directions',
  ].map((name) => intsAttribute(node, name, []))
  let carried = context.inputs.slice(0, states) as readonly TracedTensor[]
  const sequences = context.inputs.slice(states) as readonly TracedTensor[]
  const axisOf = (i: number, rank: number) => {
    const axis = inAxes[i] ?? 0
    return axis < 0 ? axis + rank : axis
  }
  const steps = sequences[0].tensor.dims[axisOf(0, sequences[0].tensor.dims.length)]
  const collected: TracedTensor[][] = body.outputs.slice(states).map(() => [])
  for (let step = 0; step < steps; step++) {
    const slices = sequences.map((sequence, i) =>
      context.define([sequence], (algebra, [x]) => {
        const axis = axisOf(i, x.dims.length)
        const at = inDirections[i] === 1 ? steps - 1 - step : step
        return algebra.reshape(algebra.slice(x, axis, at, at + 1), x.dims.toSpliced(axis, 1))
      }),
    )
    const outputs = context.body(body, [...carried, ...slices])
    carried = outputs.slice(0, states)
    collected.forEach((list, i) => {
      list.push(outputs[states + i])
    })
  }
  return [
    ...carried,
    ...collected.map((list, i) => stacked(context, list, outAxes[i] ?? 0, outDirections[i] === 1)),
  ]
}

export const controlCalculus: Readonly<Record<string, Calculus>> = {
  If: { unroll: conditional },
  Loop: { unroll: loop },
  Scan: { unroll: scan },
}
