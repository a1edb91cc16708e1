import { isFloatType } from '../../core/tensor.ts'
import type { Node, Value } from '../../graph/graph.ts'
import { bodiesOf } from '../../graph/walk.ts'
import type { TypedGraph, TypedNode } from '../../infer/typed-graph.ts'
import type { Refusal } from '../../ops/bound.ts'
import { clampOf, floatForm, isPass, isQuantizer, weightOnlyForm } from '../../ops/float-forms.ts'
import { isDequantizer } from '../../ops/proportional.ts'
import { codesOf, elementsOf, type Image, sameCodes } from './image.ts'
import { isTwin, type Reading, readingOf, sameOperation, twinReading } from './reading.ts'
import { gridOf, type Rounding, storageOf } from './rounding.ts'

/** A node of the reference and the node of the other network that does the same with its own weights. */
export interface Pair {
  readonly node: Node
  readonly other: Node
  /** What the other node's inputs have been through, by input of the reference's node. */
  readonly roundings: ReadonlyMap<number, readonly Rounding[]>
}

/** Two networks laid over one another. */
export interface Pairing {
  readonly reference: TypedGraph
  readonly other: TypedGraph
  /** By node of the reference. */
  readonly pairs: ReadonlyMap<Node, Pair>
  /** Nodes of the reference that the other network has no need of: they cut what is cut already, or pass it on. */
  readonly absorbed: ReadonlySet<Node>
  /** What the other network's value stands for. */
  imageOf(value: Value): Image | null
  /** The value that one of the reference is, behind nodes that only pass it on. */
  canonical(value: Value): Value
}

/**
 * Lays a network over a reference: walks it in topological order, reads each value as one of the reference, and finds
 * for each node the one of the reference that does the same with the same values. Weights and biases may differ, types
 * may, and tensors may be written in codes on their way; what that does to them is kept. Names decide only between
 * nodes that would do equally well. What is not found stays unpaired: a pairing is right as far as it goes. Linear in
 * the nodes, times the readers of a value.
 */
export function pairNetworks(reference: TypedGraph, other: TypedGraph): Pairing {
  const pairing = new PairingWalk(reference, other)
  pairing.run()
  return pairing
}

/** Nodes of a network that write tensors in few bits or in codes, or read weights so. */
export function roundedTensors({ graph, operand }: TypedGraph): number {
  let count = 0
  for (const node of graph.nodes) {
    const narrow = node.outputs.some((value) => {
      const { type, isConstant } = value === null ? { type: null, isConstant: true } : operand(value)
      return !isConstant && storageOf(type) !== null
    })
    if (narrow || isQuantizer(node) || floatForm(node) !== null || weightOnlyForm(node) !== null) count++
  }
  return count
}

/**
 * Why outputs of the reference have no counterpart: the first node on their way that has none, or the output itself;
 * null where all have one. An output of the other network that is written in codes is none.
 */
export function firstUnpaired(
  pairing: Pairing,
  outputs: readonly { readonly value: Value; readonly other: Value }[],
): Refusal | null {
  const { reference, pairs, absorbed, canonical, imageOf } = pairing
  const missing = outputs.find(({ value, other }) => {
    const image = imageOf(other)
    return image === null || image.codes !== null || canonical(image.of) !== canonical(value)
  })
  if (missing === undefined) return null
  const needed = new Set<Value>([missing.value])
  for (const value of needed) {
    for (const input of value.producer?.inputs ?? []) if (input !== null) needed.add(input)
  }
  const node = reference.graph.nodes.find(
    (candidate) =>
      candidate.outputs.some(
        (output) => output !== null && needed.has(output) && !reference.operand(output).isConstant,
      ) &&
      !pairs.has(candidate) &&
      !absorbed.has(candidate) &&
      !passes(reference, candidate),
  )
  const found = node ?? missing.value.producer
  const reason =
    node === undefined ? 'is followed by others in the other model' : 'has no counterpart in the other model'
  return { node: found?.name ?? missing.value.name, op: found?.op ?? '', reason }
}

