import type { ConvolutionOperator } from '../linear-operator.ts'

/**
 * One spatial axis of a convolution: output q ∈ [0, outputs) reads the inputs stride·q + dilation·t − pad that lie
 * in [0, inputs), for taps t ∈ [0, taps). `inputs` and `outputs` are null where the size is not known; the axis is
 * then the whole line and `pad` means nothing.
 */
export interface Axis {
  readonly taps: number
  readonly stride: number
  readonly dilation: number
  readonly pad: number
  readonly inputs: number | null
  readonly outputs: number | null
}

/** An axis of dilation 1 whose taps are those `firstTap`, `firstTap + 1`, … of the kernel; part of an axis above. */
export interface SimpleAxis {
  readonly taps: number
  readonly firstTap: number
  readonly stride: number
  readonly pad: number
  readonly inputs: number | null
  readonly outputs: number | null
}

/** An axis whose size is known. */
export type SizedAxis = SimpleAxis & { readonly inputs: number; readonly outputs: number }

/** Number of positions that a kernel of `taps` taps finds on a padded axis. */
export function outputsOf(
  inputs: number,
  taps: number,
  stride: number,
  dilation: number,
  pads: number,
): number {
  return Math.max(0, Math.floor((inputs + pads - dilation * (taps - 1) - 1) / stride) + 1)
}

export function axesOf(operator: ConvolutionOperator): Axis[] {
  return operator.kernel.map((taps, a) => {
    const stride = operator.strides[a]
    const dilation = operator.dilations[a]
    const pad = operator.padsBegin[a]
    const inputs = operator.inputSize === null ? null : operator.inputSize[a]
    const derived =
      inputs === null ? null : outputsOf(inputs, taps, stride, dilation, pad + operator.padsEnd[a])
    const outputs = inputs === null ? null : operator.outputSize === null ? derived : operator.outputSize[a]
    return { taps, stride, dilation, pad, inputs, outputs }
  })
}

/** The first output for which tap t lies in the input, and how many follow it without a gap. */
export function outputsReachedBy(axis: Axis, tap: number): { first: number; count: number } {
  const { stride, dilation, pad, inputs, outputs } = axis as Axis & { inputs: number; outputs: number }
  const offset = dilation * tap - pad
  const first = Math.max(0, Math.ceil(-offset / stride))
  const last = Math.min(outputs - 1, Math.floor((inputs - 1 - offset) / stride))
  return { first, count: Math.max(0, last - first + 1) }
}

/** Whether some output of the axis sees an input through this tap. */
export function meetsData(axis: SimpleAxis, tap: number): boolean {
  return axis.inputs === null || outputsReachedBy({ ...axis, dilation: 1 }, tap).count > 0
}

/**
 * The axis as a direct sum of axes of dilation 1: an axis whose stride and dilation share a factor touches one
 * residue class of the input only, and a dilation that is coprime to the stride makes interleaved copies, which
 * differ by their borders alone. Copies contained in others are left out (a part of an operator has no larger
 * norm), so most often one is left. Empty where no tap ever meets data.
 */
export function interleavedCopies(axis: Axis): SimpleAxis[] {
  const dilation = axis.taps === 1 ? 0 : axis.dilation
  const shared = greatestCommonDivisor(axis.stride, dilation)
  const stride = axis.stride / shared
  const copies = dilation / shared
  if (axis.inputs === null || axis.outputs === null) {
    return [{ taps: axis.taps, firstTap: 0, stride, pad: 0, inputs: null, outputs: null }]
  }
  const phase = modulo(-axis.pad, shared)
  const pad = (axis.pad + phase) / shared
  const inputs = Math.ceil((axis.inputs - phase) / shared)
  const found: SimpleAxis[] = []
  for (let first = 0; first < Math.max(1, copies); first++) {
    const step = Math.max(1, copies)
    const start = stride * first - pad
    const residue = modulo(start, step)
    const copy = trimmed({
      taps: axis.taps,
      firstTap: 0,
      stride,
      pad: (residue - start) / step,
      inputs: Math.ceil((inputs - residue) / step),
      outputs: Math.ceil((axis.outputs - first) / step),
    })
    if (copy !== null && !found.some((other) => contains(other, copy))) {
      const kept = found.filter((other) => !contains(copy, other))
      found.length = 0
      found.push(...kept, copy)
    }
  }
  return found
}

