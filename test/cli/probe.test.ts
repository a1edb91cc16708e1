import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { encodeNpy } from '../../src/cli/points/npy.ts'
import { fixtures } from './built-program.ts'
import { fakeSurroundings } from './fake-streams.ts'

const mlp = join(fixtures, 'digits-mlp.onnx')
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-probe-'))

async function run(...argv: string[]) {
  const surroundings = fakeSurroundings()
  const code = await main(['probe', ...argv, '--threads', '1'], surroundings)
  return { code, stdout: surroundings.stdout.text(), stderr: surroundings.stderr.text() }
}

describe('probe', () => {
  it('prints what was found', async () => {
    const { code, stdout, stderr } = await run(mlp, '--around', 'zeros')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^ {2}domain +all inputs$/m)
    expect(stdout).toMatch(/^ {2}lower bound +\d+\.\d+ {2}proven by two inputs/m)
    expect(stdout).toMatch(/^ {2}‖J‖ at zeros +\d/m)
    expect(stdout).toMatch(/^ {2}certified radius +0\.\d+: class \d of/m)
    expect(stdout).toMatch(/^ {2}penalty \(‖J‖ − 1\)² +mean/m)
  })

  it('stores a pair of points that onnxruntime confirms', async () => {
    const path = join(folder, 'pair.json')
    const { code } = await run(mlp, '--witness', path, '-q')
    expect(code).toBe(0)
    const { x, y, value } = JSON.parse(readFileSync(path, 'utf8'))
    const session = await InferenceSession.create(mlp, { intraOpNumThreads: 1 })
    const [name] = session.inputNames
    const evaluate = async (point: number[][]) => {
      const data = Float32Array.from(point.flat(8) as unknown as number[])
      const results = await session.run({ [name]: new Tensor('float32', data, [1, 1, 8, 8]) })
      return { data, result: results[session.outputNames[0]].data as Float32Array }
    }
    const [a, b] = [await evaluate(x[name]), await evaluate(y[name])]
    await session.release()
    const apart = (p: Float32Array, q: Float32Array) => Math.hypot(...p.map((entry, i) => entry - q[i]))
    const difference = apart(a.result, b.result)
    // results in float32 are right to some roundings of theirs, and near one another
    const doubt = (2 ** -21 * Math.hypot(...a.result)) / difference
    expect(doubt).toBeLessThan(0.1)
    expect(Math.abs(difference / apart(a.data, b.data) / value - 1)).toBeLessThan(1e-3 + doubt)
  })

  it('stores arrays that NumPy reads', async () => {
    const path = join(folder, 'pair.npz')
    await run(mlp, '--witness', path, '-q')
    const bytes = readFileSync(path)
    expect(bytes.subarray(0, 4).toString('latin1')).toBe('PK\x03\x04')
    expect(bytes.includes('x.')).toBe(true)
    expect(bytes.includes('NUMPY')).toBe(true)
  })

  it('writes JSON', async () => {
    const samples = join(folder, 'samples.npy')
    writeFileSync(samples, encodeNpy({ dims: [2, 8, 8], data: new Float64Array(128).fill(0.5) }))
    const { stdout } = await run(mlp, '--json', '--samples', samples, '--input-range', '0,1')
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ schemaVersion: 1, norm: 'l2', domain: { kind: 'box' }, point: null })
    expect(result.gradient).toMatchObject({ source: 'file', samples: 2 })
    expect(result.lower.value).toBeGreaterThan(1)
  })

  it('is the same every time', async () => {
    const [first, second] = [await run(mlp, '--json'), await run(mlp, '--json')]
    expect(first.stdout).toBe(second.stdout)
  })

  it.each([
    [['--radius', '1'], 'a radius needs a point'],
    [['--around', 'missing.npy'], 'missing.npy: no such file'],
    [['--samples', 'missing.npy'], 'missing.npy: no such file'],
    [['--around', 'zeros', '--radius', '1', '--input-range', '0,1'], 'not both'],
  ])('refuses %s', async (argv, message) => {
    const { code, stderr } = await run(mlp, ...argv)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })
})