class PairingWalk implements Pairing {
  readonly reference: TypedGraph
  readonly other: TypedGraph
  readonly pairs = new Map<Node, Pair>()
  readonly absorbed = new Set<Node>()
  private readonly images = new Map<Value, Image>()
  /** Readers in the reference, by the value that is read. */
  private readonly readers = new Map<Value, { readonly node: Node; readonly input: number }[]>()

  constructor(reference: TypedGraph, other: TypedGraph) {
    this.reference = reference
    this.other = other
    for (const node of reference.graph.nodes) {
      for (const [input, value] of node.inputs.entries()) {
        if (value === null) continue
        const source = this.canonical(value)
        const readers = this.readers.get(source) ?? []
        this.readers.set(source, readers)
        readers.push({ node, input })
      }
    }
  }

  readonly imageOf = (value: Value): Image | null => this.images.get(value) ?? null

  readonly canonical = (value: Value): Value => {
    let source = value
    for (let node = source.producer; node !== null && passes(this.reference, node); node = source.producer) {
      const [input] = node.inputs
      if (input === null || source !== node.outputs[0]) break
      source = input
    }
    return source
  }

  run(): void {
    this.pairInputs()
    for (const node of this.other.graph.nodes) {
      const typed = this.other.typed(node)
      if (typed.outputs.every((output) => output === null || output.isConstant)) continue
      if (!this.passOn(typed) && !this.quantize(node) && !this.dequantize(node)) this.pair(typed)
    }
  }

  /** Inputs of one name, and otherwise of one place; what the other network stores coarsely is rounded. */
  private pairInputs(): void {
    const inputs = this.reference.graph.inputs
    const byName = new Map(inputs.map((input) => [input.name, input]))
    for (const [place, input] of this.other.graph.inputs.entries()) {
      const of = byName.get(input.name) ?? inputs[place]
      if (of === undefined) continue
      const [own, theirs] = [this.other.operand(input), this.reference.operand(of)]
      if (JSON.stringify(own.shape) !== JSON.stringify(theirs.shape)) continue
      this.images.set(input, { of, codes: null, roundings: this.storage(input, of) })
    }
  }

  /** Identity, and casts between floating-point types. */
  private passOn({ node, inputs, outputs }: TypedNode): boolean {
    const image = inputs[0] ? this.images.get(inputs[0].value) : undefined
    if (image === undefined || !passes(this.other, node) || !outputs[0]) return false
    const narrowed = outputs[0].type === inputs[0]?.type ? [] : this.storage(outputs[0].value, image.of)
    this.images.set(outputs[0].value, { ...image, roundings: [...image.roundings, ...narrowed] })
    return true
  }

  /** A node that writes real numbers in codes, where the reference has no such node. */
  private quantize(node: Node): boolean {
    const [input, scale, zero] = node.inputs
    const [output] = node.outputs
    const image = input ? this.images.get(input) : undefined
    if (!isQuantizer(node) || !image || image.codes !== null || !output) return false
    if (this.readersOf(image.of).some((reader) => isQuantizer(reader.node))) return false
    const codes = codesOf(this.other, output, scale, zero)
    const grid = codes && gridOf(codes)
    if (codes === null || grid === null || grid.kind !== 'grid') return true
    this.images.set(output, this.cut({ ...image, codes, roundings: [...image.roundings, grid] }, grid))
    return true
  }

  /** A node that reads the codes of such a node. */
  private dequantize(node: Node): boolean {
    const [input, scale, zero] = node.inputs
    const [output] = node.outputs
    const image = input ? this.images.get(input) : undefined
    if (!isDequantizer(node) || !input || !image || image.codes === null || !output) return false
    if (sameCodes(image.codes, codesOf(this.other, input, scale, zero)))
      this.images.set(output, { ...image, codes: null })
    return true
  }

