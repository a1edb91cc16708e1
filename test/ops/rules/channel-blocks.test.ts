import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { bestOf, boundFile, boundModel } from '../../helpers/bounds.ts'
import { int64s, type ModelSpec, model, node, tensor } from '../../helpers/onnx-builder.ts'
import { numbers } from '../../helpers/rule-cases.ts'
import { openNetwork, steepest, steepestSecants } from '../../helpers/slope.ts'

const domain = 'com.microsoft.nchwc'
const any = { y: { type: 'float32', shape: null } } as const

/** A network whose channels ONNX Runtime lays out in blocks. */
const network: ModelSpec = {
  opset: 17,
  inputs: { x: [1, 3, 8, 8] },
  outputs: any,
  initializers: {
    first: numbers([16, 3, 3, 3]),
    bias: numbers([16]),
    second: numbers([16, 16, 3, 3]),
    each: numbers([16, 1, 3, 3]),
    last: numbers([12, 16, 1, 1]),
    scales: tensor([4], [1, 1, 2, 2]),
  },
  nodes: [
    node('Conv', ['x', 'first', 'bias'], ['a'], { pads: [1, 1, 1, 1] }),
    node('Relu', ['a'], ['b']),
    node('MaxPool', ['b'], ['c'], { kernel_shape: [2, 2], strides: [2, 2] }),
    node('Conv', ['c', 'second'], ['d'], { pads: [1, 1, 1, 1] }),
    node('Add', ['d', 'c'], ['e']),
    node('Relu', ['e'], ['f']),
    node('Conv', ['f', 'each'], ['g'], { group: 16, pads: [1, 1, 1, 1], strides: [2, 2] }),
    node('Resize', ['g', '', 'scales'], ['h'], {
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    }),
    node('AveragePool', ['h'], ['i'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    node('Conv', ['i', 'last'], ['y']),
  ],
}

async function optimised(): Promise<string> {
  const path = join(mkdtempSync(join(tmpdir(), 'blocks-')), 'optimised.onnx')
  const options = {
    graphOptimizationLevel: 'all',
    optimizedModelFilePath: path,
    logSeverityLevel: 4,
  } as const
  const session = await InferenceSession.create(model(network), options)
  await session.release()
  return path
}

describe('channels in blocks', () => {
  it('have a bound behind the optimisation, above what the network does', async () => {
    const path = await optimised()
    const typed = inferModel(readModel(path))
    const blocked = typed.graph.nodes.filter((one) => one.domain === domain).map(({ op }) => op)
    expect(new Set(blocked)).toEqual(new Set(['Conv', 'MaxPool', 'Upsample', 'AveragePool', 'ReorderOutput']))
    expect(typed.operand(typed.graph.outputs[0]).shape).toEqual([1, 12, 4, 4])
    const bound = bestOf(await boundFile(path))
    const session = await openNetwork(model(network), { x: [1, 3, 8, 8] })
    const secants = await steepestSecants(session, { seed: 3, points: 3 })
    await session.release()
    expect(bound).toBeLessThan(Infinity)
    expect(steepest(secants)).toBeLessThanOrEqual(bound)
    expect(bound).toBeGreaterThanOrEqual(bestOf(await boundModel(network)))
  })

  it('are permuted, resized and pooled by the constants of plain channels', async () => {
    const boundOf = async (op: string, attributes: Record<string, unknown>) =>
      bestOf(
        await boundModel({
          inputs: { x: [1, 8, 4, 4] },
          outputs: any,
          opsets: { [domain]: 1 },
          nodes: [node(op, ['x'], ['y'], attributes as never, { domain })],
        }),
      )
    expect(await boundOf('ReorderInput', { channels_last: 0 })).toBe(1)
    expect(await boundOf('ReorderOutput', { channels: 5 })).toBe(1)
    expect(await boundOf('GlobalMaxPool', {})).toBe(1)
    expect(await boundOf('GlobalAveragePool', {})).toBeCloseTo(0.25, 12)
    expect(await boundOf('Upsample', { scales: [1, 1, 2, 3] })).toBeCloseTo(Math.sqrt(6), 5)
    const written = bestOf(
      await boundModel({
        opset: 13,
        inputs: { x: [1, 8, 4, 4] },
        outputs: any,
        initializers: { s: int64s([1, 8, 8, 8]) },
        nodes: [
          node('Resize', ['x', '', '', 's'], ['y'], {
            mode: 'linear',
            coordinate_transformation_mode: 'align_corners',
          }),
        ],
      }),
    )
    const mode = { mode: 'linear', coordinate_transformation_mode: 'align_corners' }
    expect(await boundOf('Upsample', { scales: [1, 1, 2, 2], ...mode })).toBeCloseTo(written, 9)
  })
})
