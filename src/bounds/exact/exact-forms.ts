import { integersOf } from './dyadic.ts'
import type { PiecewiseNetwork, Row } from './piecewise-network.ts'
import type { Wall } from './walls.ts'

/** Pieces of all neurons, one each: what stands in a cell of the network. Others are not asked for. */
export type PieceAt = (neuron: number) => number

/** Numbers of d inputs and a constant, times 2^scale. */
export interface ExactForm {
  readonly values: bigint[]
  readonly scale: number
}

/** Forms that hold in a part of the domain, and in all parts of it. */
export interface ExactForms {
  /** What a neuron reads; those before it are on one piece each. */
  read(neuron: number): ExactForm
  /** The same for a part, where more neurons are on one piece: known forms stay known. */
  within(pieceAt: PieceAt): ExactForms
}

/**
 * What neurons read, as affine forms of the inputs, exact: integers that grow by the length of the weights from layer to
 * layer. Cost: for each neuron on the way the inputs times what it reads.
 */
export function exactForms(network: PiecewiseNetwork, pieceAt: PieceAt): ExactForms {
  return formsFrom(network, pieceAt, new Map(), new Map())
}

function formsFrom(
  network: PiecewiseNetwork,
  pieceAt: PieceAt,
  known: Map<number, ExactForm>,
  written: Map<number, ExactForm>,
): ExactForms {
  const { inputs, neurons } = network

  function read({ variables, integers, constant, scale }: Row): ExactForm {
    const parts = Array.from(variables, (variable) =>
      variable < inputs ? null : writtenBy(variable - inputs),
    )
    const deepest = parts.reduce((most, part) => Math.max(most, part?.scale ?? 0), 0)
    const values = new Array<bigint>(inputs + 1).fill(0n)
    values[inputs] = constant << BigInt(deepest)
    parts.forEach((part, i) => {
      const factor = integers[i] << BigInt(deepest - (part?.scale ?? 0))
      if (part === null) values[variables[i]] += factor
      else for (let k = 0; k <= inputs; k++) if (part.values[k] !== 0n) values[k] += factor * part.values[k]
    })
    return { values, scale: scale + deepest }
  }

  function writtenBy(neuron: number): ExactForm {
    const found = written.get(neuron)
    if (found !== undefined) return found
    const { slope, offset } = neurons[neuron].pieces[pieceAt(neuron)]
    const { values, scale } = integersOf([slope, offset])
    const form = known.get(neuron) as ExactForm
    const result = form.values.map((value) => value * values[0])
    result[inputs] += values[1] << BigInt(form.scale)
    const made = { values: result, scale: form.scale + scale }
    written.set(neuron, made)
    return made
  }

  return {
    within: (pieces) => formsFrom(network, pieces, new Map(known), new Map(written)),
    read: (neuron) => {
      const wanted = new Set([neuron])
      for (const at of wanted) {
        if (known.has(at)) continue
        for (const variable of neurons[at].variables) if (variable >= inputs) wanted.add(variable - inputs)
      }
      // earlier neurons first
      for (const at of [...wanted].sort((a, b) => a - b)) {
        if (!known.has(at)) known.set(at, read(neurons[at]))
      }
      return known.get(neuron) as ExactForm
    },
  }
}

/** A positive multiple of normal·x + offset of a wall, in integers: the cell lies where it is > 0. */
export function exactWall(wall: Wall, { neurons }: PiecewiseNetwork, forms: ExactForms): bigint[] {
  if (wall.kind === 'domain') return [...integersOf([...wall.normal, wall.offset]).values]
  const { values, scale } = forms.read(wall.neuron)
  const { rise, shift } = exactMeeting(neurons[wall.neuron].pieces, wall.below)
  const side = BigInt(wall.side)
  const result = values.map((value) => value * rise * side)
  result[result.length - 1] += (shift << BigInt(scale)) * side
  return result
}

/** rise·z + shift, rise > 0, whose zero is where two pieces meet, times a power of two. */
function exactMeeting(
  pieces: readonly { readonly slope: number; readonly offset: number }[],
  below: number,
): { rise: bigint; shift: bigint } {
  const [left, right] = [pieces[below], pieces[below + 1]]
  const [a, b, c, d] = integersOf([left.slope, left.offset, right.slope, right.offset]).values
  const [rise, shift] = [c - a, d - b]
  return rise > 0n ? { rise, shift } : { rise: -rise, shift: -shift }
}
