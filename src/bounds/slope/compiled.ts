import { allocateFloats, floatsAt } from '../../linalg/arena.ts'
import { kernels } from '../../linalg/kernels.ts'
import type { LinearMap } from '../../ops/linear-map.ts'
import { compose } from '../../ops/maps/composed.ts'
import type { MatrixFactor } from './parts.ts'
import type { Placed } from './placed.ts'
import type { Window } from './window.ts'

/**
 * The window with its matrices and convolutions in the arena, multiplied by compiled loops, until the enclosing `scoped`
 * call returns. Every element stays a sum of the same products.
 */
export function compiled(window: Window): Window {
  const steps = window.steps.map((step) => ({ ...step, map: compiledMap(step) }))
  return {
    ...window,
    steps,
    map: compose(steps, window.elements.length, window.sourceSlots, window.targetSlots),
  }
}

/** One node's map in compiled loops, where it has them. */
export function compiledMap(step: Placed): LinearMap {
  const at = step.inputs.findIndex((slot) => slot >= 0)
  const convolution = step.convolution?.() ?? null
  if (convolution !== null) return one(step, at, convolution.apply, convolution.applyAdjoint)
  const matrix = step.matrix?.() ?? null
  if (matrix === null) return step.map
  const [forward, back] = productsOf(matrix)
  return one(step, at, forward, back)
}

type Product = (x: Float64Array) => Float64Array

/** A map of one input and one output. */
function one({ inputs }: Placed, at: number, forward: Product, back: Product): LinearMap {
  return {
    apply: (changes) => {
      const change = changes[at]
      return [change ? forward(change) : null]
    },
    applyAdjoint: ([change]) => inputs.map((_, i) => (i === at && change ? back(change) : null)),
  }
}

function productsOf({ rows, columns, data, factor, transposed }: MatrixFactor): [Product, Product] {
  const [height, width] = transposed ? [columns, rows] : [rows, columns]
  const matrix = allocateFloats(rows * columns)
  const copy = floatsAt(matrix, rows * columns)
  for (let i = 0; i < copy.length; i++) copy[i] = factor * data[i]
  const [long, short] = [allocateFloats(height), allocateFloats(width)]
  const image: Product = (x) => {
    floatsAt(short, width).set(x)
    kernels().imageF64(matrix, height, width, short, long)
    return floatsAt(long, height).slice()
  }
  const adjoint: Product = (y) => {
    floatsAt(long, height).set(y)
    floatsAt(short, width).fill(0)
    kernels().adjointF64(matrix, height, width, long, short)
    return floatsAt(short, width).slice()
  }
  return transposed ? [adjoint, image] : [image, adjoint]
}