/** Without border taps that never meet data, and without border inputs and outputs that meet no tap. */
function trimmed(axis: SimpleAxis): SimpleAxis | null {
  let { taps, firstTap, pad } = axis
  let inputs = axis.inputs as number
  let outputs = axis.outputs as number
  const { stride } = axis
  for (let changed = true; changed; ) {
    if (taps <= 0 || inputs <= 0 || outputs <= 0) return null
    const before = taps + inputs + outputs
    const reach = (tap: number) => {
      const span = { taps, stride, dilation: 1, pad, inputs, outputs }
      return outputsReachedBy(span, tap).count
    }
    while (taps > 0 && reach(0) === 0) {
      taps--
      firstTap++
      pad--
    }
    while (taps > 0 && reach(taps - 1) === 0) taps--
    if (taps === 0) return null
    const emptyOutputs = Math.max(0, Math.ceil((pad - (taps - 1)) / stride))
    outputs -= emptyOutputs
    pad -= stride * emptyOutputs
    outputs = Math.min(outputs, Math.floor((inputs - 1 + pad) / stride) + 1)
    const untouched = Math.max(0, -pad)
    inputs -= untouched
    pad += untouched
    inputs = Math.min(inputs, stride * (outputs - 1) + taps - pad)
    changed = taps + inputs + outputs !== before
  }
  return { taps, firstTap, stride, pad, inputs, outputs }
}

/** Whether `part` is `whole` restricted to some of its inputs and outputs. */
function contains(whole: SimpleAxis, part: SimpleAxis): boolean {
  if (whole.stride !== part.stride || part.firstTap < whole.firstTap) return false
  if (part.firstTap + part.taps > whole.firstTap + whole.taps) return false
  const room = (whole.outputs as number) - (part.outputs as number)
  // in terms of the kernel's own taps, so that both axes count from the same tap
  const lag = part.pad + part.firstTap - (whole.pad + whole.firstTap)
  for (let shift = 0; shift <= room; shift++) {
    const offset = lag + whole.stride * shift
    if (offset < 0) continue
    return (
      offset + (part.inputs as number) <= (whole.inputs as number) && sameTaps(whole, part, shift, offset)
    )
  }
  return false
}

/** Taps that `part` was trimmed of must not meet its data inside `whole` either. */
function sameTaps(whole: SimpleAxis, part: SimpleAxis, shift: number, offset: number): boolean {
  if (whole.taps === part.taps) return true
  for (let tap = 0; tap < whole.taps; tap++) {
    const own = tap + whole.firstTap - part.firstTap
    if (own >= 0 && own < part.taps) continue
    const outputs = part.outputs as number
    for (let q = 0; q < outputs; q++) {
      const input = whole.stride * (q + shift) + tap - whole.pad - offset
      if (input >= 0 && input < (part.inputs as number)) return false
    }
  }
  return true
}

/**
 * Sets of taps that meet data at one output, where outputs share no input (stride ≥ taps, or a single output):
 * the axis is then a direct sum of these, and sets contained in others are left out.
 */
export function tapSets(axis: SimpleAxis): number[][] {
  const all = Array.from({ length: axis.taps }, (_, tap) => tap)
  if (axis.inputs === null || axis.outputs === null) return [all]
  const sets = new Map<string, number[]>()
  for (let q = 0; q < axis.outputs; q++) {
    const start = axis.stride * q - axis.pad
    const set = all.filter((tap) => start + tap >= 0 && start + tap < (axis.inputs as number))
    if (set.length === axis.taps) return [all]
    if (set.length > 0) sets.set(set.join(), set)
  }
  const found = [...sets.values()]
  return found.filter(
    (set) => !found.some((other) => other !== set && set.every((tap) => other.includes(tap))),
  )
}

export function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b]
  return a
}

export function modulo(a: number, b: number): number {
  return ((a % b) + b) % b
}
