/**
 * The ONNX backend tests as Debian's package libonnx-testdata installs them: small models with the inputs and
 * outputs that the reference implementation gave.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import protobuf from 'protobufjs'
import { encode, type Message, writeTemporary } from './onnx-builder.ts'

const folder = '/usr/share/libonnx-testdata/data'

export const conformanceDataExists = existsSync(folder)

const schema = new protobuf.Root()
  .loadSync(resolve(import.meta.dirname, '../../src/onnx/onnx.proto'))
  .resolveAll()

// biome-ignore lint/suspicious/noExplicitAny: messages as protobufjs decodes them
export type Decoded = any

/** Decodes a message by reflection, not by the reader under test. */
export function decode(type: string, bytes: Uint8Array): Decoded {
  return schema.lookupType(`onnx.${type}`).decode(bytes)
}

/** Encodes a model that `decode` returned. */
export function encodeDecoded(model: Decoded): Uint8Array {
  return schema.lookupType('onnx.ModelProto').encode(model).finish()
}

const float32Code = 1
const stringCode = 8

/** Little-endian, at any offset. */
function floatsOf(raw: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(raw).buffer)
}

export interface ConformanceCase {
  readonly name: string
  readonly path: string
  /** Operators of the main graph, each once. */
  readonly operators: readonly string[]
  /** The model with its inputs stored in it, so that every output is a constant; null where one is no tensor of numbers. */
  withStoredInputs(): string | null
  /**
   * The model with all inputs but the first float32 one stored in it, and the value of that one; null where there is
   * none, or an input is no tensor of numbers.
   */
  withOneInput(): {
    readonly path: string
    readonly name: string
    readonly dims: readonly number[]
    readonly value: Float32Array
  } | null
  /** The expected outputs as a model that only holds them, in order; null where one is no tensor of numbers. */
  expectedOutputs(): string | null
}

/** All cases in a fixed order. */
export function conformanceCases(): ConformanceCase[] {
  if (!conformanceDataExists) return []
  return ['node', 'simple', 'pytorch-operator', 'pytorch-converted'].flatMap((kind) =>
    readdirSync(join(folder, kind))
      .sort()
      .map((name) => conformanceCase(name, join(folder, kind, name))),
  )
}

function conformanceCase(name: string, root: string): ConformanceCase {
  const path = join(root, 'model.onnx')
  const bytes = readFileSync(path)
  const graph = decode('ModelProto', bytes).graph
  const operators = [...new Set<string>(graph.node.map((node: Decoded) => node.opType))]
  return {
    name,
    path,
    operators,
    withStoredInputs() {
      const tensors = storedTensors(root, 'input', graph.input)
      if (tensors === null) return null
      const model = decode('ModelProto', bytes)
      const names = new Set(tensors.map((tensor) => tensor.name))
      model.graph.initializer = [
        ...model.graph.initializer.filter((t: Decoded) => !names.has(t.name)),
        ...tensors,
      ]
      model.graph.input = []
      model.graph.valueInfo = []
      for (const output of model.graph.output) output.type = null
      return writeTemporary(encodeDecoded(model), 'stored-inputs.onnx')
    },
    withOneInput() {
      const tensors = storedTensors(root, 'input', graph.input)
      const first = tensors?.find((tensor) => tensor.dataType === float32Code)
      if (tensors === null || first === undefined) return null
      const model = decode('ModelProto', bytes)
      const stored = tensors.filter((tensor) => tensor !== first)
      model.graph.initializer = [...model.graph.initializer, ...stored]
      model.graph.input = model.graph.input.filter((input: Decoded) => input.name === first.name)
      const dims = first.dims.map(Number)
      const value = first.floatData.length > 0 ? Float32Array.from(first.floatData) : floatsOf(first.rawData)
      return { path: writeTemporary(encodeDecoded(model), 'one-input.onnx'), name: first.name, dims, value }
    },
    expectedOutputs() {
      const tensors = storedTensors(root, 'output', graph.output)
      if (tensors === null) return null
      const values = tensors.map((tensor) => ({ name: tensor.name }))
      const holder: Message = { graph: { initializer: tensors, output: values }, irVersion: 8 }
      const model = { ...holder, opsetImport: [{ domain: '', version: 17 }] }
      return writeTemporary(encode('ModelProto', model), 'expected.onnx')
    },
  }
}

/** The tensors of the first data set, named as the graph names them; null where a value is no tensor of numbers. */
function storedTensors(root: string, kind: 'input' | 'output', infos: readonly Decoded[]): Decoded[] | null {
  const tensors: Decoded[] = []
  for (const [index, info] of infos.entries()) {
    const path = join(root, 'test_data_set_0', `${kind}_${index}.pb`)
    if (info.type?.value !== 'tensorType' || info.type.tensorType.elemType === stringCode) return null
    if (!existsSync(path)) return null
    const tensor = decode('TensorProto', readFileSync(path))
    tensor.name = info.name
    tensors.push(tensor)
  }
  return tensors
}
