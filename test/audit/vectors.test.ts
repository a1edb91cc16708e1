import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { singularVectors } from '../../src/audit/vectors.ts'
import { main } from '../../src/cli/main.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import { fakeSurroundings } from '../cli/fake-streams.ts'
import { blockMatrix, convolutionMatrix } from '../helpers/dense-operator.ts'
import { modelFile, node, tensor } from '../helpers/onnx-builder.ts'

const fixtures = resolve(import.meta.dirname, '../../fixtures/trained')
const resnet = join(fixtures, 'digits-resnet-folded.onnx')
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-vectors-'))
const length = (x: ArrayLike<number>) => Math.hypot(...Array.from(x))

describe('singular vectors', () => {
  it.each(['digits-resnet-folded.onnx', 'digits-mlp.onnx', 'digits-spectral.onnx'])(
    '%s: A·v = σ·u by the definition of each operator, σ within its enclosure',
    async (file) => {
      const path = join(fixtures, file)
      const vectors = await singularVectors(path)
      const layers = layersOf(inferModel(readModel(path)))
      const { models } = await audit(path, { threads: 1, effort: 'fast' })
      expect(vectors.map((found) => found.node)).toEqual(layers.map(({ node: own }) => own.name))
      for (const [i, { sigma, u, v }] of vectors.entries()) {
        const { operator } = layers[i].spec
        const { rows, columns, data } =
          operator.form === 'convolution' ? convolutionMatrix(operator) : blockMatrix(operator)[0]
        const turned = operator.form === 'matrix' && operator.input === 'rows'
        const image = new Float64Array(u.data.length)
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++) {
            const [to, from] = turned ? [column, row] : [row, column]
            image[to] += data[row * columns + column] * v.data[from]
          }
        }
        expect(length(v.data)).toBeCloseTo(1, 12)
        expect(length(image.map((value, k) => value - sigma * u.data[k]))).toBeLessThan(1e-9 * sigma)
        const { lower, upper } = models[0].layers.find((row) => row.node === layers[i].node.name)!.spectral
        expect(sigma).toBeLessThanOrEqual(upper! * (1 + 1e-12))
        expect(sigma).toBeGreaterThan(lower! * (1 - 1e-3))
      }
    },
  )

  it('leave out layers whose input size is not known, and embeddings', async () => {
    const path = modelFile({
      inputs: { x: [1, 1, null, null] },
      outputs: ['y'],
      initializers: {
        w: tensor(
          [1, 1, 3, 3],
          Float32Array.from({ length: 9 }, (_, i) => i),
        ),
      },
      nodes: [node('Conv', ['x', 'w'], ['y'])],
    })
    expect(await singularVectors(path)).toEqual([])
  })

  it('are read back by NumPy, where it is there', async () => {
    const path = join(folder, 'vectors.npz')
    const code = await main(
      ['audit', resnet, '--vectors', path, '--effort', 'fast', '-q'],
      fakeSurroundings(),
    )
    expect(code).toBe(0)
    const entries = execFileSync('python3', ['-c', listing, path], { encoding: 'utf8' }).trim().split('\n')
    expect(entries).toContain('/0/Conv/u.npy')
    const numpy = '/usr/bin/python3'
    if (spawnSync(numpy, ['-c', 'import numpy']).status !== 0) return
    const shapes = execFileSync(numpy, ['-c', reading, path], { encoding: 'utf8' }).trim()
    expect(shapes).toBe('(8, 8, 8) (1, 8, 8) () 1.0')
  })

  it('are written as JSON in the brackets of their shapes', async () => {
    const path = join(folder, 'vectors.json')
    await main(['audit', resnet, '--vectors', path, '--effort', 'fast', '-q'], fakeSurroundings())
    const [first] = JSON.parse(readFileSync(path, 'utf8'))
    expect([first.node, first.u.length, first.u[0].length, first.v.length]).toEqual(['/0/Conv', 8, 8, 1])
  })

  it('are refused for several models, and for other endings', async () => {
    const run = async (...argv: string[]) => {
      const surroundings = fakeSurroundings()
      const code = await main(['audit', ...argv], surroundings)
      return { code, stderr: surroundings.stderr.text() }
    }
    expect(await run(resnet, '--vectors', 'v.mat')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('.npz or .json'),
    })
    const several = await run(resnet, resnet, '--vectors', join(folder, 'v.npz'))
    expect(several).toMatchObject({ code: 2, stderr: expect.stringContaining('takes one model') })
  })
})

const listing =
  'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print("\\n".join(z.namelist()))'
const reading =
  'import sys, numpy; z = numpy.load(sys.argv[1]); n = "/0/Conv/"; ' +
  'print(z[n + "u"].shape, z[n + "v"].shape, z[n + "sigma"].shape, round(float(numpy.linalg.norm(z[n + "u"])), 9))'

describe('regularisers', () => {
  it('are the sums of the parts of the layers, each weight once', async () => {
    const path = modelFile({
      inputs: { x: [1, 2] },
      outputs: ['y'],
      initializers: { w: tensor([2, 2], [3, 0, 0, 4]), s: [2, 2] },
      nodes: [
        node('MatMul', ['x', 'w'], ['h']),
        node('MatMul', ['h', 'w'], ['g']),
        node('Mul', ['g', 's'], ['y']),
      ],
    })
    const { models } = await audit(path, { threads: 1, effort: 'fast' })
    const { layers, regularizers } = models[0]
    expect(regularizers.l2).toBeCloseTo(25, 9)
    expect(regularizers.spectral).toBeCloseTo(16, 9)
    const parts = layers.map(({ regularizer }) => regularizer?.l2 ?? null)
    expect(parts.filter((part) => part !== null)).toHaveLength(1)
  })
})
