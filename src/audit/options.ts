import type { BoundChoice, Effort } from '../bounds/effort.ts'
import type { NormName } from '../core/norm-name.ts'
import type { Stop } from '../core/stop.ts'
import type { Dim, Shape } from '../core/tensor.ts'
import type { LayerMeasurement } from '../norms/measurement.ts'
import type { ReadOptions } from '../onnx/read-options.ts'
import type { Baseline } from './baseline.ts'
import type { Ignore } from './ignore.ts'

/** Where the elements of an input lie; `input` null: of every audited input without a range of its own. */
export interface InputRange {
  readonly input: string | null
  readonly lo: number
  readonly hi: number
}

/** An input for which a point has elements. */
export interface PointInput {
  readonly name: string
  readonly shape: Shape | null
}

/** All points within `radius` of one, over all audited inputs together. */
export interface BallOption {
  /** How the point is called in the report. */
  readonly name: string
  /** The elements of each audited input, by name; others that it has are not read. */
  readonly read: (
    audited: readonly PointInput[],
    held: readonly PointInput[],
  ) => ReadonlyMap<string, { readonly data: ArrayLike<number> }>
  readonly radius: number
  readonly norm: 'l2' | 'linf'
}

/** What an audit may be told; every field has a default. */
export interface AuditOptions extends ReadOptions {
  /** Shapes of graph inputs by name; null for a dimension that stays unknown. */
  readonly inputShapes?: ReadonlyMap<string, readonly Dim[]>
  /** The domain: bounds hold for inputs in these ranges alone. Default: for all inputs. */
  readonly inputRanges?: readonly InputRange[]
  /** The domain: bounds hold for inputs within a distance of a point alone. */
  readonly ball?: BallOption
  /** Inputs that the bound is with respect to; default: all of floating-point type. */
  readonly inputs?: readonly string[]
  /** Outputs that are bounded; default: all of floating-point type. */
  readonly outputs?: readonly string[]
  /** The norm in which changes of inputs and outputs are measured; default `l2`. */
  readonly norm?: NormName
  /** Gate: the largest accepted Lipschitz constant of the network. */
  readonly maxLipschitz?: number
  /** Gate: the largest accepted spectral norm of a layer. */
  readonly maxLayer?: number
  /** Gates: no bound rises against this report. */
  readonly baseline?: Baseline
  /** Gates and findings that are known and accepted. */
  readonly ignores?: readonly Ignore[]
  /** Largest accepted relative width of a layer's enclosure; default 1e-3. */
  readonly tolerance?: number
  /** `deterministic` forces proofs without probability; default `probabilistic`: the cheaper of both. */
  readonly certify?: 'deterministic' | 'probabilistic'
  /** The bound that is reported; default `best`: the least of all that the effort goes to. */
  readonly bound?: BoundChoice
  /** How much work bounds beyond the graph walk may take; default `normal`. */
  readonly effort?: Effort
  /** Seed of all random starts; default 0. */
  readonly seed?: number
  /** Worker threads; default: the cores that are there. The report does not depend on it. */
  readonly threads?: number
  /** Seconds that the audit may take; what is not proven by then is reported as such. */
  readonly timeLimit?: number
  /** Bytes that the weights in memory may take; larger matrices are read by blocks. */
  readonly memoryLimit?: number
  /** Folder where norms that were measured are kept for other runs. */
  readonly cache?: string
  readonly onProgress?: (progress: Progress) => void
  /** Told what went wrong and was put right. */
  readonly onWarning?: (message: string) => void
}

/** What a run brings to each of its models. */
export interface RunOptions {
  /** Ends the audit early; the time limit of the options by default. */
  readonly stop?: Stop
  /** Measurements that are there already, by key of layer. */
  readonly measurements?: ReadonlyMap<string, LayerMeasurement>
  /** Keys of the layers to be measured; all by default. */
  readonly only?: ReadonlySet<string>
}

/** Layers measured so far of one model. */
export interface Progress {
  readonly model: string
  readonly done: number
  readonly total: number
  readonly label: string
  /** How much of the work on the layers of this model is done, from 0 to 1, by estimated cost. */
  readonly share: number
}

export const defaults = {
  tolerance: 1e-3,
  certify: 'probabilistic',
  effort: 'normal',
  seed: 0,
  /** Failure probability that all layers of one model share. */
  failureProbability: 1e-10,
} as const
