import type { Operator } from '../operator.ts'
import { draws, jumps } from '../rules/jumps.ts'
import { infoOf, requiredInput, unknownInfo } from '../shape/operands.ts'

/** Operators of ONNX Runtime and of the standard's training domain that have no rule, each with the reason. */

const ids = 'looks up or hashes ids, which have no distance'
const searches = 'searches for a sequence of ids: discontinuous'
const packed = 'packs sequences of different lengths into one, with a layout that has no rule'
const cached = 'reads keys and values through a cache that other operators lay out'
const gates = 'multiplies several tensors that depend on the input by gates, which has no rule'
const routes = 'routes its data to experts that the data choose: discontinuous'
const fewBits = 'has weights in a packed format of few bits that is not decoded'
const roundsBlocks = 'rounds blocks of its data to few bits by their largest element, which jumps'
const ordered = 'is quantised in a layout of one graphics processor, which is not decoded'
const hides = 'hides a network that was compiled for one device'
const trains = 'trains: gradients and optimisers are no inference'
const position = 'makes position biases from weights and data by several products, which has no rule'

const microsoft: Readonly<Record<string, string>> = {
  AttnLSTM: 'is a recurrence around an attention, which has no rule',
  BeamSearch: searches,
  BifurcationDetector: searches,
  ConvTransposeWithDynamicPads: 'is a transposed convolution whose pads are data',
  DecoderAttention: cached,
  DecoderMaskedSelfAttention: cached,
  DequantizeBFP: fewBits,
  DequantizeWithOrder: ordered,
  DynamicTimeWarping: 'finds the shortest path through its data: discontinuous',
  EPContext: hides,
  EngramGate: gates,
  GatedAdd: gates,
  GatedDeltaNet: gates,
  GatedRMSNorm: gates,
  GatedRelativePositionBias: position,
  GemmFloat8: 'rounds its data to 8 bits, which jumps',
  GemmaRotaryEmbedding: 'rotates its data by angles that are computed from data',
  GreedySearch: searches,
  LinearAttention: gates,
  LinearAttentionGate: gates,
  MRotaryEmbedding: 'rotates its data by tables and sections that have no rule',
  MatMulBlockQuantizedFp4Weight: fewBits,
  MatMulBlockQuantizedFp8Weight: fewBits,
  MatMulBnb4: fewBits,
  MatMulFpQ4: fewBits,
  MatMulNBitsMlp: fewBits,
  MatMulNBitsQkv: fewBits,
  MoE: routes,
  MurmurHash3: ids,
  NGramHashMapping: ids,
  NGramRepeatBlock: ids,
  PagedAttention: cached,
  QMoE: routes,
  QOrderedAttention: ordered,
  QOrderedGelu: ordered,
  QOrderedLayerNormalization: ordered,
  QOrderedLongformerAttention: ordered,
  QOrderedMatMul: ordered,
  QuantizeBFP: roundsBlocks,
  QuantizeWithOrder: ordered,
  RelativePositionBias: position,
  Snpe: hides,
  SparseToDenseMatMul: 'multiplies by a sparse tensor, which has no rule',
  Tokenizer: 'has strings as data, which have no distance',
  VarlenCausalConvWithState: packed,
  VarlenNGramHashMapping: ids,
  WhisperBeamSearch: searches,
  WordConvEmbedding: ids,
}

/** Optimisers, with the number of tensors that they take for each parameter: its value, its gradient, its states. */
const optimizers = { Adagrad: 3, Adam: 4, Momentum: 3 } as const

/** Rate and step, then all values, all gradients, all states; new values and states come out. */
function inferOptimizer(perParameter: number): Operator['infer'] {
  return (context) => {
    const count = (context.node.inputs.length - 2) / perParameter
    return context.node.outputs.map((_, i) => {
      const kind = Math.floor(i / count)
      const source = context.input(2 + (kind === 0 ? 0 : kind + 1) * count + (i % count))
      return source === null ? unknownInfo : infoOf(source.type, source.shape)
    })
  }
}

const infer: Operator['infer'] = ({ node }) => node.outputs.map(() => unknownInfo)

function refused(domain: string, reasons: Readonly<Record<string, string>>): Operator[] {
  return Object.entries(reasons).map(([op, without]) => ({ op, domain, without, infer }))
}

export const opaqueOperators: readonly Operator[] = [
  ...refused('com.microsoft', microsoft),
  ...refused('ai.onnx.preview.training', { Gradient: trains }),
  ...Object.entries(optimizers).map(([op, perParameter]) => ({
    op,
    domain: 'ai.onnx.preview.training',
    without: trains,
    infer: inferOptimizer(perParameter),
  })),
  {
    op: 'TorchEmbedding',
    without: ids,
    domain: 'com.microsoft',
    infer: (context) => [infoOf(requiredInput(context, 0).type, null)],
  },
  {
    op: 'QEmbedLayerNormalization',
    without: ids,
    domain: 'com.microsoft',
    infer: () => [infoOf('float32', null), infoOf('int32', null)],
  },
  { op: 'IsAllFinite', bound: jumps, domain: 'com.microsoft', infer },
  { op: 'Sampling', bound: draws, draws: () => true, domain: 'com.microsoft', infer },
]
