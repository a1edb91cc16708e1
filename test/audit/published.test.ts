import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { ModelReport } from '../../src/audit/report-schema.ts'
import { collection, collectionIsThere, readTable } from '../helpers/collection.ts'

async function auditOne(path: string): Promise<ModelReport> {
  const { models, errors } = await audit(join(collection, path), { threads: 1 })
  expect(errors).toEqual([])
  return models[0]
}

const rung = (model: ModelReport, method: string) =>
  model.lipschitz.ladder.find((bound) => bound.method === method)

describe.skipIf(!collectionIsThere)('published bounds', () => {
  const published = collectionIsThere ? readTable('glipsdp/PUBLISHED.tsv') : []
  it.each(published.map(({ net, seed, product }) => [`${net}_seed${seed}`, Number(product)] as const))(
    '%s: the spectral product is the published one',
    async (name, product) => {
      const model = await auditOne(`glipsdp/${name}.onnx`)
      expect(rung(model, 'spectral-product')?.value).toBeGreaterThanOrEqual(product * (1 - 1e-6))
      expect(rung(model, 'spectral-product')?.value).toBeLessThanOrEqual(product * (1 + 1e-6))
    },
  )

  const solved = published.filter(({ LipSDP }) => LipSDP !== '')
  it.each(
    solved.map(
      ({ net, seed, LipLT, LipSDP }) => [`${net}_seed${seed}`, Number(LipLT), Number(LipSDP)] as const,
    ),
  )(
    '%s: mean slopes give no more than LipLT, the descent what a solver of LipSDP gives',
    async (name, mean, solver) => {
      const model = await auditOne(`glipsdp/${name}.onnx`)
      expect(rung(model, 'mean-slope')?.value).toBeLessThanOrEqual(mean * (1 + 1e-4))
      expect(rung(model, 'sdp')?.value).toBeLessThanOrEqual(solver * 1.005)
      expect(rung(model, 'sdp')?.value).toBeGreaterThanOrEqual(solver * (1 - 1e-4))
    },
  )

  const exact = collectionIsThere ? readTable('exact/EXACT.tsv') : []
  it.each(exact.map(({ net, exact: value, lower }) => [net, Number(value || lower)] as const))(
    '%s: no bound is below the exact constant',
    async (name, constant) => {
      expect(constant).toBeGreaterThan(0)
      const model = await auditOne(`exact/${name}.onnx`)
      for (const bound of model.lipschitz.ladder) {
        expect(bound.value, bound.method).toBeGreaterThanOrEqual(constant * (1 - 1e-9))
      }
    },
  )
})

describe.skipIf(!collectionIsThere)('certificates of real models', () => {
  it.each([
    'vnncomp/acasxu/ACASXU_run2a_1_1_batch_2000.onnx',
    'vnncomp/acasxu/ACASXU_run2a_3_3_batch_2000.onnx',
    'vnncomp/mnist_fc/mnist-net_256x2.onnx',
    'vnncomp/mnist_fc/mnist-net_256x4.onnx',
    'vnncomp/mnist_fc/mnist-net_256x6.onnx',
    'vnncomp/cifar10_resnet/resnet_2b.onnx',
    'vnncomp/cifar10_resnet/resnet_4b.onnx',
    'vnncomp/oval21/cifar_base_kw.onnx',
    'vnncomp/oval21/cifar_deep_kw.onnx',
    'vnncomp/eran/ffnnSIGMOID__Point_6x200.onnx',
    'vnncomp/verivital/Convnet_avgpool.onnx',
    'vnncomp/verivital/Convnet_maxpool.onnx',
    'vnncomp/collins_rul_cnn/NN_rul_full_window_20.onnx',
    'vnncomp/marabou-cifar10/cifar10_small.onnx',
    'vnncomp/cgan/cGAN_imgSz32_nCh_1.onnx',
    'rten/mnist.onnx',
    'onnxruntime_go_examples/mnist_float16.onnx',
  ])('%s has a finite bound, each rung at most the one before', async (path) => {
    const model = await auditOne(path)
    const values = model.lipschitz.ladder.map((bound) => bound.log10)
    expect(values).toEqual([...values].sort((a, b) => (b ?? Infinity) - (a ?? Infinity)))
    expect(values.every((value) => value !== null && Number.isFinite(value))).toBe(true)
    expect(model.lipschitz.upper).toEqual(model.lipschitz.ladder.at(-1))
    expect(model.lipschitz.upper.value).toBeLessThanOrEqual(rung(model, 'graph')?.value ?? 0)
  })

  it.each([
    ['vnncomp/vit/ibp_3_3_8.onnx', 'MatMul', /input|data|range|bound/],
    ['marabou/self-attention-mnist-pgd-medium-sim.onnx', 'MatMul', /input|data|range|bound/],
    [
      'vnncomp/traffic_signs/3_48_48_QConv_32_5_MP_2_BN_QConv_64_5_MP_2_BN_QConv_64_3_BN_Dense_256_BN_Dense_43_ep_30.onnx',
      'Sign',
      /jump|discontinuous/,
    ],
  ])('%s has no certificate, because of a %s', async (path, op, reason) => {
    const model = await auditOne(path)
    expect(model.lipschitz.upper).toMatchObject({ value: null, unbounded: true, op })
    expect(model.lipschitz.upper.reason).toMatch(reason)
    const finding = model.findings.find(({ rule }) => rule === 'unbounded-op')
    expect(finding).toMatchObject({ level: 'error', op, node: model.lipschitz.upper.node })
    expect(model.layers.every((layer) => layer.spectral.upper !== null)).toBe(true)
  })
})
