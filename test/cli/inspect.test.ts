import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.ts'
import {
  model as encodeModel,
  modelFile,
  node,
  subgraph,
  tensor,
  writeTemporary,
} from '../helpers/onnx-builder.ts'
import { fakeSurroundings } from './fake-streams.ts'

const root = resolve(import.meta.dirname, '../..')
const digits = join(root, 'fixtures/trained/digits-resnet.onnx')

async function run(argv: readonly string[], ...world: Parameters<typeof fakeSurroundings>) {
  const surroundings = fakeSurroundings(...world)
  const code = await main(['inspect', ...argv], surroundings)
  return { code, stdout: surroundings.stdout.text(), stderr: surroundings.stderr.text() }
}

/** Lines of the given kind, in fields. */
async function linesOf(kind: string, argv: readonly string[]): Promise<string[][]> {
  const { code, stdout, stderr } = await run(argv)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'))
  return lines.filter(([first]) => first === kind)
}

/** The value behind a label of a line. */
function fieldOf(line: readonly string[], label: string): string {
  const field = line.find((candidate) => candidate.startsWith(`${label}=`))
  if (field === undefined) throw new Error(`no ${label}= in ${line.join(' ')}`)
  return field.slice(label.length + 1)
}

/** y = x·2 + (3, −4), then Relu, then x·y: a product of two paths. */
const product = modelFile({
  inputs: { x: [1, 2] },
  outputs: { out: [1, 2] },
  initializers: { w: tensor([2, 2], [2, 0, 0, 2]), b: tensor([2], [3, -4]) },
  nodes: [
    node('Gemm', ['x', 'w', 'b'], ['y'], {}, { name: 'linear' }),
    node('Relu', ['y'], ['z'], {}, { name: 'relu' }),
    node('Mul', ['x', 'z'], ['p'], {}, { name: 'product' }),
    node('Neg', ['p'], ['out'], {}, { name: 'last' }),
  ],
})

