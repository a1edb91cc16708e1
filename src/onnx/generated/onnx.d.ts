// Generated from onnx.proto by scripts/generate-onnx.mjs.
import type { Reader } from 'protobufjs/minimal.js'

export declare const onnx: {
  readonly ModelProto: { decode(source: Reader | Uint8Array): ModelProto }
}

export interface ModelProto {
  readonly irVersion: number
  readonly producerName: string
  readonly producerVersion: string
  readonly domain: string
  readonly modelVersion: number
  readonly graph: GraphProto | null
  readonly opsetImport: readonly OperatorSetIdProto[]
  readonly trainingInfo: readonly TrainingInfoProto[]
  readonly functions: readonly FunctionProto[]
  readonly configuration: readonly DeviceConfigurationProto[]
}

export interface OperatorSetIdProto {
  readonly domain: string
  readonly version: number
}

export interface StringStringEntryProto {
  readonly key: string
  readonly value: string
}

export interface GraphProto {
  readonly node: readonly NodeProto[]
  readonly name: string
  readonly initializer: readonly TensorProto[]
  readonly input: readonly ValueInfoProto[]
  readonly output: readonly ValueInfoProto[]
  readonly valueInfo: readonly ValueInfoProto[]
  readonly quantizationAnnotation: readonly TensorAnnotation[]
  readonly sparseInitializer: readonly SparseTensorProto[]
}

export interface NodeProto {
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly name: string
  readonly opType: string
  readonly attribute: readonly AttributeProto[]
  readonly domain: string
  readonly overload: string
  readonly deviceConfigurations: readonly NodeDeviceConfigurationProto[]
}

export interface AttributeProto {
  readonly name: string
  readonly f: number | null
  readonly i: number | null
  readonly s: Uint8Array | null
  readonly t: TensorProto | null
  readonly g: GraphProto | null
  readonly tp: TypeProto | null
  readonly sparseTensor: SparseTensorProto | null
  readonly floats: readonly number[]
  readonly ints: readonly number[]
  readonly strings: readonly Uint8Array[]
  readonly tensors: readonly TensorProto[]
  readonly graphs: readonly GraphProto[]
  readonly typeProtos: readonly TypeProto[]
  readonly type: number
  readonly refAttrName: string
  readonly sparseTensors: readonly SparseTensorProto[]
  /** Which of the fields of this group is set. */
  readonly value: 'f' | 'i' | 's' | 't' | 'g' | 'tp' | 'sparseTensor' | undefined
}

export interface TensorProto {
  readonly dims: readonly number[]
  readonly dataType: number
  readonly segment: TensorProtoSegment | null
  readonly name: string
  readonly externalData: readonly StringStringEntryProto[]
  readonly dataLocation: number
  readonly payload: number
}

export interface SparseTensorProto {
  readonly values: TensorProto | null
  readonly indices: TensorProto | null
  readonly dims: readonly number[]
}

export interface ValueInfoProto {
  readonly name: string
  readonly type: TypeProto | null
}

export interface TypeProto {
  readonly tensorType: TypeProtoTensor | null
  readonly sequenceType: TypeProtoSequence | null
  readonly mapType: TypeProtoMap | null
  readonly opaqueType: TypeProtoOpaque | null
  readonly sparseTensorType: TypeProtoSparseTensor | null
  readonly optionalType: TypeProtoOptional | null
  /** Which of the fields of this group is set. */
  readonly value: 'tensorType' | 'sequenceType' | 'mapType' | 'opaqueType' | 'sparseTensorType' | 'optionalType' | undefined
}

export interface TensorShapeProto {
  readonly dim: readonly TensorShapeProtoDimension[]
}

export interface FunctionProto {
  readonly name: string
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly attribute: readonly string[]
  readonly node: readonly NodeProto[]
  readonly opsetImport: readonly OperatorSetIdProto[]
  readonly domain: string
  readonly attributeProto: readonly AttributeProto[]
  readonly valueInfo: readonly ValueInfoProto[]
  readonly overload: string
}

export interface TrainingInfoProto {
  readonly initialization: GraphProto | null
  readonly algorithm: GraphProto | null
  readonly initializationBinding: readonly StringStringEntryProto[]
  readonly updateBinding: readonly StringStringEntryProto[]
}

export interface TensorAnnotation {
  readonly tensorName: string
  readonly quantParameterTensorNames: readonly StringStringEntryProto[]
}

export interface DeviceConfigurationProto {
  readonly name: string
  readonly numDevices: number
  readonly device: readonly string[]
}

export interface NodeDeviceConfigurationProto {
  readonly configurationId: string
  readonly shardingSpec: readonly ShardingSpecProto[]
  readonly pipelineStage: number
}

export interface ShardingSpecProto {
  readonly tensorName: string
  readonly device: readonly number[]
  readonly indexToDeviceGroupMap: readonly IntIntListEntryProto[]
  readonly shardedDim: readonly ShardedDimProto[]
}

export interface IntIntListEntryProto {
  readonly key: number
  readonly value: readonly number[]
}

export interface ShardedDimProto {
  readonly axis: number
  readonly simpleSharding: readonly SimpleShardedDimProto[]
}

export interface SimpleShardedDimProto {
  readonly dimValue: number | null
  readonly dimParam: string | null
  readonly numShards: number
  /** Which of the fields of this group is set. */
  readonly dim: 'dimValue' | 'dimParam' | undefined
}

export interface TensorProtoSegment {
  readonly begin: number
  readonly end: number
}

export interface TypeProtoTensor {
  readonly elemType: number
  readonly shape: TensorShapeProto | null
}

export interface TypeProtoSequence {
  readonly elemType: TypeProto | null
}

export interface TypeProtoMap {
  readonly keyType: number
  readonly valueType: TypeProto | null
}

export interface TypeProtoOptional {
  readonly elemType: TypeProto | null
}

export interface TypeProtoSparseTensor {
  readonly elemType: number
  readonly shape: TensorShapeProto | null
}

export interface TypeProtoOpaque {
  readonly domain: string
  readonly name: string
}

export interface TensorShapeProtoDimension {
  readonly dimValue: number | null
  readonly dimParam: string | null
  /** Which of the fields of this group is set. */
  readonly value: 'dimValue' | 'dimParam' | undefined
}
