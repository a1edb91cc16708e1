import { floatAttribute, intAttribute } from '../../graph/attribute.ts'
import type { Calculus, LinearContext } from '../calculus.ts'
import { poolWindows } from '../numeric/pooling.ts'
import { defined } from './definition.ts'
import { normOver } from './reductions.ts'
import { knownDims, outputDims, productOf } from './sizes.ts'

/** For each output of a pool and each tap of its window the place in the data; −1 in the padding. */
export function windowPlaces(
  context: LinearContext,
  dims: readonly number[],
): { places: Int32Array; taps: number } | null {
  const windows = poolWindows(context, dims.slice(2))
  const begins = knownDims(windows.padsBegin)
  const output = outputDims(context)?.slice(2)
  if (begins === null || output === undefined) return null
  const { kernel, strides, dilations } = windows
  const [planes, inSize, outSize, taps] = [
    dims[0] * dims[1],
    productOf(dims.slice(2)),
    productOf(output),
    productOf(kernel),
  ]
  const inPlane = new Int32Array(outSize * taps)
  for (let at = 0; at < outSize; at++) {
    for (let tap = 0; tap < taps; tap++) {
      let [place, stride, restOut, restTap] = [0, 1, at, tap]
      for (let axis = kernel.length - 1; axis >= 0; axis--) {
        const length = dims[axis + 2]
        const from =
          (restOut % output[axis]) * strides[axis] - begins[axis] + (restTap % kernel[axis]) * dilations[axis]
        restOut = Math.floor(restOut / output[axis])
        restTap = Math.floor(restTap / kernel[axis])
        place = place < 0 || from < 0 || from >= length ? -1 : place + from * stride
        stride *= length
      }
      inPlane[at * taps + tap] = place
    }
  }
  const places = new Int32Array(planes * inPlane.length)
  for (let plane = 0; plane < planes; plane++) {
    for (let i = 0; i < inPlane.length; i++)
      places[plane * inPlane.length + i] = inPlane[i] < 0 ? -1 : plane * inSize + inPlane[i]
  }
  return { places, taps }
}

/** Maxima of windows; the first of equal ones counts. Where positions are asked for, they do not vary. */
const maxPool: Calculus = defined((context) => {
  const [x] = context.variables
  const windows = x && windowPlaces(context, x.dims)
  const dims = outputDims(context)
  if (!x || !windows || dims === null) return null
  const { values, positions } = context.algebra.largest(x, dims, windows.places, windows.taps)
  return [values, positions]
})

const lpPool: Calculus = defined((context) => {
  const [x] = context.variables
  const windows = x && windowPlaces(context, x.dims)
  const dims = outputDims(context)
  if (!x || !windows || dims === null) return null
  const { algebra, node } = context
  const p = node.version < 2 ? floatAttribute(node, 'p', 2) : intAttribute(node, 'p', 2)
  const taps = algebra.select(x, [...dims, windows.taps], windows.places)
  return [algebra.reshape(normOver(algebra, taps, [dims.length], p), dims)]
})

export const poolCalculus: Readonly<Record<string, Calculus>> = { MaxPool: maxPool, LpPool: lpPool }