describe('inspect', () => {
  it('prints one line per node, with tabs in a pipe', async () => {
    const { code, stdout, stderr } = await run([digits])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
    expect(lines[0]).toEqual([
      'model',
      digits,
      'ir=7',
      expect.stringMatching(/^parameters=\d+$/),
      'producer=pytorch 1.13.0',
    ])
    expect(lines[1]).toEqual(['opset', 'ai.onnx', '13'])
    expect(lines.filter(([kind]) => kind === 'input')).toEqual([['input', 'image:float32[1,1,8,8]']])
    const [output] = lines.filter(([kind]) => kind === 'output')
    expect(output[1]).toBe('logits:float32[1,10]')
    const nodes = lines.filter(([kind]) => kind === 'node')
    expect(nodes.map((fields) => fields.length)).toEqual(nodes.map(() => 15))
    expect(nodes[0].slice(0, 7)).toEqual(['node', '0', 'Conv', '/0/Conv', 'bound', 'linear', 'conv'])
    expect(nodes[0].slice(12)).toEqual([
      'image:float32[1,1,8,8] 0.weight=float32[8,1,3,3]',
      '->',
      '/0/Conv_output_0:float32[1,8,8,8]',
    ])
  })

  it('aligns fields on a terminal', async () => {
    const { stdout } = await run([digits], {}, { isTTY: true, columns: 80 })
    const nodes = stdout.split('\n').filter((line) => line.startsWith('node'))
    expect(new Set(nodes.map((line) => line.indexOf('/'))).size).toBe(1)
    expect(new Set(nodes.map((line) => line.indexOf('range='))).size).toBe(1)
    expect(stdout).not.toContain('\t')
  })

  it('holds --input-shape against the file', async () => {
    const { code, stderr } = await run([digits, '--input-shape', 'image=1,1,9'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^lipschitz: [^\n]*image[^\n]*\n$/)
  })
})

describe('bounds in an inspection', () => {
  it('grow along the network: constant, range, length and gain of every node', async () => {
    const [linear, relu, times] = await linesOf('node', [product, '--input-range', '-1,1'])
    expect(fieldOf(linear, 'L')).toMatch(/^2(\.0\d+)?$/)
    expect(fieldOf(linear, 'gain')).toMatch(/^2(\.0\d+)?$/)
    expect(fieldOf(linear, 'range')).toMatch(/^\[-6(\.0001)?,5(\.0001)?\]$/)
    expect(fieldOf(relu, 'range')).toMatch(/^\[0,5(\.0001)?\]$/)
    expect(fieldOf(relu, 'offset')).toBe('0')
    expect(Number(fieldOf(times, 'L'))).toBeGreaterThanOrEqual(5)
    expect(Number(fieldOf(times, 'L'))).toBeLessThanOrEqual(7.001)
    expect(Number(fieldOf(linear, 'norm'))).toBeGreaterThan(Math.hypot(6, 5))
    expect(Number(fieldOf(linear, 'norm'))).toBeLessThan(8)
  })

  it('end where a node has none, with the reason, and name that node behind it', async () => {
    const [, relu, times, last] = await linesOf('node', [product])
    expect(fieldOf(relu, 'L')).toMatch(/^2(\.0\d+)?$/)
    expect(fieldOf(times, 'L')).toBe('inf')
    expect(fieldOf(times, 'reason')).toContain('--input-range')
    expect(fieldOf(last, 'behind')).toBe('product')
    const [output] = await linesOf('output', [product])
    expect(fieldOf(output, 'L')).toBe('inf')
  })

  it('are left out with --no-norms', async () => {
    const nodes = await linesOf('node', [product, '--no-norms'])
    expect(nodes.map((line) => [fieldOf(line, 'L'), fieldOf(line, 'range')])).toEqual(
      nodes.map(() => ['-', '-']),
    )
  })

  it('are measured in the norm asked for', async () => {
    const [linear] = await linesOf('node', [product, '--norm', 'linf'])
    expect(fieldOf(linear, 'L')).toMatch(/^2(\.0001)?$/)
    const [layer] = await linesOf('node', [digits, '--norm', 'l1'])
    expect(Number(fieldOf(layer, 'L'))).toBeGreaterThan(0)
  })

  it('are those of an audit', async () => {
    const surroundings = fakeSurroundings()
    await main(['audit', digits, '--json', '--threads', '1'], surroundings)
    const [{ lipschitz }] = JSON.parse(surroundings.stdout.text()).models
    const { stdout } = await run([digits, '--json', '--threads', '1'])
    const { outputs } = JSON.parse(stdout)
    const { value } = lipschitz.ladder.find(({ method }: { method: string }) => method === 'graph')
    expect(outputs[0].lipschitz.value).toBe(value)
  })

  it('are null in JSON where they are not finite', async () => {
    const { stdout } = await run([product, '--json'])
    const { nodes, inputs } = JSON.parse(stdout)
    expect(inputs[0]).toMatchObject({ name: 'x', shape: [1, 2], range: { lo: null, hi: null }, norm: null })
    expect(nodes[1]).toMatchObject({
      id: '1',
      op: 'Relu',
      rule: 'bound',
      group: 'elementwise',
      inputs: ['y'],
    })
    expect(nodes[1].outputs[0]).toMatchObject({ range: { lo: 0, hi: null } })
    expect(nodes[1].outputs[0].lipschitz.value).toBeCloseTo(2, 3)
    expect(nodes[2].outputs[0].lipschitz).toEqual({ value: null, log10: null, unbounded: true })
    expect(nodes[2].reason).toContain('--input-range')
    expect(nodes[3].outputs[0].refusedBy).toBe('product')
  })

  it('of several outputs stand side by side, and those of branches behind their owner', async () => {
    const branch = (op: string) => subgraph({ outputs: ['r'], nodes: [node(op, ['a'], ['r'])] })
    const path = writeTemporary(
      encodeModel({
        inputs: { x: [4], c: { type: 'bool', shape: [] } },
        outputs: { out: [2] },
        nodes: [
          node('Split', ['x'], ['a', 'b'], { num_outputs: 2 }),
          node('If', ['c'], ['out'], { then_branch: branch('Sin'), else_branch: branch('Neg') }),
        ],
      }),
    )
    const [split, condition, taken] = await linesOf('node', [path])
    expect(fieldOf(split, 'L')).toBe('1 1')
    expect(condition.slice(1, 3)).toEqual(['1', 'If'])
    expect([taken[1].slice(0, 2), taken[2]]).toEqual(['1/', 'Sin'])
    expect(fieldOf(taken, 'range')).toBe('[-1,1]')
  })
})