  /** Codes that end where a following activation of the reference cuts stand for what comes behind it. */
  private cut(image: Image, { range }: Rounding & { kind: 'grid' }): Image {
    const readers = this.readersOf(image.of)
    if (readers.length !== 1 || this.reference.graph.outputs.includes(image.of)) return image
    const [{ node }] = readers
    const { inputs } = this.reference.typed(node)
    const clamp = clampOf(node, (input) => elementsOf(inputs[input]))
    const [output] = node.outputs
    if (clamp === null || !output || range.lo < clamp.lo || range.hi > clamp.hi) return image
    this.absorbed.add(node)
    return { ...image, of: output }
  }

  /** Finds the node of the reference that does what this one does. */
  private pair({ node, outputs }: TypedNode): void {
    if (bodiesOf(node).length > 0) return
    const imageOf = this.imageOf
    const asReal = readingOf(this.other, node, imageOf)
    const real = this.partnerOf(asReal, (candidate, reading) =>
      sameOperation(this.reference, candidate, this.other, reading),
    )
    const asItself = real === null ? twinReading(this.other, node, imageOf) : null
    const partner =
      real ?? this.partnerOf(asItself, (candidate, reading) => isTwin(this.reference, candidate, reading))
    const reading = real === null ? asItself : asReal
    if (partner === null || reading === null) return
    const roundings = new Map(
      reading.operands.flatMap(({ image }, i) => (image === null ? [] : [[i, image.roundings] as const])),
    )
    this.pairs.set(partner, { node: partner, other: node, roundings })
    for (const [i, output] of outputs.entries()) {
      const of = partner.outputs[i]
      if (!output || !of) continue
      const grid = reading.result && gridOf(reading.result)
      if (reading.result !== null && (grid === null || grid.kind !== 'grid')) continue
      const image = { of, codes: reading.result ?? reading.codes, roundings: this.storage(output.value, of) }
      if (grid?.kind !== 'grid') this.images.set(output.value, image)
      else this.images.set(output.value, this.cut({ ...image, roundings: [grid] }, grid))
    }
  }

  /** The node of the reference that reads what the reading reads, and is the same; a namesake first. */
  private partnerOf(
    reading: Reading | null,
    isSame: (candidate: Node, reading: Reading) => boolean,
  ): Node | null {
    const first = reading?.operands.findIndex((operand) => operand.image !== null) ?? -1
    if (reading === null || first < 0) return null
    const candidates = this.readersOf(reading.operands[first].image!.of).filter(
      (reader) =>
        reader.input === first && this.readsAlike(reader.node, reading) && isSame(reader.node, reading),
    )
    return (candidates.find((reader) => isNamesake(reader.node, reading.node)) ?? candidates[0])?.node ?? null
  }

  private readsAlike(node: Node, reading: Reading): boolean {
    if (this.pairs.has(node) || this.absorbed.has(node)) return false
    return reading.operands.every(({ image }, i) => {
      const value = node.inputs[i] ?? null
      return image === null || (value !== null && this.canonical(value) === this.canonical(image.of))
    })
  }

  private readersOf(value: Value) {
    return (this.readers.get(this.canonical(value)) ?? []).filter(({ node }) => !passes(this.reference, node))
  }

  /** What storing the value does to it, where the reference stores it finer. */
  private storage(value: Value, of: Value): Rounding[] {
    const { type } = this.other.operand(value)
    const rounding = storageOf(type)
    return rounding === null || type === this.reference.operand(of).type ? [] : [rounding]
  }
}

function passes(typed: TypedGraph, node: Node): boolean {
  const { inputs, outputs } = typed.typed(node)
  const floats = [inputs[0], outputs[0]].every((operand) => isFloatType(operand?.type ?? null))
  return isPass(node, floats)
}

/** Whether the nodes, or what they write, have one name. */
function isNamesake(a: Node, b: Node): boolean {
  return a.name === b.name || (a.outputs[0] !== null && a.outputs[0]?.name === b.outputs[0]?.name)
}
