/** Models of one node with data input `x` and constants, read, inferred and asked for their layers. */
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import type { LayerSpec } from '../../src/ops/layer.ts'
import { linearPart, type Matrix } from './linear-part.ts'
import {
  type AttributeValue,
  type Message,
  model,
  node,
  type ValueSpec,
  writeTemporary,
} from './onnx-builder.ts'

export interface OneNode {
  readonly op: string
  readonly domain?: string
  readonly opset?: number
  /** Names of the inputs: `x` is data, the others are constants. */
  readonly inputs: readonly string[]
  readonly outputs?: readonly string[]
  readonly attributes?: Record<string, AttributeValue>
  readonly data: ValueSpec
  readonly constants: Readonly<Record<string, Message>>
}

/** With `declared`, the output is a float32 tensor, as a runtime wants to be told. */
function oneNodeModel(one: OneNode, declared: boolean): Uint8Array {
  const outputs = one.outputs ?? ['y']
  return model({
    inputs: { x: one.data },
    outputs: declared ? { [outputs[0]]: { type: 'float32', shape: null } } : outputs,
    initializers: one.constants,
    nodes: [node(one.op, one.inputs, outputs, one.attributes, { domain: one.domain ?? '' })],
    opset: one.opset,
    opsets: { 'com.microsoft': 1 },
  })
}

/** The layers of the node, by reading the model from a file. */
export function layersOfNode(one: OneNode): LayerSpec[] {
  const path = writeTemporary(oneNodeModel(one, false), 'one-node.onnx')
  return layersOf(inferModel(readModel(path))).map(({ spec }) => spec)
}

/** The linear part of the map that onnxruntime computes for the node. */
export function mapOfNode(one: OneNode): Promise<Matrix> {
  return linearPart(oneNodeModel(one, true), one.data as readonly number[])
}
