import type { Operator } from '../operator.ts'
import { activations } from './activations.ts'
import { arithmetic } from './arithmetic.ts'
import { attentions } from './attention.ts'
import { batchNormalizations } from './batch-normalization.ts'
import { channelBlocks } from './channel-blocks.ts'
import { classicalOperators } from './classical.ts'
import { convolutions } from './convolution.ts'
import { einsums } from './einsum.ts'
import { elementaryFunctions } from './elementary-functions.ts'
import { fusedOperators } from './fused.ts'
import { gemms } from './gemm.ts'
import { legacyOperators } from './legacy.ts'
import { linearModels } from './linear-models.ts'
import { losses } from './losses.ts'
import { products } from './matmul.ts'
import { normalizations } from './normalizations.ts'
import { opaqueOperators } from './opaque.ts'
import { pools } from './pooling.ts'
import { quantizations } from './quantization.ts'
import { quantizedElementwise } from './quantized-elementwise.ts'
import { quantizedProducts } from './quantized-products.ts'
import { recurrences } from './recurrent.ts'
import { samplings } from './sampling.ts'
import { signals } from './signal.ts'
import { softmaxes } from './softmax.ts'

/** Operators that compute: linear maps, activations, normalisations, pooling, recurrences, one array per family. */
export const numericFamilies: readonly (readonly Operator[])[] = [
  elementaryFunctions,
  activations,
  arithmetic,
  products,
  gemms,
  einsums,
  convolutions,
  pools,
  channelBlocks,
  samplings,
  batchNormalizations,
  normalizations,
  softmaxes,
  recurrences,
  quantizations,
  quantizedProducts,
  quantizedElementwise,
  attentions,
  signals,
  losses,
  legacyOperators,
  fusedOperators,
  classicalOperators,
  linearModels,
  opaqueOperators,
]
