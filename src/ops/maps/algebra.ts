import type { FloatArray } from '../../core/tensor.ts'
import { stridesOf } from '../../core/tensor.ts'
import type { Algebra, Binary, Largest, Variable } from '../algebra.ts'
import type { LinearMap } from '../linear-map.ts'
import { broadcastShapes } from '../shape/broadcast.ts'
import { compose, type Step } from './composed.ts'
import { combined, factorMap, type Labelled, sumOfProducts } from './products.ts'
import { type Reduced, reducedBy, reductionMap } from './reduction.ts'
import { identityMap, selectionMap } from './selection.ts'
import { productOf } from './sizes.ts'
import { broadcastMap, repeated } from './terms.ts'

const never = {
  fail: (message: string): never => {
    throw new Error(message)
  },
}

/** Rows and columns of an axis: what stands in front of it, and behind. */
function around(dims: readonly number[], axis: number): { outer: number; length: number; inner: number } {
  return { outer: productOf(dims.slice(0, axis)), length: dims[axis], inner: productOf(dims.slice(axis + 1)) }
}

export function createAlgebra(): Algebra {
  const steps: Step[] = []
  let slots = 0

  const constant = (dims: readonly number[], data: FloatArray): Variable => ({ dims, data, slot: -1 })

  /** A result of operands; its map is made only where one of them varies. */
  function result(
    dims: readonly number[],
    data: FloatArray,
    operands: readonly Variable[],
    map: () => LinearMap,
  ): Variable {
    if (operands.every(({ slot }) => slot < 0)) return constant(dims, data)
    const slot = slots++
    steps.push({ map: map(), inputs: operands.map((operand) => operand.slot), outputs: [slot] })
    return { dims, data, slot }
  }

  function select(x: Variable, dims: readonly number[], places: Int32Array, filling = 0): Variable {
    const data = new Float64Array(places.length)
    for (let i = 0; i < places.length; i++) data[i] = places[i] < 0 ? filling : x.data[places[i]]
    const block = { input: 0, first: 0, size: x.data.length }
    return result(dims, data, [x], () => selectionMap(1, [block], [places]))
  }

  function zip(a: Variable, b: Variable, f: Binary): Variable {
    const dims = broadcastShapes(never, [a.dims, b.dims]) as readonly number[]
    const [x, y] = [repeated(a.data, a.dims, dims), repeated(b.data, b.dims, dims)]
    const data = new Float64Array(productOf(dims))
    for (let i = 0; i < data.length; i++) data[i] = f.value(x[i], y[i])
    return result(dims, data, [a, b], () => {
      const factor = (partial: Binary['first']) => data.map((value, i) => partial(x[i], y[i], value))
      return broadcastMap(2, dims, [
        ...(a.slot < 0 ? [] : [{ input: 0, dims: a.dims, factor: factor(f.first) }]),
        ...(b.slot < 0 ? [] : [{ input: 1, dims: b.dims, factor: factor(f.second) }]),
      ])
    })
  }

  function product(a: Variable, aLabels: string, b: Variable, bLabels: string, output: string): Variable {
    const left: Labelled = { labels: [...aLabels], dims: a.dims }
    const right: Labelled = { labels: [...bLabels], dims: b.dims }
    const sizes = new Map<string, number>()
    for (const { labels, dims } of [left, right]) {
      labels.forEach((label, axis) => {
        sizes.set(label, Math.max(sizes.get(label) ?? 1, dims[axis]))
      })
    }
    const target: Labelled = { labels: [...output], dims: [...output].map((label) => sizes.get(label)!) }
    const [x, y] = [
      { ...left, data: a.data },
      { ...right, data: b.data },
    ]
    return result(target.dims, sumOfProducts(target, x, y), [a, b], () => {
      const maps = [
        ...(a.slot < 0 ? [] : [factorMap(2, 0, left, combined([y]), target, 1)]),
        ...(b.slot < 0 ? [] : [factorMap(2, 1, right, combined([x]), target, 1)]),
      ]
      return sumOfMaps(maps)
    })
  }

  function largest(x: Variable, dims: readonly number[], places: Int32Array, taps: number): Largest {
    const found = new Int32Array(places.length / taps).fill(-1)
    for (let out = 0; out < found.length; out++) {
      for (let tap = 0; tap < taps; tap++) {
        const place = places[out * taps + tap]
        if (place >= 0 && (found[out] < 0 || x.data[place] > x.data[found[out]])) found[out] = place
      }
    }
    return { values: select(x, dims, found, -Infinity), positions: constant(dims, Float64Array.from(found)) }
  }

  function reducedSum(x: Variable, axes: readonly number[]): Variable {
    const reduced = reducedBy(x.dims, axes)
    const map = reductionMap(1, reduced, 1)
    const [data] = map.apply([Float64Array.from(x.data)])
    return result(reduced.kept, data!, [x], () => map)
  }

  function max(x: Variable, axes: readonly number[]): Variable {
    const reduced = reducedBy(x.dims, axes)
    return select(x, reduced.kept, largestPlaces(x.data, reduced))
  }

  function transpose(x: Variable, perm: readonly number[]): Variable {
    const dims = perm.map((axis) => x.dims[axis])
    const strides = stridesOf(x.dims)
    const places = new Int32Array(x.data.length)
    const index = new Array<number>(dims.length).fill(0)
    let place = 0
    for (let i = 0; i < places.length; i++) {
      places[i] = place
      for (let axis = dims.length - 1; axis >= 0; axis--) {
        place += strides[perm[axis]]
        if (++index[axis] < dims[axis]) break
        place -= strides[perm[axis]] * dims[axis]
        index[axis] = 0
      }
    }
    return select(x, dims, places)
  }

  function along(x: Variable, axis: number, length: number, at: (i: number) => number): Variable {
    const { outer, length: own, inner } = around(x.dims, axis)
    const places = new Int32Array(outer * length * inner)
    for (let block = 0; block < outer; block++) {
      for (let i = 0; i < length; i++) {
        for (let n = 0; n < inner; n++)
          places[(block * length + i) * inner + n] = (block * own + at(i)) * inner + n
      }
    }
    return select(x, x.dims.with(axis, length), places)
  }

  function concat(parts: readonly Variable[], axis: number): Variable {
    const dims = parts[0].dims.with(
      axis,
      parts.reduce((sum, part) => sum + part.dims[axis], 0),
    )
    const { outer, length, inner } = around(dims, axis)
    const places = new Int32Array(productOf(dims))
    const data = new Float64Array(places.length)
    let [start, first] = [0, 0]
    const blocks = parts.map((part, input) => {
      const own = part.dims[axis] * inner
      for (let block = 0; block < outer; block++) {
        for (let i = 0; i < own; i++) {
          const at = block * length * inner + start * inner + i
          places[at] = first + block * own + i
          data[at] = part.data[block * own + i]
        }
      }
      const block = { input, first, size: part.data.length }
      start += part.dims[axis]
      first += part.data.length
      return block
    })
    return result(dims, data, parts, () =>
      selectionMap(
        parts.length,
        blocks.filter(({ input }) => parts[input].slot >= 0),
        [places],
      ),
    )
  }

  return {
    constant,
    fixed: ({ dims, data }) => constant(dims, data),
    largest,
    input: ({ dims, data }, varies) => ({ dims, data, slot: varies ? slots++ : -1 }),
    map(x, f, slope) {
      const data = Float64Array.from(x.data, (value) => f(value))
      return result(x.dims, data, [x], () => {
        const factor = data.map((value, i) => slope(x.data[i], value))
        return broadcastMap(1, x.dims, [{ input: 0, dims: x.dims, factor }])
      })
    },
    zip,
    product,
    sum: reducedSum,
    max,
    select,
    reshape: (x, dims) => result(dims, x.data, [x], () => identityMap(1)),
    transpose,
    slice: (x, axis, from, to) => along(x, axis, to - from, (i) => from + i),
    reverse: (x, axis) => along(x, axis, x.dims[axis], (i) => x.dims[axis] - 1 - i),
    concat,
    derivative: (inputs, outputs) => {
      const slot = (variable: Variable | null) => variable?.slot ?? -1
      const varying = inputs.flatMap((input, i) => (slot(input) < 0 ? [] : [i]))
      const changing = outputs.flatMap((output, i) => (slot(output) < 0 ? [] : [i]))
      const composed = compose(
        steps,
        slots,
        varying.map((i) => slot(inputs[i])),
        changing.map((i) => slot(outputs[i])),
      )
      return {
        apply: (changes) =>
          spread(outputs.length, changing, composed.apply(varying.map((i) => changes[i] ?? null))),
        applyAdjoint: (changes) =>
          spread(inputs.length, varying, composed.applyAdjoint(changing.map((i) => changes[i] ?? null))),
      }
    },
  }
}

