import { readFileSync } from 'node:fs'
import { LipschitzError } from '../core/errors.ts'

/** Byte offset into the memory of the kernels. */
export type Pointer = number

type MatrixKernel = (a: Pointer, rows: number, columns: number, ...vectors: Pointer[]) => void
/** Elements of one or two bytes as float32. */
type WideningKernel = (from: Pointer, count: number, to: Pointer) => void
type GramKernel = (
  a: Pointer,
  order: number,
  length: number,
  rowStride: number,
  columnStride: number,
  gram: Pointer,
  packed: Pointer,
) => void

/** What assembly/kernels.ts exports; each kernel is described there. Vectors and results are float64. */
export interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  readonly surveyF32: MatrixKernel
  readonly surveyF64: MatrixKernel
  readonly normalPairF32: MatrixKernel
  readonly normalPairF64: MatrixKernel
  readonly adjointF32: MatrixKernel
  readonly adjointF64: MatrixKernel
  readonly imageF32: MatrixKernel
  readonly imageF64: MatrixKernel
  readonly widenF16: WideningKernel
  readonly widenBF16: WideningKernel
  readonly widenI8: WideningKernel
  readonly widenU8: WideningKernel
  readonly gramF32: GramKernel
  readonly gramF64: GramKernel
  cholesky(matrix: Pointer, order: number, packed: Pointer): number
  eliminate(matrix: Pointer, order: number, count: number, packed: Pointer): number
  product(
    a: Pointer,
    aRow: number,
    aColumn: number,
    b: Pointer,
    bRow: number,
    bColumn: number,
    rows: number,
    columns: number,
    depth: number,
    c: Pointer,
    pitch: number,
    packed: Pointer,
    sign: number,
  ): void
  invertTriangle(triangle: Pointer, order: number, inverse: Pointer): void
  evaluateHermitian(
    coefficients: Pointer,
    shifts: number,
    waves: Pointer,
    pairs: number,
    real: Pointer,
    imaginary: Pointer,
  ): void
  factoriseShifted(real: Pointer, imaginary: Pointer, order: number, t: number): number
  multiplyHermitian(real: Pointer, imaginary: Pointer, order: number, v: Pointer, z: Pointer): void
  combineRuns(
    matrix: Pointer,
    outputs: number,
    inputs: number,
    inputOffsets: Pointer,
    outputOffsets: Pointer,
    places: Pointer,
    count: number,
    length: number,
    x: Pointer,
    y: Pointer,
    add: number,
  ): void
  multiplyFrequencies(
    weights: Pointer,
    count: number,
    channels: number,
    x: Pointer,
    y: Pointer,
    turned: Pointer,
  ): void
  multiplyFrequenciesSingle(
    weights: Pointer,
    count: number,
    channels: number,
    x: Pointer,
    y: Pointer,
    turned: Pointer,
  ): void
  gatherProduct(
    positions: Pointer,
    count: number,
    taps: Pointer,
    tapCount: number,
    weights: Pointer,
    channels: number,
    panels: number,
    x: Pointer,
    y: Pointer,
  ): void
}

/** The part of the WebAssembly API that is used here; the library of types that has it all is the browser's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

let loaded: Kernels | null = null

/** The kernels of this thread, compiled and instantiated on first use. */
export function kernels(): Kernels {
  loaded ??= load()
  return loaded
}

function load(): Kernels {
  const file = new URL('./kernels.wasm', import.meta.url)
  let bytes: Uint8Array<ArrayBuffer>
  try {
    bytes = readFileSync(file)
  } catch {
    throw new LipschitzError('internal', `the kernels ${file.pathname} are missing`, {
      hint: 'run npm run build',
    })
  }
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Kernels
}
