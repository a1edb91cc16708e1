/** What tests of normalised models have in common. */
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { createRandom } from '../../src/core/random.ts'
import { normalize } from '../../src/edit/normalize.ts'
import type { NormalizeOptions } from '../../src/edit/options.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import type { LinearOperator } from '../../src/linalg/linear-operator.ts'
import { blockMatrix, convolutionMatrix } from '../helpers/dense-operator.ts'
import type { Matrix } from '../helpers/linear-part.ts'
import { type Message, type ModelSpec, model, node, tensor } from '../helpers/onnx-builder.ts'
import { singularValues } from '../linalg/known-norms.ts'

export const fixtures = resolve(import.meta.dirname, '../../fixtures')
export const folder = mkdtempSync(join(tmpdir(), 'lipschitz-normalize-'))
let count = 0
export const output = () => join(folder, `out-${++count}.onnx`)

export const random = createRandom(7)
export const gaussians = (size: number, scale = 1) =>
  Float32Array.from({ length: size }, () => scale * random.gaussian())

export async function normalized(path: string, options: NormalizeOptions = {}) {
  const out = output()
  return { out, result: await normalize(path, out, { threads: 1, ...options }) }
}

export const failure = (path: string, options: NormalizeOptions = {}) =>
  normalized(path, options).then(
    () => {
      throw new Error('it was normalised')
    },
    ({ code, message, facts }) => ({ code, message, ...facts }),
  )

/** The largest singular value of the operator's matrix, from its definition, by Jacobi rotations. */
export function trueNorm(operator: LinearOperator): number {
  const matrices = operator.form === 'convolution' ? [convolutionMatrix(operator)] : blockMatrix(operator)
  return Math.max(
    ...matrices.map(({ rows, columns, data }) =>
      rows * columns <= 6000 ? singularValues(rows, columns, data)[0] : poweredNorm({ rows, columns, data }),
    ),
  )
}

/** By power iteration: from below, close after so many steps for matrices of a network. */
export function poweredNorm({ rows, columns, data }: Matrix): number {
  let v = Float64Array.from({ length: columns }, () => random.gaussian())
  let norm = 0
  for (let step = 0; step < 60; step++) {
    const image = new Float64Array(rows)
    const next = new Float64Array(columns)
    for (let i = 0; i < rows; i++) {
      let sum = 0
      for (let j = 0; j < columns; j++) sum += data[i * columns + j] * v[j]
      image[i] = sum
      for (let j = 0; j < columns; j++) next[j] += data[i * columns + j] * sum
    }
    norm = Math.hypot(...image) / Math.hypot(...v)
    const length = Math.hypot(...next)
    v = next.map((x) => x / length)
  }
  return norm
}

export function linearLayers(path: string) {
  return layersOf(inferModel(readModel(path))).filter(({ spec }) =>
    ['dense', 'conv', 'conv-transpose'].includes(spec.kind),
  )
}

export const twins = readdirSync(join(fixtures, 'formats'))
  .filter((file) => file.endsWith('.onnx') && file !== 'same-sparse.onnx')
  .map((file) => `formats/${file}`)
export const cases = [
  ...twins,
  'trained/digits-mlp.onnx',
  'trained/digits-spectral.onnx',
  'trained/digits-resnet-folded.onnx',
]

/** y = x·W. */
export function denseSpec(
  dims: readonly number[],
  values: readonly number[] | Message,
  more: ModelSpec = {},
): ModelSpec {
  const weight = Array.isArray(values) ? tensor(dims, values as number[]) : (values as Message)
  return {
    inputs: { x: [1, dims[0]] },
    outputs: ['y'],
    initializers: { w: weight },
    nodes: [node('MatMul', ['x', 'w'], ['y'], {}, { name: 'product' })],
    ...more,
  }
}
export const dense = (dims: readonly number[], values: readonly number[]) => model(denseSpec(dims, values))

export async function run(
  path: string | Uint8Array,
  feeds: Record<string, [readonly number[], ArrayLike<number>]>,
) {
  const session = await InferenceSession.create(path as string, { logSeverityLevel: 4, intraOpNumThreads: 1 })
  const tensors = Object.entries(feeds).map(([name, [dims, data]]) => [
    name,
    new Tensor('float32', Float32Array.from(data), dims),
  ])
  const results = await session.run(Object.fromEntries(tensors))
  await session.release()
  return Object.values(results)[0].data as Float32Array
}
