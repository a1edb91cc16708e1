import { allocateFloats, floatsAt } from '../arena.ts'
import { euclideanNorm } from '../dense-map.ts'
import type { Pointer } from '../kernels.ts'
import { gamma } from '../rounding-error.ts'
import { largestMagnitude } from '../survey.ts'
import type { SizedAxis } from './axis.ts'
import { fieldOf, offsetIn, positionsOf } from './field.ts'
import { type GatherProduct, gatherProduct } from './gather.ts'
import { type Kernel, sumOfSliceNorms, tapCount, tapPositions } from './kernel.ts'

/** The products with a finite convolution T that norms are made of. Vectors are [position, channel]. */
export interface PlacedConvolution {
  readonly columns: number
  /** ‖fl(TᵀTv) − TᵀTv‖ ≤ roundingError · ‖T‖ · ‖v‖. */
  readonly roundingError: number
  /** z = TᵀT v and y = TᵀT u. */
  applyPair(v: Float64Array, u: Float64Array, z: Float64Array, y: Float64Array): void
  /** z = TᵀT v. */
  apply(v: Float64Array, z: Float64Array): void
  /** A number ≤ ‖T v‖ / ‖v‖, rounding accounted for: a proven lower bound on ‖T‖ for any v ≠ 0. */
  stretch(v: Float64Array): number
  /** The same for T*, of vectors over outputs: a number ≤ ‖T*u‖ / ‖u‖. */
  stretchAdjoint(u: Float64Array): number
}

/**
 * The convolution in the arena, two vectors at a time, as gather products. Forward: output q gathers the taps from the
 * padded input at stride·q. Adjoint: with i + pad = stride·j + r, input i gathers the outputs j − u through the taps
 * stride·u + r, one product for each phase r.
 *
 * Sums of length N err by at most γ_N times the sum of magnitudes, ‖|T|‖ ≤ κ := Σ_tap ‖K[tap]‖_F and ‖T‖ is at least
 * the largest weight, which gives `roundingError` and what `stretch` takes off.
 */
