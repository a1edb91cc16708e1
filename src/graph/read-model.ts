import { named } from '../core/errors.ts'
import { isFloatType } from '../core/tensor.ts'
import type { ModelFile } from '../onnx/model-file.ts'
import { readModelFile } from '../onnx/model-file.ts'
import type { ReadOptions } from '../onnx/read-options.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import { buildGraph } from './build-graph.ts'
import { indexFunctions } from './functions.ts'
import type { Graph, Model, Note } from './graph.ts'
import { malformed } from './malformed.ts'
import { displayDomain, newestIrVersion, newestOpsets, resolveOpsets } from './opsets.ts'
import { verifyGraph } from './verify.ts'
import { graphsOf } from './walk.ts'

/**
 * Reads an ONNX file and builds its graph; tensors stay in the file until they are asked for.
 * Throws what reading throws, `malformed` where the file contradicts itself, `limit` beyond the budgets; every
 * error names the model.
 */
export function readModel(path: string, options: ReadOptions = {}): Model {
  const file = readModelFile(path, options)
  return named({ model: path }, () => toModel(file))
}

function toModel(file: ModelFile): Model {
  const { proto } = file
  if (proto.graph === null) throw malformed('the model has no graph')
  if (!(proto.irVersion >= 1)) throw malformed(`the model states version ${proto.irVersion} of the format`)
  const opsets = resolveOpsets(proto.opsetImport, 'the model')
  // The first two versions of the format had no imports.
  if (opsets.size === 0 && proto.irVersion >= 3) throw malformed('the model imports no operators')
  if (opsets.size === 0) opsets.set('', 1)
  if (proto.graph.output.length === 0) throw malformed('the model has no outputs')
  const { graph, notes } = buildGraph(
    file,
    proto.graph,
    opsets,
    indexFunctions(proto.functions, proto.graph, file.limits),
  )
  verifyGraph(graph)
  return {
    path: file.path,
    sha256: file.sha256(),
    bytes: file.bytes,
    irVersion: proto.irVersion,
    opsets,
    producer: `${proto.producerName} ${proto.producerVersion}`.trim(),
    parameters: countParameters(graph),
    graph,
    limits: file.limits,
    notes: [...fileNotes(file, opsets), ...overridableNotes(graph), ...notes],
  }
}

function fileNotes(file: ModelFile, opsets: ReadonlyMap<string, number>): Note[] {
  const { irVersion, trainingInfo, configuration } = file.proto
  const notes: Note[] = []
  const note = (rule: string, message: string) => notes.push({ rule, message })
  if (irVersion > newestIrVersion) {
    note(
      'newer-format',
      `the file states version ${irVersion} of the format; what came after ${newestIrVersion} is not known here`,
    )
  }
  for (const [domain, version] of opsets) {
    const newest = newestOpsets.get(domain)
    if (newest === undefined || version <= newest) continue
    note(
      'newer-opset',
      `the model imports version ${version} of ${displayDomain(domain)}; what came after ${newest} is not proven`,
    )
  }
  for (const [field, count] of file.unknownFields)
    note('unknown-field', `field ${field} of the file is not known (${count} times)`)
  if (trainingInfo.length > 0) note('training-info', 'the file holds training information, which is ignored')
  if (configuration.length > 0)
    note('device-configuration', 'the file holds device configurations, which are ignored')
  return notes
}

function overridableNotes({ overridable }: Graph): Note[] {
  if (overridable.length === 0) return []
  const others = overridable.length === 1 ? '' : ` and ${overridable.length - 1} more`
  const which = `initializer '${overridable[0].name}'${others} can be overridden by an input of that name`
  return [
    {
      rule: 'overridable-initializer',
      message: `${which}: what is proven holds for the stored values alone`,
    },
  ]
}

const weightTypes = /^u?int(2|4|8)$/

function countParameters(graph: Graph): number {
  const tensors = new Set<StoredTensor>()
  for (const { initializers, nodes } of graphsOf(graph)) {
    for (const { stored } of initializers) if (stored !== null) tensors.add(stored)
    for (const node of nodes) {
      for (const attribute of node.attributes.values()) {
        if (attribute.kind === 'tensor') tensors.add(attribute.value)
        if (attribute.kind === 'tensors') for (const tensor of attribute.value) tensors.add(tensor)
      }
    }
  }
  let parameters = 0
  for (const { type, size } of tensors) if (isFloatType(type) || weightTypes.test(type)) parameters += size
  return parameters
}
