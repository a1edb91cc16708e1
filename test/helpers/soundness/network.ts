import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { ElementType } from '../../../src/core/tensor.ts'
import { norm } from './vectors.ts'

/** An input that varies: where its elements lie in the one vector of all of them follows from the order. */
export interface VaryingInput {
  readonly name: string
  readonly type: 'float32' | 'float64'
  readonly dims: readonly number[]
  /** A point to start from; null: none is known. */
  readonly sample: Float64Array | null
}

/** A model in onnxruntime as a function of one vector, with everything else held fixed. */
export interface Network {
  /** Elements of all varying inputs. */
  readonly size: number
  /** Relative error of one rounding of the coarsest type among inputs and outputs. */
  readonly unitRoundoff: number
  /** Whether all outputs of the last run are float32 or float64. */
  readonly isReal: boolean
  /** Runs so far. */
  readonly runs: number
  /** The least and the largest element that each output has had in any run, and its largest ℓ2 norm. */
  readonly extremes: readonly { lo: number; hi: number; norm: number }[]
  /** The outputs asked for, each as its elements. */
  run(x: Float64Array): Promise<Float64Array[]>
  /** The vector that `run` really evaluates: rounded to the inputs' type. */
  round(x: Float64Array): Float64Array
  release(): Promise<void>
}

const sizeOf = (dims: readonly number[]) => dims.reduce((size, dim) => size * dim, 1)

const packers: Partial<Record<ElementType, (values: ArrayLike<number>) => Tensor['data']>> = {
  float32: (values) => Float32Array.from(values),
  float64: (values) => Float64Array.from(values),
  int8: (values) => Int8Array.from(values),
  uint8: (values) => Uint8Array.from(values),
  int16: (values) => Int16Array.from(values),
  uint16: (values) => Uint16Array.from(values),
  int32: (values) => Int32Array.from(values),
  uint32: (values) => Uint32Array.from(values),
  bool: (values) => Uint8Array.from(values),
  int64: (values) => BigInt64Array.from(Array.from(values, BigInt)),
  uint64: (values) => BigUint64Array.from(Array.from(values, BigInt)),
}

/** A tensor for onnxruntime; null for types that it does not take here. */
export function feed(type: ElementType, values: ArrayLike<number>, dims: readonly number[]): Tensor | null {
  const data = packers[type]?.(values)
  return data === undefined ? null : new Tensor(type as 'float32', data as Float32Array, dims)
}

export async function openNetwork(
  path: string,
  varying: readonly VaryingInput[],
  fixed: Readonly<Record<string, Tensor>>,
  outputs: readonly string[],
): Promise<Network> {
  const session = await InferenceSession.create(path, {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
    graphOptimizationLevel: 'disabled',
  })
  const size = varying.reduce((sum, input) => sum + sizeOf(input.dims), 0)
  const single = varying.some((input) => input.type === 'float32')
  let runs = 0
  let types = new Set<string>()
  const extremes = outputs.map(() => ({ lo: Infinity, hi: -Infinity, norm: 0 }))
  return {
    extremes,
    size,
    get unitRoundoff() {
      return single || types.has('float32') ? 2 ** -24 : 2 ** -53
    },
    get isReal() {
      return [...types].every((type) => type === 'float32' || type === 'float64')
    },
    get runs() {
      return runs
    },
    round: (x) => (single ? x.map(Math.fround) : x),
    async run(x) {
      runs++
      const feeds: Record<string, Tensor> = { ...fixed }
      let start = 0
      for (const { name, type, dims } of varying) {
        const end = start + sizeOf(dims)
        feeds[name] = feed(type, x.subarray(start, end), dims) as Tensor
        start = end
      }
      const results = await session.run(feeds, [...outputs])
      types = new Set(outputs.map((name) => results[name].type))
      return outputs.map((name, i) => {
        const elements = Float64Array.from(results[name].data as Float32Array)
        const seen = extremes[i]
        for (const element of elements) {
          if (element < seen.lo) seen.lo = element
          if (element > seen.hi) seen.hi = element
        }
        seen.norm = Math.max(seen.norm, norm(elements))
        return elements
      })
    },
    release: () => session.release(),
  }
}
