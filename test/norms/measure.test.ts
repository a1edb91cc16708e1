import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { FloatArray, Shape } from '../../src/core/tensor.ts'
import type { LinearOperator } from '../../src/linalg/linear-operator.ts'
import { copiesPerElement } from '../../src/norms/geometry.ts'
import { measureLayers } from '../../src/norms/measure.ts'
import type { MeasureOptions } from '../../src/norms/measurement.ts'
import { openStoredFile } from '../../src/onnx/stored-file.ts'
import type { StoredTensor } from '../../src/onnx/stored-tensor.ts'
import type { LayerSpec } from '../../src/ops/layer.ts'

const options: MeasureOptions = {
  tolerance: 1e-3,
  certify: 'probabilistic',
  seed: 0,
  threads: 1,
  failureProbability: 1e-10,
}

function layer(operator: LinearOperator, inputShape: Shape | null = null): LayerSpec {
  const kind = operator.form === 'diagonal' ? 'scale' : 'dense'
  return { role: '', kind, weightName: 'w', weightShape: [], inputShape, stored: null, operator }
}

function matrix(rows: number, columns: number, data: FloatArray, blocks = 1): LinearOperator {
  return { form: 'matrix', rows, columns, blocks, arrangement: 'diagonal', factor: 1, load: () => data }
}

async function measure(spec: LayerSpec, changes: Partial<MeasureOptions> = {}) {
  const measured = (await measureLayers([{ key: 'only', spec }], { ...options, ...changes })).get('only')
  if (measured === undefined) throw new Error('no measurement')
  return measured
}

describe('measureLayers', () => {
  it('measures a dense layer on one batch element: √T in the Frobenius norm, nothing in the spectral norm', async () => {
    const data = Float32Array.of(3, 0, 0, 4)
    const { frobenius, spectral } = await measure(layer(matrix(2, 2, data), [1, 7, 2]))
    expect(frobenius.weight).toBeCloseTo(5, 12)
    expect(frobenius.operator).toBeCloseTo(5 * Math.sqrt(7), 12)
    expect(spectral?.lower).toBeCloseTo(4, 12)
    expect(spectral?.upper).toBeCloseTo(4, 12)
  })

  it('takes the largest of blocks on slices, the tall matrix of blocks on one input', async () => {
    const data = Float32Array.of(3, 0, 0, 1, 0, 0, 0, 4)
    const slices = await measure(layer(matrix(2, 2, data, 2)))
    expect(slices.spectral?.upper).toBeCloseTo(4, 12)
    const stacked = { ...matrix(2, 2, data, 2), arrangement: 'stacked' } as LinearOperator
    expect((await measure(layer(stacked))).spectral?.upper).toBeCloseTo(Math.sqrt(17), 10)
  })

  it('multiplies by the factor, whatever its sign', async () => {
    const spec = layer({ ...matrix(1, 2, Float32Array.of(3, 4)), factor: -2 } as LinearOperator, [1, 2])
    const { frobenius, spectral } = await measure(spec)
    expect(spectral?.upper).toBeCloseTo(10, 12)
    expect(frobenius).toEqual({ weight: 5, operator: 10 })
  })

  it('reads the norm of a diagonal operator off its entries', async () => {
    const load = () => Float32Array.of(1, -3, 2)
    const spec = layer({ form: 'diagonal', load, size: 3, multiplicity: 4, factor: 1 })
    const { frobenius, spectral } = await measure(spec)
    expect(spectral).toMatchObject({ lower: 3, upper: 3, certificate: 'deterministic' })
    expect(frobenius.operator).toBeCloseTo(2 * Math.sqrt(14), 12)
  })

  it('names the first weight that is not finite and gives no certificate', async () => {
    for (const form of [Float32Array, Float64Array]) {
      const data = form.of(1, Number.NEGATIVE_INFINITY, Number.NaN, 2)
      const { spectral, nonFinite } = await measure(layer(matrix(2, 2, data)))
      expect(spectral).toBeNull()
      expect(nonFinite).toEqual({ index: 1, value: '-Infinity' })
    }
  })

  it('keeps norms of float64 weights whose squares leave the range', async () => {
    const data = Float64Array.of(3e200, 0, 0, 4e200)
    const { frobenius, spectral } = await measure(layer(matrix(2, 2, data)))
    expect(frobenius.weight / 5e200).toBeCloseTo(1, 12)
    expect((spectral?.upper ?? 0) / 4e200).toBeCloseTo(1, 12)
  })

  it('loads equal weights once and gives the same bytes in any order of the layers', async () => {
    const random = Float32Array.from({ length: 400 * 500 }, (_, i) => Math.sin(i * i))
    const specs = [layer(matrix(400, 500, random)), layer(matrix(500, 400, random))]
    const keyed = specs.map((spec, index) => ({ key: String(index), spec }))
    const forward = await measureLayers(keyed, options)
    const backward = await measureLayers([...keyed].reverse(), options)
    expect(backward.get('0')).toEqual(forward.get('0'))
    expect(backward.get('1')).toEqual(forward.get('1'))
    expect(forward.get('0')?.weightSha256).toBe(forward.get('1')?.weightSha256)
  })

  it('shares the failure probability among the layers', async () => {
    const large = Float32Array.from({ length: 500 * 600 }, (_, i) => Math.sin(i * i))
    const specs = [layer(matrix(500, 600, large)), layer(matrix(1, 2, Float32Array.of(1, 2)))]
    const measured = await measureLayers(
      specs.map((spec, index) => ({ key: String(index), spec })),
      options,
    )
    expect(measured.get('0')?.spectral).toMatchObject({
      certificate: 'probabilistic',
      failureProbability: 5e-11,
    })
    expect(measured.get('1')?.spectral).toMatchObject({ certificate: 'deterministic', failureProbability: 0 })
  })
})

