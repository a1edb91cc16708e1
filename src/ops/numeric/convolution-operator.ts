import type { Dim, Shape } from '../../core/tensor.ts'
import { intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import type { ConvolutionOperator, LoadWeights } from '../../linalg/linear-operator.ts'
import { transposedWindows, type Windows, windowsOf } from './windows.ts'

/** What reading a convolution's geometry needs of an inference or layer context. */
interface GeometryContext {
  readonly node: Node
  fail(message: string): never
}

/** Channels and windows of a convolution or transposed convolution. */
export interface Geometry {
  readonly groups: number
  readonly inChannels: Dim
  readonly outChannels: Dim
  readonly input: readonly Dim[] | null
  readonly windows: Windows | null
}

/**
 * Geometry of Conv: data [N, C, …spatial], weights [M, C/groups, …kernel]. Windows are null where neither the
 * weights nor `kernel_shape` tell the kernel.
 */
export function convolutionGeometry(
  context: GeometryContext,
  data: Shape | null,
  weights: Shape | null,
): Geometry {
  return geometryOf(context, data, weights, 'forward')
}

/** Geometry of ConvTranspose: data [N, C, …spatial], weights [C, M/groups, …kernel]. */
export function transposedGeometry(
  context: GeometryContext,
  data: Shape | null,
  weights: Shape | null,
): Geometry {
  return geometryOf(context, data, weights, 'transposed')
}

function geometryOf(
  context: GeometryContext,
  data: Shape | null,
  weights: Shape | null,
  direction: 'forward' | 'transposed',
): Geometry {
  const groups = intAttribute(context.node, 'group', 1)
  if (!(groups >= 1)) context.fail(`group is ${groups}`)
  checkRanks(context, data, weights)
  const first = weights?.[0] ?? null
  const second = weights?.[1] ?? null
  const perGroup = second === null ? null : second * groups
  const [inChannels, outChannels] = direction === 'forward' ? [perGroup, first] : [first, perGroup]
  if (first !== null && first % groups !== 0)
    context.fail(`${first} channels do not divide into ${groups} groups`)
  const channels = data?.[1] ?? null
  if (channels !== null && inChannels !== null && channels !== inChannels) {
    context.fail(`the data has ${channels} channels, the weights are for ${inChannels}`)
  }
  const kernel = kernelOf(context, weights)
  const input = data?.slice(2) ?? null
  const slide = direction === 'forward' ? windowsOf : transposedWindows
  const windows = kernel && slide(context, kernel, input ?? kernel.map(() => null))
  return { groups, inChannels: inChannels ?? channels, outChannels, input, windows }
}

function checkRanks(context: GeometryContext, data: Shape | null, weights: Shape | null): void {
  for (const shape of [data, weights]) {
    if (shape !== null && shape.length < 3)
      context.fail(`an operand of rank ${shape.length} has no spatial axes`)
  }
  if (data !== null && weights !== null && data.length !== weights.length) {
    context.fail(`the data has rank ${data.length}, the weights have rank ${weights.length}`)
  }
}

/** The kernel's sizes from the weights, which `kernel_shape` must not contradict; null where unknown. */
function kernelOf(context: GeometryContext, weights: Shape | null): readonly number[] | null {
  const declared = intsAttribute(context.node, 'kernel_shape', null)
  const actual = weights?.slice(2) ?? null
  if (declared !== null && actual !== null) {
    const differs =
      declared.length !== actual.length || actual.some((dim, i) => dim !== null && dim !== declared[i])
    if (differs)
      context.fail(`kernel_shape [${declared}] contradicts weights of kernel [${actual.join(',')}]`)
  }
  const kernel = declared ?? actual
  if (kernel === null || kernel.some((size) => size === null)) return null
  const wrong = kernel.find((size) => !((size as number) >= 1))
  if (wrong !== undefined) context.fail(`a kernel of size ${wrong}`)
  return kernel as readonly number[]
}

function known(dims: readonly Dim[] | null): readonly number[] | null {
  return dims === null || dims.includes(null) ? null : (dims as readonly number[])
}

/**
 * The linear operator of a convolution on one batch element; null where channels or kernel are not known.
 * Without spatial sizes its pads are 0 where they depend on them.
 */
export function convolutionOperator(geometry: Geometry, load: LoadWeights): ConvolutionOperator | null {
  const { windows, inChannels, outChannels, groups } = geometry
  if (windows === null || inChannels === null || outChannels === null) return null
  const input = known(geometry.input)
  const output = known(windows.output)
  const sized = input !== null && output !== null
  return {
    form: 'convolution',
    inChannels,
    outChannels,
    groups,
    kernel: windows.kernel,
    strides: windows.strides,
    dilations: windows.dilations,
    padsBegin: windows.padsBegin.map((pad) => pad ?? 0),
    padsEnd: windows.padsEnd.map((pad) => pad ?? 0),
    inputSize: sized ? input : null,
    outputSize: sized ? output : null,
    factor: 1,
    load,
  }
}

/**
 * The convolution that a transposed convolution is the adjoint of: from its outputs to its inputs, with the same
 * weights [C, M/groups, …kernel] read as those of C outputs.
 */
export function adjointOperator(geometry: Geometry, load: LoadWeights): ConvolutionOperator | null {
  const { inChannels, outChannels, input, windows } = geometry
  const adjoint: Geometry = {
    ...geometry,
    inChannels: outChannels,
    outChannels: inChannels,
    input: windows?.output ?? null,
    windows: windows && { ...windows, output: input ?? windows.output.map(() => null) },
  }
  return convolutionOperator(adjoint, load)
}
