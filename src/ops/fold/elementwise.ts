import { stridesOf, type Tensor } from '../../core/tensor.ts'
import { rounderOf } from './element.ts'
import { eachRow, type View } from './strided.ts'

/**
 * Elementwise folding. NaN stands for an entry that is not known, in every tensor: a function passed in must
 * return NaN when the entries it needs are NaN (`Math.max(x, 0)` does, `x > 0 ? x : 0` does not).
 */

/** Row-major view of a tensor that is broadcast to `dims`: strides are 0 along repeated axes. */
export function broadcastView(tensor: Tensor, dims: readonly number[]): View {
  const lead = dims.length - tensor.dims.length
  const own = stridesOf(tensor.dims)
  const strides = dims.map((_, axis) =>
    axis < lead || tensor.dims[axis - lead] === 1 ? 0 : own[axis - lead],
  )
  return { data: tensor.data, offset: 0, strides }
}

/** Row-major view of a whole tensor. */
export function viewOf(tensor: Tensor): View {
  return { data: tensor.data, offset: 0, strides: stridesOf(tensor.dims) }
}

/** target[i] = f(source[i]), rounded to the target's type. */
export function mapElements(source: Tensor, target: Tensor, f: (x: number) => number): Tensor {
  const round = rounderOf(target.type)
  for (let i = 0; i < target.data.length; i++) target.data[i] = round(f(source.data[i]))
  return target
}

/** target = f(a, b) with a and b broadcast to the target's dims, rounded to the target's type. */
export function zipElements(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  f: (x: number, y: number) => number,
): Tensor {
  const views = [broadcastView(a, target.dims), broadcastView(b, target.dims), viewOf(target)]
  const round = rounderOf(target.type)
  eachRow(target.dims, views, ([i, j, k], [di, dj, dk], length) => {
    for (let n = 0; n < length; n++)
      target.data[k + n * dk] = round(f(a.data[i + n * di], b.data[j + n * dj]))
  })
  return target
}

/** target = f(a, b, c) with all three broadcast to the target's dims, rounded to the target's type. */
export function zipThree(
  a: Tensor,
  b: Tensor,
  c: Tensor,
  target: Tensor,
  f: (x: number, y: number, z: number) => number,
): Tensor {
  const views = [a, b, c].map((tensor) => broadcastView(tensor, target.dims))
  const round = rounderOf(target.type)
  eachRow(target.dims, [...views, viewOf(target)], ([i, j, k, t], [di, dj, dk, dt], length) => {
    for (let n = 0; n < length; n++) {
      target.data[t + n * dt] = round(f(a.data[i + n * di], b.data[j + n * dj], c.data[k + n * dk]))
    }
  })
  return target
}
