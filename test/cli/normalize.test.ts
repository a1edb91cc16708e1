import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { createRandom } from '../../src/core/random.ts'
import { model, node, tensor } from '../helpers/onnx-builder.ts'
import { buildWhereStale, fixtures, lipschitz, root } from './built-program.ts'
import { fakeSurroundings } from './fake-streams.ts'

const mlp = join(fixtures, 'digits-mlp.onnx')
const newFolder = () => mkdtempSync(join(tmpdir(), 'lipschitz-normalize-'))
const checksum = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

async function run(...argv: string[]) {
  const surroundings = fakeSurroundings()
  const code = await main(['normalize', ...argv], surroundings)
  return { code, stdout: surroundings.stdout.text(), stderr: surroundings.stderr.text() }
}

describe('normalize', () => {
  const folder = newFolder()
  const out = join(folder, 'out.onnx')

  it('tells what was done, and that accuracy is not known', async () => {
    const { code, stdout, stderr } = await run(mlp, '-o', out, '--threads', '1')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^\/1\/Gemm +1\.weight +4\.6717 +1\.0000 +0\.214/m)
    expect(stdout).toContain('3 of 3 layers scaled')
    expect(stdout).toContain('nothing is known about its accuracy')
    expect(readdirSync(folder)).toEqual(['out.onnx'])
  })

  it('says so where nothing had to change', async () => {
    const { stdout } = await run(out, '-o', join(folder, 'same.onnx'), '--threads', '1')
    expect(stdout).toContain('nothing had to change')
    expect(stdout).not.toContain('accuracy')
    expect(checksum(join(folder, 'same.onnx'))).toBe(checksum(out))
  })

  it('scales the layers that a pattern names, and prints JSON', async () => {
    const { stdout } = await run(
      mlp,
      '-o',
      out,
      '--force',
      '--layers',
      '/4/*',
      '--layers',
      '6.weight',
      '--json',
    )
    const { layers, lipschitz: bounds } = JSON.parse(stdout)
    expect(layers.map(({ node }: { node: string }) => node)).toEqual(['/4/Gemm', '/6/Gemm'])
    expect(bounds.after.value).toBeLessThan(bounds.before.value)
  })

  it.each([
    [[mlp], 'no output is given'],
    [[mlp, '-o', out], `cannot write ${out}: it exists; --force replaces it`],
    [[mlp, '-o', mlp, '--force'], 'it is the model itself'],
    [[mlp, '-o', join(folder, 'none', 'out.onnx')], 'its folder does not exist'],
    [[mlp, '-o', folder, '--force'], 'it is a directory'],
    [[mlp, '-o', out, '--target', '0'], '--target expects a finite number above 0'],
    [[mlp, '-o', out, '--force', '--layers', 'none'], 'no dense or convolution layer is chosen'],
    [[mlp, '-o', out, '--force', '--spread', 'evenly'], 'a spread is given without a constant'],
    [[join(folder, 'no.onnx'), '-o', join(folder, 'x.onnx')], 'no such file'],
  ])('%j: exit code 2 and one line', async (argv, message) => {
    const before = readdirSync(folder)
    const { code, stdout, stderr } = await run(...argv)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(readdirSync(folder)).toEqual(before)
  })
})

/** A network of three large layers, which takes a while. */
function largeModel(): Uint8Array {
  const random = createRandom(3)
  const size = 700
  const names = ['a', 'b', 'c']
  return model({
    inputs: { x: [1, size] },
    outputs: ['c_out'],
    initializers: Object.fromEntries(
      names.map((name) => [
        name,
        tensor(
          [size, size],
          Float32Array.from({ length: size * size }, () => random.gaussian()),
        ),
      ]),
    ),
    nodes: names.map((name, i) =>
      node('MatMul', [i === 0 ? 'x' : `${names[i - 1]}_out`, name], [`${name}_out`]),
    ),
  })
}

const hidden = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('.lipschitz-'))

describe('a run that does not come to its end', () => {
  beforeAll(buildWhereStale)
  const folder = newFolder()
  const source = join(folder, 'model.onnx')
  writeFileSync(source, largeModel())
  const original = checksum(source)

  /** Starts the program and sends the signal when its hidden folder holds something. */
  function interrupted(signal: NodeJS.Signals): Promise<number | null> {
    const out = join(folder, 'out.onnx')
    const child = spawn(process.execPath, [
      join(root, 'bin/lipschitz.js'),
      'normalize',
      source,
      '-o',
      out,
      '--threads',
      '1',
    ])
    const poll = setInterval(() => {
      const [unfinished] = hidden(folder)
      if (unfinished !== undefined && readdirSync(join(folder, unfinished)).length > 0) child.kill(signal)
    }, 1)
    return new Promise((done) =>
      child.on('close', (code) => {
        clearInterval(poll)
        done(code)
      }),
    )
  }

  it('leaves nothing when it is interrupted', async () => {
    expect(await interrupted('SIGINT')).toBe(130)
    expect(readdirSync(folder)).toEqual(['model.onnx'])
    expect(checksum(source)).toBe(original)
  })

  it('leaves no output and the original as it was when it is killed; the next run removes its folder', async () => {
    expect(await interrupted('SIGKILL')).toBe(null)
    expect(hidden(folder)).toHaveLength(1)
    expect(existsSync(join(folder, 'out.onnx'))).toBe(false)
    expect(checksum(source)).toBe(original)
    const { code } = await lipschitz(['normalize', source, '-o', join(folder, 'out.onnx'), '-q'])
    expect(code).toBe(0)
    expect(readdirSync(folder).toSorted()).toEqual(['model.onnx', 'out.onnx'])
  })

  it('leaves nothing where a file may not grow further', () => {
    const out = join(folder, 'small.onnx')
    // the shell counts in blocks of 512 or 1,024 bytes; writing on is an error where the signal is ignored
    const command = `trap '' XFSZ; ulimit -f 100; exec "$0" "$@"`
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', command, process.execPath, join(root, 'bin/lipschitz.js'), 'normalize', source, '-o', out],
      { encoding: 'utf8' },
    )
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('too large') })
    expect(readdirSync(folder).toSorted()).toEqual(['model.onnx', 'out.onnx'])
    expect(checksum(source)).toBe(original)
  })

  const disk = join(newFolder(), 'disk')
  mkdirSync(disk)
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status === 0

  it.skipIf(!isMounted)('leaves nothing on a disk that is full', async () => {
    try {
      const { code, stderr } = await lipschitz(['normalize', source, '-o', join(disk, 'out.onnx')])
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('no space is left') })
      expect(readdirSync(disk)).toEqual([])
    } finally {
      execFileSync('umount', [disk])
    }
  })

  it('reads a model that may only be read, in a folder that may only be read', async () => {
    const place = newFolder()
    const locked = join(place, 'model.onnx')
    writeFileSync(locked, readFileSync(mlp))
    chmodSync(locked, 0o444)
    chmodSync(place, 0o555)
    const out = join(newFolder(), 'out.onnx')
    expect((await lipschitz(['normalize', locked, '-o', out, '-q'])).code).toBe(0)
    expect(readFileSync(locked).equals(readFileSync(mlp))).toBe(true)
    expect(readdirSync(place)).toEqual(['model.onnx'])
    chmodSync(place, 0o755)
  })
})
