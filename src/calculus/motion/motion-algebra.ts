import { LipschitzError } from '../../core/errors.ts'
import type { FloatArray } from '../../core/tensor.ts'
import type { Algebra, Binary, Variable } from '../../ops/algebra.ts'
import { createAlgebra } from '../../ops/maps/algebra.ts'
import { divided, larger, multiplied, smaller, subtracted, summed } from '../../ops/maps/definition.ts'
import { factorMap, type Labelled, summedTerms, sumOfProducts } from '../../ops/maps/products.ts'
import { reducedBy, reductionMap } from '../../ops/maps/reduction.ts'
import { constantSlope, reciprocal } from '../../ops/maps/secants.ts'
import { placesOf } from '../../ops/maps/terms.ts'
import { broadcastShapes } from '../../ops/shape/broadcast.ts'
import { affineMotion } from './affine-motion.ts'
import { slopedMotion } from './elementwise-motion.ts'
import { largestMotion } from './largest-motion.ts'
import { exactMotion, isExact, type Motion, selectedMotion } from './motion.ts'
import { bilinearMotion, multipliedMotion, summedMotion } from './product-motion.ts'

/** An algebra of motions: what is defined in terms of an algebra is enclosed by it. */
export interface MotionAlgebra extends Algebra {
  variable(motion: Motion): Variable
  /** Null for what this algebra did not make, and for places of what is largest. */
  find(variable: Variable): Motion | null
}

/** Thrown where a step is not known to be enclosed; whoever runs a definition names the node. */
const unknown = (what: string): never => {
  throw new LipschitzError('unsupported', `takes a step that is not enclosed: ${what}`)
}

const negatedSlope = constantSlope(-1)

/**
 * Definitions see dims and which arrays vary; elements only of those that are exact, as nothing may be decided by others.
 * Functions without secants, and functions of two numbers that are not known here, are refused.
 */
