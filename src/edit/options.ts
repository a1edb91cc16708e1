import type { AuditOptions } from '../audit/options.ts'

/** Which layers are meant, by the names of node and weight. */
export type LayerChoice = (node: string, weight: string) => boolean

/** How a reduction of the network's bound is spread over its layers. */
export type Spread = 'evenly' | 'sensitivity'

/** What is to be normalised, and how; proofs and shapes as in an audit. */
export interface NormalizeOptions
  extends Pick<
    AuditOptions,
    | 'inputShapes'
    | 'inputRanges'
    | 'inputs'
    | 'outputs'
    | 'tolerance'
    | 'certify'
    | 'bound'
    | 'effort'
    | 'seed'
    | 'threads'
    | 'limits'
    | 'externalData'
    | 'hardLinks'
    | 'onProgress'
  > {
  /** The norm that no chosen layer exceeds; default 1. */
  readonly target?: number
  /** Instead of `target`: the Lipschitz constant that the network is brought to. */
  readonly toLipschitz?: number
  /** How `toLipschitz` is spread over the layers; default 'evenly'. */
  readonly spread?: Spread
  /** The layers that may be scaled, by the names of node and weight; default: all dense and convolution layers. */
  readonly layers?: LayerChoice
  /** Moves the gains of batch normalisations into the layers before them first. */
  readonly foldBatchNorm?: boolean
  /** Replaces an output that exists. */
  readonly force?: boolean
}
