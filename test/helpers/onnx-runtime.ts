/** Runs one node in onnxruntime: the independent answer to what an operator computes. */
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import type { ElementType, Tensor } from '../../src/core/tensor.ts'
import type { Attribute } from '../../src/graph/graph.ts'
import {
  type AttributeValue,
  tensor as encodeTensor,
  float,
  floats,
  int,
  ints,
  model,
  node,
} from './onnx-builder.ts'
import { type NodeSpec, tensorOf } from './operator-bench.ts'

const pack: Partial<Record<ElementType, (data: ArrayLike<number>) => RuntimeTensor['data']>> = {
  float32: (data) => Float32Array.from(data),
  float64: (data) => Float64Array.from(data),
  int32: (data) => Int32Array.from(data),
  uint8: (data) => Uint8Array.from(data),
  int8: (data) => Int8Array.from(data),
  bool: (data) => Uint8Array.from(data),
  int64: (data) => BigInt64Array.from(Array.from(data, BigInt)),
}

function toMessage(attribute: Attribute): AttributeValue {
  if (attribute.kind === 'int') return int(attribute.value)
  if (attribute.kind === 'float') return float(attribute.value)
  if (attribute.kind === 'ints') return ints(attribute.value)
  if (attribute.kind === 'floats') return floats(attribute.value)
  if (attribute.kind === 'string') return attribute.value
  throw new Error(`attributes of kind ${attribute.kind} are not written here`)
}

/**
 * The outputs that onnxruntime computes for the node; throws where it refuses the node or its inputs. Inputs whose
 * index is in `stored` are initializers of the model, the others are fed.
 */
export async function runInRuntime(
  spec: NodeSpec,
  inputs: readonly (Tensor | null)[],
  stored: readonly number[] = [],
): Promise<Tensor[]> {
  const given = inputs.map((input, i) => ({ name: input === null ? '' : `in${i}`, tensor: input }))
  const isFed = (_: unknown, i: number) => inputs[i] !== null && !stored.includes(i)
  const outputs = Array.from({ length: spec.outputs ?? 1 }, (_, i) => `out${i}`)
  const attributes = [
    ...(spec.attributes instanceof Map ? spec.attributes : new Map(Object.entries(spec.attributes ?? {}))),
  ]
  const bytes = model({
    opset: spec.version ?? 21,
    opsets: spec.domain ? { [spec.domain]: 1 } : {},
    inputs: Object.fromEntries(
      given
        .filter(isFed)
        .map(({ name, tensor }) => [name, { type: tensor!.type, shape: tensor!.dims.map(() => null) }]),
    ),
    initializers: Object.fromEntries(
      stored.map((i) => [`in${i}`, encodeTensor(inputs[i]!.dims, inputs[i]!.data, inputs[i]!.type)]),
    ),
    outputs,
    nodes: [
      node(
        spec.op,
        given.map(({ name }) => name),
        outputs,
        Object.fromEntries(attributes.map(([name, value]) => [name, toMessage(value)])),
        { domain: spec.domain ?? '' },
      ),
    ],
  })
  const session = await InferenceSession.create(bytes, {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
    graphOptimizationLevel: 'disabled',
  })
  try {
    const feeds = given.filter(isFed).map(({ name, tensor }) => {
      const { type, data, dims } = tensor!
      const packed = pack[type]?.(data)
      if (packed === undefined) throw new Error(`${type} is not fed here`)
      return [name, new RuntimeTensor(type as 'float32', packed as Float32Array, dims)]
    })
    const results = await session.run(Object.fromEntries(feeds))
    return outputs.map((name) => {
      const { type, dims, data } = results[name]
      return tensorOf(dims, Array.from(data as ArrayLike<number>, Number), type as ElementType)
    })
  } finally {
    await session.release()
  }
}