export function createMotionAlgebra(): MotionAlgebra {
  const motions = new WeakMap<Variable, Motion>()

  function variable(motion: Motion): Variable {
    const exact = isExact(motion)
    const made: Variable = {
      dims: motion.dims,
      slot: exact ? -1 : 0,
      get data(): FloatArray {
        return exact ? motion.value : unknown('elements that are not exact decide')
      },
    }
    motions.set(made, motion)
    return made
  }

  const motionOf = (x: Variable) => motions.get(x) ?? unknown('an array of another algebra')
  const constant = (dims: readonly number[], data: FloatArray) => variable(exactMotion({ dims, data }))

  /** Moves elements as the plain algebra does: by what it makes of their places. */
  function moved(
    parts: readonly Variable[],
    move: (algebra: Algebra, parts: readonly Variable[]) => Variable,
  ) {
    const algebra = createAlgebra()
    let first = 0
    const numbered = parts.map(({ dims }) => {
      const size = dims.reduce((product, dim) => product * dim, 1)
      const data = Float64Array.from({ length: size }, (_, i) => first + i)
      first += size
      return algebra.constant(dims, data)
    })
    const { dims, data } = move(algebra, numbered)
    return variable(selectedMotion(sideBySide(parts.map(motionOf)), dims, Int32Array.from(data)))
  }

  function map(
    x: Variable,
    f: (x: number) => number,
    secants = isExact(motionOf(x)) ? constantSlope(0) : unknown('a function whose slopes are not known'),
  ): Variable {
    const motion = motionOf(x)
    return variable(slopedMotion(motion, motion.value.map(f), secants, false))
  }

  function broadcast(x: Variable, dims: readonly number[]): Motion {
    const motion = motionOf(x)
    const places = placesOf(motion.dims, dims)
    return places === null ? { ...motion, dims } : selectedMotion(motion, dims, places)
  }

  function zip(a: Variable, b: Variable, join: Binary): Variable {
    const fail = (message: string) => unknown(message)
    const dims = broadcastShapes({ fail }, [a.dims, b.dims]) as readonly number[]
    const [x, y] = [broadcast(a, dims), broadcast(b, dims)]
    if (join === summed) return variable(summedMotion(x, y, 1))
    if (join === subtracted) return variable(summedMotion(x, y, -1))
    if (join === multiplied) return variable(multipliedMotion(x, y))
    if (join === divided)
      return variable(
        multipliedMotion(
          x,
          slopedMotion(
            y,
            y.value.map((value) => 1 / value),
            reciprocal,
            false,
          ),
        ),
      )
    if (join === larger) return variable(largestOfTwo(x, y))
    if (join === smaller) return variable(negated(largestOfTwo(negated(x), negated(y))))
    return unknown('a function of two numbers')
  }

  function product(a: Variable, aLabels: string, b: Variable, bLabels: string, output: string): Variable {
    const [x, y] = [motionOf(a), motionOf(b)]
    const left: Labelled = { labels: [...aLabels], dims: a.dims }
    const right: Labelled = { labels: [...bLabels], dims: b.dims }
    const sizes = new Map<string, number>()
    for (const { labels, dims } of [left, right]) {
      for (const [axis, label] of labels.entries())
        sizes.set(label, Math.max(sizes.get(label) ?? 1, dims[axis]))
    }
    const target: Labelled = { labels: [...output], dims: [...output].map((label) => sizes.get(label)!) }
    const outputs = [{ type: 'float64' as const, dims: target.dims }]
    const by = (labelled: Labelled, other: Labelled, data: FloatArray) => ({
      map: factorMap(1, 0, labelled, { ...other, data }, target, 1),
      offsets: [null],
      outputs,
    })
    /** Σ of one factor and exact numbers. */
    const times = (motion: Motion, own: Labelled, other: Labelled, data: FloatArray): Motion =>
      affineMotion(by(own, other, data), [motion])![0]
    if (isExact(y)) return variable(times(x, left, right, y.value))
    if (isExact(x)) return variable(times(y, right, left, x.value))
    const sums = (p: Float64Array, q: Float64Array) =>
      sumOfProducts(target, { ...left, data: p }, { ...right, data: q })
    return variable(bilinearMotion(x, y, target.dims, sums, summedTerms(target, [left, right])))
  }

  return {
    variable,
    find: (x) => motions.get(x) ?? null,
    constant,
    input: (tensor, varies) => (varies ? unknown('an input') : constant(tensor.dims, tensor.data)),
    fixed: (x) => constant(x.dims, motionOf(x).value),
    map: (x, f, _, secants) => map(x, f, secants),
    zip,
    product,
    sum(x, axes) {
      const reduced = reducedBy(x.dims, axes)
      const node = {
        map: reductionMap(1, reduced, 1),
        offsets: [null],
        outputs: [{ type: 'float64' as const, dims: reduced.kept }],
      }
      return variable(affineMotion(node, [motionOf(x)])![0])
    },
    max(x, axes) {
      const { kept, count } = reducedBy(x.dims, axes)
      return variable(largestMotion(motionOf(x), kept, groupsOf(x.dims, kept, count), count))
    },
    largest(x, dims, places, taps) {
      const values = variable(largestMotion(motionOf(x), dims, places, taps))
      return {
        values,
        positions: {
          dims,
          slot: 0,
          get data() {
            return unknown('where the largest stand')
          },
        },
      }
    },
    select: (x, dims, places, filling) => variable(selectedMotion(motionOf(x), dims, places, filling)),
    reshape: (x, dims) => variable({ ...motionOf(x), dims }),
    transpose: (x, perm) => moved([x], (algebra, [own]) => algebra.transpose(own, perm)),
    slice: (x, axis, from, to) => moved([x], (algebra, [own]) => algebra.slice(own, axis, from, to)),
    reverse: (x, axis) => moved([x], (algebra, [own]) => algebra.reverse(own, axis)),
    concat: (parts, axis) => moved(parts, (algebra, own) => algebra.concat(own, axis)),
    derivative: () => unknown('a derivative'),
  }
}

function negated(x: Motion): Motion {
  const images = x.value.map((value) => -value)
  return slopedMotion(x, images, negatedSlope, true)
}

function sideBySide(motions: readonly Motion[]): Motion {
  if (motions.length === 1) return motions[0]
  const join = (of: (motion: Motion) => Float64Array) => {
    const parts = motions.map(of)
    const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }
  const moves = motions.some(({ change }) => change !== null)
  const orZeros = (part: 'change' | 'blur') => (motion: Motion) =>
    motion[part] ?? new Float64Array(motion.value.length)
  const [value, doubt] = [join((motion) => motion.value), join((motion) => motion.doubt)]
  return {
    dims: [value.length],
    value,
    doubt,
    change: moves ? join(orZeros('change')) : null,
    blur: moves ? join(orZeros('blur')) : null,
  }
}

function largestOfTwo(x: Motion, y: Motion): Motion {
  const size = x.value.length
  const places = Int32Array.from({ length: 2 * size }, (_, i) => (i >> 1) + (i % 2) * size)
  return largestMotion(sideBySide([x, y]), x.dims, places, 2)
}

/** For each group of elements that share a place along the kept axes, where they stand. */
function groupsOf(dims: readonly number[], kept: readonly number[], count: number): Int32Array {
  const size = dims.reduce((product, dim) => product * dim, 1)
  const groups = placesOf(kept, dims)
  if (groups === null) return Int32Array.from({ length: size }, (_, i) => i)
  const filled = new Int32Array(size / count)
  const places = new Int32Array(size)
  for (let i = 0; i < size; i++) places[groups[i] * count + filled[groups[i]]++] = i
  return places
}