function spread(
  length: number,
  places: readonly number[],
  entries: readonly (Float64Array | null)[],
): (Float64Array | null)[] {
  const all = new Array<Float64Array | null>(length).fill(null)
  places.forEach((place, i) => {
    all[place] = entries[i]
  })
  return all
}

function sumOfMaps(maps: readonly LinearMap[]): LinearMap {
  if (maps.length === 1) return maps[0]
  const add = (parts: readonly (readonly (Float64Array | null)[])[]) =>
    parts.reduce((a, b) => a.map((x, i) => addArrays(x, b[i] ?? null)))
  return {
    apply: (changes) => [...add(maps.map((map) => map.apply(changes)))],
    applyAdjoint: (changes) => [...add(maps.map((map) => map.applyAdjoint(changes)))],
  }
}

function addArrays(a: Float64Array | null, b: Float64Array | null): Float64Array | null {
  if (a === null || b === null) return a ?? b
  return a.map((x, i) => x + b[i])
}

/** Where the first of the largest elements of each group stands. */
function largestPlaces(data: FloatArray, { dims, kept }: Reduced): Int32Array {
  const groups = repeated(
    Float64Array.from({ length: productOf(kept) }, (_, i) => i),
    kept,
    dims,
  )
  const places = new Int32Array(productOf(kept)).fill(-1)
  for (let i = 0; i < data.length; i++) {
    const group = groups[i]
    if (places[group] < 0 || data[i] > data[places[group]]) places[group] = i
  }
  return places
}
