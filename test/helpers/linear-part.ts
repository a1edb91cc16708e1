/** The linear part of a model with one float32 input, by onnxruntime: f(x) − f(0) for every basis vector x. */
import { InferenceSession, Tensor } from 'onnxruntime-node'

/** A dense matrix, row-major. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly data: Float64Array
}

export async function linearPart(model: Uint8Array, shape: readonly number[]): Promise<Matrix> {
  const session = await InferenceSession.create(model, { logSeverityLevel: 3, intraOpNumThreads: 1 })
  const columns = shape.reduce((size, dim) => size * dim, 1)
  const run = async (x: Float32Array) => {
    const results = await session.run({ [session.inputNames[0]]: new Tensor('float32', x, shape) })
    return Float64Array.from(results[session.outputNames[0]].data as Float32Array)
  }
  const origin = await run(new Float32Array(columns))
  const data = new Float64Array(origin.length * columns)
  for (let column = 0; column < columns; column++) {
    const basis = new Float32Array(columns)
    basis[column] = 1
    const image = await run(basis)
    for (let row = 0; row < origin.length; row++) data[row * columns + column] = image[row] - origin[row]
  }
  await session.release()
  return { rows: origin.length, columns, data }
}