export function placedConvolution(kernel: Kernel): PlacedConvolution {
  const { outputs, inputs, slices } = kernel
  const axes = kernel.axes as readonly SizedAxis[]
  const inputField = fieldOf(
    axes.map(({ stride, outputs: count, taps }) => stride * (count - 1) + taps),
    inputs,
    1,
  )
  /** Outputs before the first that the adjoint's taps reach for: zeros. */
  const margins = axes.map(({ taps, stride }) => Math.ceil(taps / stride) - 1)
  const outputField = fieldOf(
    axes.map(({ inputs: count, pad, stride, outputs: own }, a) => {
      const lastBlock = Math.floor((count - 1 + pad) / stride)
      return margins[a] + Math.max(own, lastBlock + 1)
    }),
    outputs,
    1,
  )
  const inputPointer = allocateFloats(2 * inputField.size)
  const outputPointer = allocateFloats(2 * outputField.size)
  const resultPointer = allocateFloats(2 * inputField.size)
  floatsAt(inputPointer, 2 * inputField.size).fill(0)

  const forward = forwardProduct()
  const phases = positionsOf(axes.map((axis) => axis.stride))
  const adjoint = phases.flatMap((phase) => adjointProduct(phase) ?? [])

  function forwardProduct(): GatherProduct {
    const positions: number[] = []
    for (const copy of [0, 1]) {
      for (const position of positionsOf(axes.map((axis) => axis.outputs))) {
        const from = position.map((q, a) => axes[a].stride * q)
        const to = position.map((q, a) => q + margins[a])
        positions.push(copy * inputField.size + offsetIn(inputField, from))
        positions.push(copy * outputField.size + offsetIn(outputField, to))
      }
    }
    const taps = tapPositions(kernel).map((tap) => offsetIn(inputField, tap))
    return gatherProduct(
      positions,
      taps,
      outputs,
      inputs,
      (tap, o, c) => slices[(tap * outputs + o) * inputs + c],
    )
  }

  function adjointProduct(phase: readonly number[]): GatherProduct | null {
    const taps = tapPositions(kernel).flatMap((tap, slice) =>
      tap.every((t, a) => t % axes[a].stride === phase[a]) ? [{ tap, slice }] : [],
    )
    const own = axes.map(({ inputs: count, pad, stride }, a) => {
      const first = Math.ceil((pad - phase[a]) / stride)
      const last = Math.floor((count - 1 + pad - phase[a]) / stride)
      return { first, count: last - first + 1 }
    })
    if (taps.length === 0 || own.some(({ count }) => count <= 0)) return null
    const positions: number[] = []
    for (const copy of [0, 1]) {
      for (const index of positionsOf(own.map(({ count }) => count))) {
        const block = index.map((i, a) => i + own[a].first)
        const to = block.map((j, a) => axes[a].stride * j + phase[a])
        positions.push(copy * outputField.size + offsetIn(outputField, block))
        positions.push(copy * inputField.size + offsetIn(inputField, to))
      }
    }
    const offsets = taps.map(({ tap }) =>
      offsetIn(
        outputField,
        tap.map((t, a) => margins[a] - Math.floor(t / axes[a].stride)),
      ),
    )
    const weight = (tap: number, c: number, o: number) => slices[(taps[tap].slice * outputs + o) * inputs + c]
    return gatherProduct(positions, offsets, inputs, outputs, weight)
  }

  const inputPositions = positionsOf(axes.map((axis) => axis.inputs)).map((position) =>
    offsetIn(
      inputField,
      position.map((i, a) => i + axes[a].pad),
    ),
  )

  const outputPositions = positionsOf(axes.map((axis) => axis.outputs)).map((position) =>
    offsetIn(
      outputField,
      position.map((q, a) => q + margins[a]),
    ),
  )

  function write(vector: Float64Array, copy: number): void {
    const field = floatsAt(inputPointer + copy * inputField.size * 8, inputField.size)
    for (let i = 0, k = 0; i < inputPositions.length; i++) {
      for (let c = 0, to = inputPositions[i]; c < inputs; c++) field[to++] = vector[k++]
    }
  }

  function read(pointer: Pointer, copy: number, vector: Float64Array): void {
    const field = floatsAt(pointer + copy * inputField.size * 8, inputField.size)
    for (let i = 0, k = 0; i < inputPositions.length; i++) {
      for (let c = 0, from = inputPositions[i]; c < inputs; c++) vector[k++] = field[from++]
    }
  }

  function runForward(share: 1 | 0.5): void {
    floatsAt(outputPointer, 2 * share * outputField.size).fill(0)
    forward.run(inputPointer, outputPointer, share)
  }

  function runAdjoint(share: 1 | 0.5): void {
    floatsAt(resultPointer, 2 * share * inputField.size).fill(0)
    for (const product of adjoint) product.run(outputPointer, resultPointer, share)
  }

  const kappa = sumOfSliceNorms(kernel)
  const across = gamma(tapCount(kernel) * inputs + 2)
  const back = gamma(tapCount(kernel) * outputs + 2)

  /** A lower bound on ‖b‖/‖x‖ for the exact product b, from the computed one. */
  function ratio(product: Float64Array, x: Float64Array, error: number): number {
    const length = euclideanNorm(x) * (1 + gamma(x.length + 2))
    const image = euclideanNorm(product) * (1 - gamma(product.length + 2))
    return Math.max(0, (image / length - kappa * error) * (1 - 2 ** -50))
  }

  const amplified = (across * back * kappa) / largestMagnitude(slices)
  return {
    columns: inputPositions.length * inputs,
    roundingError: kappa * (across + back + amplified) * (1 + 2 ** -20),
    applyPair(v, u, z, y) {
      write(v, 0)
      write(u, 1)
      runForward(1)
      runAdjoint(1)
      read(resultPointer, 0, z)
      read(resultPointer, 1, y)
    },
    apply(v, z) {
      write(v, 0)
      runForward(0.5)
      runAdjoint(0.5)
      read(resultPointer, 0, z)
    },
    stretch(v) {
      write(v, 0)
      runForward(0.5)
      return ratio(floatsAt(outputPointer, outputField.size), v, across)
    },
    stretchAdjoint(u) {
      const field = floatsAt(outputPointer, outputField.size)
      field.fill(0)
      for (let i = 0, k = 0; i < outputPositions.length; i++) {
        for (let o = 0, to = outputPositions[i]; o < outputs; o++) field[to++] = u[k++]
      }
      runAdjoint(0.5)
      return ratio(floatsAt(resultPointer, inputField.size), u, back)
    },
  }
}
