import { readFileSync } from 'node:fs'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { isObstacle, lowerBound } from '../../../src/bounds/lower/lower-bound.ts'
import { select } from '../../../src/bounds/selection.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { collection, collectionIsThere } from '../../helpers/collection.ts'
import { distance, norm } from '../../helpers/soundness/vectors.ts'

/** Real networks of several kinds: dense, convolutions, residuals, attention, recurrences. */
const models = [
  'exact/iris.onnx',
  'exact/abalone.onnx',
  'glipsdp/fnn3_seed0.onnx',
  'glipsdp/cnn2_seed0.onnx',
  'vnncomp/acasxu/ACASXU_run2a_1_1_batch_2000.onnx',
  'vnncomp/mnist_fc/mnist-net_256x4.onnx',
  'vnncomp/oval21/cifar_base_kw.onnx',
  'vnncomp/cifar10_resnet/resnet_2b.onnx',
  'vnncomp/eran/ffnnSIGMOID__Point_6x200.onnx',
  'vnncomp/verivital/Convnet_maxpool.onnx',
  'vnncomp/vit/ibp_3_3_8.onnx',
]

const joined = (parts: readonly Float64Array[]) => Float64Array.from(parts.flatMap((part) => [...part]))

describe.skipIf(!collectionIsThere)('the points of proven lower bounds, in onnxruntime', () => {
  it.each(models)('%s', async (path) => {
    const file = `${collection}/${path}`
    const typed = inferModel(readModel(file))
    const selected = select(typed, { inputs: null, outputs: null })
    const found = lowerBound(typed, selected, {
      effort: path.includes('vit') ? 'normal' : 'fast',
      seed: 1,
      ranges: new Map(),
    })
    if (isObstacle(found)) throw new Error(found.reason)
    const isDouble = typed.operand(selected.inputs[0]).type === 'float64'
    const held = (part: Float64Array) => (isDouble ? part : part.map(Math.fround))
    expect(found.certificate).toBe('deterministic')
    const session = await InferenceSession.create(readFileSync(file), {
      logSeverityLevel: 4,
      intraOpNumThreads: 1,
    })
    const run = async (point: readonly Float64Array[]) => {
      const feeds = selected.inputs.map((input, i) => {
        const dims = typed.operand(input).shape as number[]
        const tensor = isDouble
          ? new RuntimeTensor('float64', point[i], dims)
          : new RuntimeTensor('float32', Float32Array.from(point[i]), dims)
        return [input.name, tensor] as const
      })
      const outputs = await session.run(Object.fromEntries(feeds))
      return joined(selected.outputs.map(({ name }) => Float64Array.from(outputs[name].data as Float32Array)))
    }
    const [fx, fy] = [await run(found.x), await run(found.y)]
    await session.release()
    const apart = distance(joined(found.x.map(held)), joined(found.y.map(held)))
    const rounding = ((isDouble ? 1e-14 : 2e-6) * (norm(fx) + norm(fy))) / apart
    const measured = distance(fx, fy) / apart
    // far enough apart to be seen in float32
    if (rounding < 0.2 * found.value)
      expect(Math.abs(measured - found.value)).toBeLessThan(rounding + 1e-4 * found.value)
    else expect(measured).toBeLessThan(found.value + 2 * rounding)
  })
})
