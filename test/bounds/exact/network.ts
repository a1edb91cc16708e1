import { boxDomain, type SearchDomain } from '../../../src/bounds/exact/domain.ts'
import { extractPiecewise, isObstacle, type Obstacle } from '../../../src/bounds/exact/extract.ts'
import type { PiecewiseNetwork } from '../../../src/bounds/exact/piecewise-network.ts'
import { type Found, searchCells } from '../../../src/bounds/exact/search.ts'
import { select } from '../../../src/bounds/selection.ts'
import { createNetwork, type Network } from '../../../src/calculus/network.ts'
import { traceAt } from '../../../src/calculus/trace.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { type ModelSpec, model, writeTemporary } from '../../helpers/onnx-builder.ts'
import { spectralNorm } from './dense-chain.ts'

export interface Read {
  readonly piecewise: PiecewiseNetwork | Obstacle
  readonly network: Network
}

export function read(spec: ModelSpec): Read {
  const typed = inferModel(readModel(writeTemporary(model(spec), 'net.onnx'), {}), {})
  const { inputs, outputs } = select(typed, { inputs: null, outputs: null })
  const piecewise = extractPiecewise(typed, inputs, outputs, { inputs: 64, neurons: 200, elements: 4096 })
  return { piecewise, network: createNetwork(typed, inputs, outputs) }
}

export const everywhere = (size: number) =>
  boxDomain(new Float64Array(size).fill(-Infinity), new Float64Array(size).fill(Infinity)) as SearchDomain

export function search(spec: ModelSpec, domain: SearchDomain | null = null, budget = 1e9): Found {
  const { piecewise } = read(spec)
  if (isObstacle(piecewise)) throw new Error(`'${piecewise.obstacle?.name}' is in the way`)
  const found = searchCells(piecewise, domain ?? everywhere(piecewise.inputs), { budget })
  if (found === null) throw new Error('nothing was searched')
  return found
}

/** ‖J(x)‖₂ by the derivatives of all nodes, for networks of one input and one output. */
export function lengthAt({ network }: Read, x: Float64Array): number {
  const { jacobian } = traceAt(network, [x])
  const columns = Array.from(x, (_, k) => {
    const unit = new Float64Array(x.length)
    unit[k] = 1
    return Array.from(jacobian.apply([unit])[0] ?? [0])
  })
  return spectralNorm(columns)
}
