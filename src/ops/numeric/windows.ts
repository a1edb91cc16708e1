import type { Dim } from '../../core/tensor.ts'
import { intAttribute, intsAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'

/** What reading window attributes needs of an inference or layer context. */
interface WindowContext {
  readonly node: Node
  fail(message: string): never
}

/** How windows of convolutions and pools slide over each spatial axis. Null where it depends on an unknown size. */
export interface Windows {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly padsBegin: readonly Dim[]
  readonly padsEnd: readonly Dim[]
  readonly output: readonly Dim[]
}

type AutoPad = 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER'

const autoPads: ReadonlySet<string> = new Set<AutoPad>(['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'])

/** Attribute values per spatial axis, each an integer ≥ `least`; `fallback` for all where it is absent. */
function perAxis(
  context: WindowContext,
  name: string,
  length: number,
  least: number,
  fallback: number,
): readonly number[] {
  const values = intsAttribute(context.node, name, null) ?? new Array<number>(length).fill(fallback)
  if (values.length !== length) context.fail(`${name} has ${values.length} entries instead of ${length}`)
  const wrong = values.find((value) => !(value >= least))
  if (wrong !== undefined) context.fail(`${name} holds ${wrong}, the least is ${least}`)
  return values
}

function autoPadOf(context: WindowContext): AutoPad {
  const value = stringAttribute(context.node, 'auto_pad', 'NOTSET') || 'NOTSET'
  return autoPads.has(value) ? (value as AutoPad) : context.fail(`auto_pad is '${value}'`)
}

/** Extent of a dilated window. */
export function extent(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1
}

/** Total padding on both ends of an axis; the odd one goes to the end with SAME_UPPER, else to the beginning. */
function split(total: number, auto: AutoPad): [number, number] {
  const small = Math.floor(total / 2)
  return auto === 'SAME_UPPER' ? [small, total - small] : [total - small, small]
}

/**
 * The windows of Conv and of the pools over an input of the given spatial sizes. Fails where the attributes
 * contradict each other or the specification, or a window is larger than its padded input.
 * With `ceil_mode` a last window that reaches beyond the end counts unless it starts in the end padding.
 */
export function windowsOf(context: WindowContext, kernel: readonly number[], input: readonly Dim[]): Windows {
  const rank = kernel.length
  const strides = perAxis(context, 'strides', rank, 1, 1)
  const dilations = perAxis(context, 'dilations', rank, 1, 1)
  const pads = perAxis(context, 'pads', 2 * rank, 0, 0)
  const auto = autoPadOf(context)
  const ceil = intAttribute(context.node, 'ceil_mode', 0) !== 0
  const axes = kernel.map((size, axis) => {
    const padding = [pads[axis], pads[axis + rank]] as const
    return slide(
      context,
      { size, stride: strides[axis], dilation: dilations[axis], padding, auto, ceil },
      input[axis],
    )
  })
  return {
    kernel,
    strides,
    dilations,
    padsBegin: axes.map((axis) => axis.begin),
    padsEnd: axes.map((axis) => axis.end),
    output: axes.map((axis) => axis.output),
  }
}

interface Axis {
  readonly size: number
  readonly stride: number
  readonly dilation: number
  readonly padding: readonly [number, number]
  readonly auto: AutoPad
  readonly ceil: boolean
}

function slide(context: WindowContext, axis: Axis, input: Dim): { begin: Dim; end: Dim; output: Dim } {
  const window = extent(axis.size, axis.dilation)
  if (axis.auto === 'SAME_UPPER' || axis.auto === 'SAME_LOWER') {
    if (input === null) return { begin: null, end: null, output: null }
    const output = Math.ceil(input / axis.stride)
    const [begin, end] = split(Math.max(0, (output - 1) * axis.stride + window - input), axis.auto)
    refuseContradiction(context, axis, [begin, end])
    return { begin, end, output }
  }
  if (axis.auto === 'VALID') refuseContradiction(context, axis, [0, 0])
  const [begin, end] = axis.auto === 'VALID' ? [0, 0] : axis.padding
  if (input === null) return { begin, end, output: null }
  const room = input + begin + end - window
  if (room < 0)
    context.fail(`a window of ${window} does not fit into ${input} elements padded by ${begin}+${end}`)
  let output = (axis.ceil ? Math.ceil(room / axis.stride) : Math.floor(room / axis.stride)) + 1
  if (axis.ceil && (output - 1) * axis.stride >= input + begin) output--
  return { begin, end, output }
}

/** `auto_pad` makes `pads` meaningless; some exporters still write it, zero or as what it comes to. */
function refuseContradiction(
  context: WindowContext,
  axis: Axis,
  [begin, end]: readonly [number, number],
): void {
  const [givenBegin, givenEnd] = axis.padding
  if (givenBegin === 0 && givenEnd === 0) return
  if (givenBegin !== begin || givenEnd !== end) {
    context.fail(
      `pads ${givenBegin}+${givenEnd} contradict auto_pad ${axis.auto}, which comes to ${begin}+${end}`,
    )
  }
}

/**
 * The windows of ConvTranspose, which spread each of the `input` elements: those of the convolution from the
 * `output` sizes to `input` that it is the adjoint of. `padsEnd` counts what is cropped, less the output padding;
 * it is negative where the output extends beyond the last window.
 */
export function transposedWindows(
  context: WindowContext,
  kernel: readonly number[],
  input: readonly Dim[],
): Windows {
  const rank = kernel.length
  const strides = perAxis(context, 'strides', rank, 1, 1)
  const dilations = perAxis(context, 'dilations', rank, 1, 1)
  const pads = perAxis(context, 'pads', 2 * rank, 0, 0)
  const extra = perAxis(context, 'output_padding', rank, 0, 0)
  const given = outputShape(context, rank)
  const auto = autoPadOf(context)
  const axes = kernel.map((size, axis) =>
    spread(
      context,
      {
        size,
        stride: strides[axis],
        dilation: dilations[axis],
        padding: [pads[axis], pads[axis + rank]],
        auto,
        extra: extra[axis],
        target: given?.[axis] ?? null,
      },
      input[axis],
    ),
  )
  return {
    kernel,
    strides,
    dilations,
    padsBegin: axes.map((axis) => axis.begin),
    padsEnd: axes.map((axis) => axis.end),
    output: axes.map((axis) => axis.output),
  }
}

interface SpreadAxis extends Omit<Axis, 'ceil'> {
  readonly extra: number
  /** The output's size where `output_shape` gives it. */
  readonly target: Dim
}

function spread(context: WindowContext, axis: SpreadAxis, input: Dim): { begin: Dim; end: Dim; output: Dim } {
  const { stride, extra, auto } = axis
  const window = extent(axis.size, axis.dilation)
  if (extra >= Math.max(stride, axis.dilation)) {
    context.fail(`output_padding ${extra} must be less than the stride or the dilation`)
  }
  const full = input === null ? null : (input - 1) * stride + extra + window
  if (axis.target !== null || auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
    if (input === null || full === null) return { begin: null, end: null, output: axis.target }
    // SAME asks for stride times the input, but makes no elements that no window reaches.
    const output = axis.target ?? Math.min(input * stride, full)
    const [begin] = split(Math.max(0, full - output), auto)
    return { begin, end: endPadding(input, stride, window, begin, output), output }
  }
  const [begin, end] = auto === 'VALID' ? [0, 0] : axis.padding
  const output = full === null ? null : full - begin - end
  if (output !== null && output < 0) context.fail(`pads ${begin}+${end} crop more than the ${full} elements`)
  return { begin, end: end - extra, output }
}

/** The end padding with which `windows` windows fit exactly over `size` elements. */
function endPadding(windows: number, stride: number, window: number, begin: number, size: number): number {
  return (windows - 1) * stride + window - begin - size
}

function outputShape(context: WindowContext, rank: number): readonly number[] | null {
  const shape = intsAttribute(context.node, 'output_shape', null)
  if (shape === null || shape.length === 0) return null
  // Some exporters write batch and channels, too.
  const spatial = shape.length === rank + 2 ? shape.slice(2) : shape
  if (spatial.length !== rank || spatial.some((dim) => !(dim >= 0)))
    context.fail(`output_shape [${shape.join(',')}]`)
  return spatial
}
