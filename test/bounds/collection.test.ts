import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bestOf, boundFile, constantOf, rungOf } from '../helpers/bounds.ts'
import { collection, collectionIsThere, readTable } from '../helpers/collection.ts'
import { openNetwork, steepest, steepestSecants } from '../helpers/slope.ts'

const at = (path: string) => join(collection, path)

describe.skipIf(!collectionIsThere)('networks with published bounds', () => {
  const published = collectionIsThere ? readTable('glipsdp/PUBLISHED.tsv') : []

  it.each(published)('$net seed $seed: the spectral product is the published one', async (row) => {
    const bounds = await boundFile(at(`glipsdp/${row.net}_seed${row.seed}.onnx`), {}, 1e-9)
    const product = constantOf(rungOf(bounds, 'spectral-product'))
    expect(Math.abs(product / Number(row.product) - 1)).toBeLessThan(1e-6)
    expect(bestOf(bounds)).toBeLessThanOrEqual(product)
    expect(product).toBeLessThanOrEqual(constantOf(rungOf(bounds, 'frobenius-product')))
    if (row.sampled_lower_bound !== '')
      expect(bestOf(bounds)).toBeGreaterThan(Number(row.sampled_lower_bound))
  })
})

describe.skipIf(!collectionIsThere)('networks whose constant is known exactly', () => {
  const exact = collectionIsThere ? readTable('exact/EXACT.tsv') : []

  it.each(exact)('$net: no bound is below it', async (row) => {
    const bounds = await boundFile(at(`exact/${row.net}.onnx`))
    const proven = Number(row.exact || row.lower)
    for (const rung of bounds.ladder)
      expect(constantOf(rung.joint)).toBeGreaterThanOrEqual(proven * (1 - 1e-9))
    expect(proven).toBeGreaterThan(0)
    expect(bestOf(bounds)).toBeLessThan(Infinity)
    if (row.spectral_product !== '') {
      const product = constantOf(rungOf(bounds, 'spectral-product'))
      expect(Math.abs(product / Number(row.spectral_product) - 1)).toBeLessThan(1e-5)
      expect(bestOf(bounds)).toBeLessThanOrEqual(product)
    }
  })
})

/** Networks with a finite bound: the shape of the input, and whether its Jacobian is small enough to be measured. */
const finite: readonly {
  path: string
  input: string
  shape: readonly number[]
  jacobian: boolean
  scale?: number
}[] = [
  {
    path: 'vnncomp/acasxu/ACASXU_run2a_1_1_batch_2000.onnx',
    input: 'input',
    shape: [1, 1, 1, 5],
    jacobian: true,
  },
  {
    path: 'vnncomp/acasxu/ACASXU_run2a_3_3_batch_2000.onnx',
    input: 'input',
    shape: [1, 1, 1, 5],
    jacobian: true,
  },
  { path: 'vnncomp/mnist_fc/mnist-net_256x2.onnx', input: '0', shape: [1, 784, 1], jacobian: true },
  { path: 'vnncomp/mnist_fc/mnist-net_256x6.onnx', input: '0', shape: [1, 784, 1], jacobian: false },
  { path: 'vnncomp/cifar10_resnet/resnet_2b.onnx', input: 'input.1', shape: [1, 3, 32, 32], jacobian: false },
  { path: 'vnncomp/oval21/cifar_base_kw.onnx', input: 'input.1', shape: [1, 3, 32, 32], jacobian: false },
  {
    path: 'vnncomp/eran/ffnnSIGMOID__Point_6x200.onnx',
    input: 'input',
    shape: [1, 1, 28, 28],
    jacobian: true,
  },
  { path: 'vnncomp/verivital/Convnet_avgpool.onnx', input: 'input', shape: [1, 1, 28, 28], jacobian: true },
  { path: 'vnncomp/verivital/Convnet_maxpool.onnx', input: 'input', shape: [1, 1, 28, 28], jacobian: true },
  {
    path: 'vnncomp/collins_rul_cnn/NN_rul_full_window_20.onnx',
    input: 'imageinput',
    shape: [1, 1, 20, 20],
    jacobian: true,
  },
  {
    path: 'vnncomp/marabou-cifar10/cifar10_small.onnx',
    input: 'x:0',
    shape: [1, 32, 32, 3],
    jacobian: false,
  },
  { path: 'vnncomp/cgan/cGAN_imgSz32_nCh_1.onnx', input: 'X', shape: [1, 5], jacobian: true },
  { path: 'rten/mnist.onnx', input: 'input', shape: [1, 1, 28, 28], jacobian: true },
  { path: 'rten/external/mnist.onnx', input: 'input', shape: [1, 1, 28, 28], jacobian: false },
]

describe.skipIf(!collectionIsThere)('trained networks', () => {
  it.each(finite)(
    '$path: no secant is steeper than its finite bound',
    async ({ path, input, shape, jacobian, scale }) => {
      const bounds = await boundFile(at(path), {}, 1e-2)
      const bound = bestOf(bounds)
      expect(bound).toBeLessThan(Infinity)
      expect(bound).toBeLessThanOrEqual(constantOf(rungOf(bounds, 'spectral-product')))
      expect(constantOf(rungOf(bounds, 'spectral-product'))).toBeLessThanOrEqual(
        constantOf(rungOf(bounds, 'frobenius-product')),
      )
      const network = await openNetwork(at(path), { [input]: shape })
      const secants = await steepestSecants(network, { seed: 5, points: jacobian ? 2 : 8, jacobian, scale })
      await network.release()
      expect(steepest(secants)).toBeGreaterThan(0)
      expect(steepest(secants)).toBeLessThanOrEqual(bound * (1 + 1e-5))
    },
  )
})

/** Networks without a bound, and the first node that has none. */
const refused: readonly { path: string; node: string; reason: RegExp }[] = [
  {
    path: 'vnncomp/traffic_signs/3_48_48_QConv_32_5_MP_2_BN_QConv_64_5_MP_2_BN_QConv_64_3_BN_Dense_256_BN_Dense_43_ep_30.onnx',
    node: 'sequential_1/quant_conv2d_4/ste_sign_9/Sign',
    reason: /discontinuous/,
  },
  {
    path: 'vnncomp/vit/ibp_3_3_8.onnx',
    node: '/1/1.0/1.0.0/fn/fn.1/MatMul',
    reason: /both depend on the input/,
  },
  {
    path: 'marabou/self-attention-mnist-pgd-medium-sim.onnx',
    node: 'MatMul__102',
    reason: /both depend on the input/,
  },
  { path: 'dtln/model_1.onnx', node: 'lstm_4', reason: /cell state/ },
  { path: 'gtcrn/gtcrn_simple.onnx', node: 'Pow_150', reason: /to the power 2/ },
  { path: 'onnxruntime/bert_toy_optimized.onnx', node: 'Add_13', reason: /size is not known/ },
  { path: 'tract/byte_sb_bidi_lstm__model.onnx', node: 'LSTM_9', reason: /steps/ },
]

describe.skipIf(!collectionIsThere)('networks that have no bound', () => {
  it.each(refused)('$path: names the node and the reason', async ({ path, node, reason }) => {
    const { refusal, best, elasticities } = await boundFile(at(path), {}, 1e-1)
    expect(refusal?.node).toBe(node)
    expect(refusal?.reason).toMatch(reason)
    expect(constantOf(best.joint)).toBe(Infinity)
    expect(elasticities).toBeNull()
  })
})
