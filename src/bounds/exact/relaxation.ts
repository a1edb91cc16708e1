import { gamma, outward } from '../../linalg/rounding-error.ts'
import type { BlockMatrix, BlockRow, SdpProblem, SlopedBlock } from '../sdp/problem.ts'
import type { Cell } from './cell.ts'
import { type PiecewiseNetwork, type Row, slopesOf } from './piecewise-network.ts'

/** The network in a cell as maps and slopes in intervals, and which neurons the slopes belong to. */
export interface Relaxation {
  readonly problem: SdpProblem
  /** Neurons with more than one slope that the outputs depend on, in the order of the problem. */
  readonly free: readonly number[]
}

/** A row over the inputs and the free neurons, each right to `error` together in ℓ2. */
interface Line {
  readonly values: Float64Array
  /** Elements that are not 0 by construction. */
  readonly touched: Uint8Array
  readonly error: number
}

const CONVERSION = 2 ** -52
/** More than underflow loses. */
const TINY = 2 ** -1000

/**
 * What changes in a cell: Δa = s Δz with s in the interval of slopes that a neuron has there. Neurons of one slope are
 * taken into the maps. Rounding is bounded line by line: |fl(Σ c v) − Σ c v| ≤ Σ |c|·err(v) + γ Σ |c||v|.
 */
export function relax(network: PiecewiseNetwork, { spans, matters }: Cell): Relaxation {
  const { inputs, neurons, outputs } = network
  const free: number[] = []
  const place = new Map<number, number>()
  const slopes = neurons.map((neuron, at) => slopesOf(neuron, spans[at]))
  for (const [at, { variables }] of neurons.entries()) {
    if (matters[at] === 0 || slopes[at].lo === slopes[at].hi) continue
    // what reads nothing that varies does not vary
    const varies = variables.some((variable) => variable < inputs || !isFlat(variable - inputs))
    if (!varies) continue
    place.set(at, inputs + free.length)
    free.push(at)
  }
  function isFlat(neuron: number): boolean {
    return slopes[neuron].lo === 0 && slopes[neuron].hi === 0
  }
  const width = inputs + free.length
  const written: (Line | null)[] = []
  const lines: (Line | null)[] = []

  function read({ variables, floats }: Row): Line {
    const values = new Float64Array(width)
    const touched = new Uint8Array(width)
    let error = 0
    let size = 0
    for (let i = 0; i < variables.length; i++) {
      const [variable, factor] = [variables[i], floats[i]]
      if (variable < inputs) {
        values[variable] += factor
        touched[variable] = 1
        size += Math.abs(factor)
        continue
      }
      const part = written[variable - inputs]
      if (part === null) continue
      let square = 0
      for (let k = 0; k < width; k++) {
        if (part.touched[k] === 0) continue
        touched[k] = 1
        values[k] += factor * part.values[k]
        square += part.values[k] * part.values[k]
      }
      error += Math.abs(factor) * part.error
      size += Math.abs(factor) * (Math.sqrt(square) + part.error)
    }
    const rounding = gamma(variables.length + 4) + CONVERSION
    return {
      values,
      touched,
      error: outward(
        error * (1 + gamma(variables.length)) + rounding * size + (touched.includes(1) ? TINY : 0),
      ),
    }
  }

  neurons.forEach((neuron, at) => {
    const { lo, hi } = slopes[at]
    const isFree = place.has(at)
    const needed = matters[at] === 1 && (isFree || lo !== 0 || hi !== 0)
    const line = needed ? read(neuron) : null
    lines.push(line)
    if (line === null) written.push(null)
    else if (isFree) {
      const [values, touched] = [new Float64Array(width), new Uint8Array(width)]
      values[place.get(at) as number] = 1
      touched[place.get(at) as number] = 1
      written.push({ values, touched, error: 0 })
    } else if (lo === hi) {
      const values = line.values.map((value) => lo * value)
      let square = 0
      for (const value of values) square += value * value
      written.push({
        values,
        touched: line.touched,
        error: outward(
          Math.abs(lo) * line.error + 2 * gamma(1) * Math.sqrt(square) + (line.error > 0 ? TINY : 0),
        ),
      })
    } else written.push(null)
  })

  // one block for the inputs, one for the free neurons of each layer
  const blocks: { from: number; size: number }[] = [{ from: 0, size: inputs }]
  const grouped: number[][] = []
  free.forEach((at, i) => {
    if (i > 0 && neurons[at].layer === neurons[free[i - 1]].layer) {
      grouped[grouped.length - 1].push(at)
      blocks[blocks.length - 1].size++
    } else {
      grouped.push([at])
      blocks.push({ from: inputs + i, size: 1 })
    }
  })
  const activations = grouped.map((group): SlopedBlock => {
    const ends = group.map((at) => slopes[at])
    return {
      ...blockRow(group.map((at) => lines[at] as Line)),
      lo: Float64Array.from(ends, ({ lo }) => lo),
      hi: Float64Array.from(ends, ({ hi }) => hi),
    }
  })
  const output = blockRow(outputs.map(read))
  return { problem: { sizes: blocks.map(({ size }) => size), activations, output }, free }

  function blockRow(group: readonly Line[]): BlockRow {
    let square = 0
    for (const { error } of group) square += error * error
    const error = outward(Math.sqrt(square))
    const reads: BlockMatrix[] = []
    blocks.forEach(({ from, size }, block) => {
      const data = new Float64Array(group.length * size)
      group.forEach(({ values }, row) => {
        data.set(values.subarray(from, from + size), row * size)
      })
      const isRead = group.some(({ touched }) => touched.subarray(from, from + size).includes(1))
      if (isRead) reads.push({ block, columns: size, data, error })
    })
    return { rows: group.length, reads }
  }
}