describe('stored weights', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lipschitz-norms-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  function stored(type: StoredTensor['type'], bytes: Uint8Array, size: number): LayerSpec {
    const path = join(folder, type)
    writeFileSync(path, Buffer.concat([Buffer.alloc(3), bytes]))
    const fail = () => {
      throw new Error('read by position, not loaded')
    }
    const range = { path, stamp: openStoredFile(path).stamp, offset: 3, length: bytes.length }
    const own = { name: 'w', type, dims: [size, 1], size, payload: null }
    const tensor: StoredTensor = { ...own, range, load: fail, sha256: fail }
    return {
      ...layer({ ...matrix(size, 1, new Float32Array(0)), load: fail } as LinearOperator),
      stored: tensor,
    }
  }

  it('are read by position, from any offset, and hashed as stored', async () => {
    const float = new Uint8Array(Float32Array.of(3, 4).buffer)
    const double = new Uint8Array(Float64Array.of(3, 4).buffer)
    const half = new Uint8Array(Uint16Array.of(0x4200, 0x4400).buffer)
    const byte = Uint8Array.of(3, 4)
    for (const [type, bytes] of [
      ['float32', float],
      ['float64', double],
      ['float16', half],
      ['int8', byte],
    ] as const) {
      const { frobenius, spectral, weightSha256 } = await measure(stored(type, bytes, 2))
      expect(frobenius.weight).toBe(5)
      expect(spectral?.upper).toBeCloseTo(5, 12)
      expect(weightSha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    }
  })

  it('that are gone or cut off are named in the error', async () => {
    const spec = stored('float32', new Uint8Array(8), 2)
    writeFileSync(join(folder, 'float32'), new Uint8Array(7))
    await expect(measure(spec)).rejects.toMatchObject({ code: 'unreadable', facts: { tensor: 'w' } })
    rmSync(join(folder, 'float32'))
    await expect(measure(spec)).rejects.toMatchObject({ code: 'not-found', facts: { tensor: 'w' } })
  })
})

describe('copiesPerElement', () => {
  it('counts the vectors that a layer acts on', () => {
    const along = (input: 'rows' | 'columns', shape: Shape | null) =>
      copiesPerElement(layer({ ...matrix(64, 32, new Float32Array(0)), input } as LinearOperator, shape))
    expect(along('rows', [1, 64])).toBe(1)
    expect(along('rows', [8, 10, 64])).toBe(10)
    expect(along('columns', [1, 32, 64])).toBe(64)
    expect(along('columns', [32, 5])).toBe(5)
    expect(along('rows', [null, 3, 64])).toBe(3)
    expect(along('rows', [1, null, 64])).toBeNull()
    expect(along('rows', null)).toBeNull()
  })
})
