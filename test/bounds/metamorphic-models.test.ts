import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Interval } from '../../src/ops/bound.ts'
import { bestOf, boundFile } from '../helpers/bounds.ts'
import { collection, collectionIsThere } from '../helpers/collection.ts'
import { type Decoded, decode, encodeDecoded } from '../helpers/conformance.ts'
import { writeTemporary } from '../helpers/onnx-builder.ts'

/** Real networks, written differently: the bound stays, up to rounding and the measurement's tolerance. */

const nodeOf = (
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attribute: Decoded[] = [],
) => ({
  opType,
  input,
  output,
  attribute,
})

const storedIn = (graph: Decoded) => new Set(graph.initializer.map(({ name }: Decoded) => name))

function renamed(model: Decoded): void {
  const { graph } = model
  const rename = (name: string) => (name === '' ? '' : `Änderung/${name}`)
  for (const one of graph.node) {
    one.name = ''
    one.input = one.input.map(rename)
    one.output = one.output.map(rename)
  }
  for (const kind of ['initializer', 'input', 'output', 'valueInfo'])
    for (const one of graph[kind]) one.name = rename(one.name)
}

function reversed({ graph }: Decoded): void {
  graph.node.reverse()
}

function withIdentities({ graph }: Decoded): void {
  graph.node = graph.node.flatMap((one: Decoded) => {
    const given = one.output.filter((name: string) => name !== '')
    one.output = one.output.map((name: string) => name && `${name} before`)
    return [one, ...given.map((name: string) => nodeOf('Identity', [`${name} before`], [name]))]
  })
}

/** All nodes as the body of one function. */
function withFunction(model: Decoded): void {
  const { graph } = model
  const given = [...new Set<string>([...graph.input.map(({ name }: Decoded) => name), ...storedIn(graph)])]
  const results = graph.output.map(({ name }: Decoded) => name)
  const body = {
    name: 'Whole',
    domain: 'local',
    input: given,
    output: results,
    node: graph.node,
    opsetImport: [...model.opsetImport],
  }
  model.functions = [body]
  model.irVersion = 8
  model.opsetImport = [...model.opsetImport, { domain: 'local', version: 1 }]
  graph.node = [{ ...nodeOf('Whole', given, results), domain: 'local' }]
}

/** All nodes in the branch of a condition that is constant. */
function withBranch({ graph }: Decoded): void {
  const results: string[] = graph.output.map(({ name }: Decoded) => name)
  const inside = (name: string) => (results.includes(name) ? `${name} taken` : name)
  for (const one of graph.node) {
    one.input = one.input.map(inside)
    one.output = one.output.map(inside)
  }
  const outputs = results.map((name) => ({ name: `${name} taken` }))
  const others = results.map((name) => ({ name: `${name} other` }))
  const input = graph.input.find(({ name }: Decoded) => !storedIn(graph).has(name)).name
  const jumps = results.map((name) => nodeOf('Floor', [input], [`${name} other`]))
  graph.initializer.push({ name: 'always', dims: [], dataType: 9, rawData: Uint8Array.of(1) })
  graph.node = [
    nodeOf('If', ['always'], results, [
      { name: 'then_branch', type: 5, g: { name: 'then', node: graph.node, output: outputs } },
      { name: 'else_branch', type: 5, g: { name: 'else', node: jumps, output: others } },
    ]),
  ]
}

const intOf = (one: Decoded, name: string) =>
  Number(one.attribute.find((a: Decoded) => a.name === name)?.i ?? 0)

/** Products and sums in the place of Gemm. */
function withoutGemm({ graph }: Decoded): void {
  graph.node = graph.node.flatMap((one: Decoded) => {
    const factors = one.attribute.filter((a: Decoded) => a.name === 'alpha' || a.name === 'beta')
    if (one.opType !== 'Gemm' || factors.some((a: Decoded) => a.f !== 1) || intOf(one, 'transA') === 1)
      return [one]
    const [data, weights, bias] = one.input
    const [output] = one.output
    const turned = intOf(one, 'transB') === 1
    const operand = turned ? `${output} turned` : weights
    return [
      ...(turned ? [nodeOf('Transpose', [weights], [operand])] : []),
      nodeOf('MatMul', [data, operand], [bias ? `${output} product` : output]),
      ...(bias ? [nodeOf('Add', [bias, `${output} product`], [output])] : []),
    ]
  })
}

const rewritings = { renamed, reversed, withIdentities, withFunction, withBranch, withoutGemm }

const networks: readonly {
  readonly name: string
  readonly shape: readonly number[]
  readonly range?: readonly [number, number]
}[] = [
  { name: 'vnncomp/acasxu/ACASXU_run2a_1_1_batch_2000.onnx', shape: [1, 1, 1, 5] },
  { name: 'rten/mnist.onnx', shape: [1, 1, 28, 28] },
  { name: 'vnncomp/verivital/Convnet_avgpool.onnx', shape: [1, 1, 28, 28] },
  { name: 'vnncomp/collins_rul_cnn/NN_rul_full_window_20.onnx', shape: [1, 1, 20, 20] },
  { name: 'marabou/self-attention-mnist-pgd-medium-sim.onnx', shape: [1, 28, 28], range: [0, 1] },
]

describe.skipIf(!collectionIsThere).each(networks)('the bound of $name', ({ name, shape, range }) => {
  const path = join(collection, name)
  const read = (): Decoded => {
    const model = decode('ModelProto', readFileSync(path))
    const stored = storedIn(model.graph)
    const inputs = model.graph.input.filter(({ name }: Decoded) => !stored.has(name))
    inputs[0].type.tensorType.shape = { dim: shape.map((dimValue) => ({ dimValue })) }
    for (const output of model.graph.output) output.type.tensorType.shape = null
    model.graph.valueInfo = []
    return model
  }
  const boundOf = async (model: Decoded) => {
    const stored = storedIn(model.graph)
    const names = model.graph.input.filter(({ name }: Decoded) => !stored.has(name))
    const inputRanges = new Map<string, Interval>()
    if (range !== undefined)
      for (const { name } of names) inputRanges.set(name, { lo: range[0], hi: range[1] })
    return bestOf(await boundFile(writeTemporary(encodeDecoded(model), 'model.onnx'), { inputRanges }))
  }

  it('is the same however it is written', async () => {
    const before = await boundOf(read())
    expect(before).toBeLessThan(Infinity)
    for (const [name, rewrite] of Object.entries(rewritings)) {
      const model = read()
      rewrite(model)
      const ratio = (await boundOf(model)) / before
      // windows of several layers are those of the main graph, and ranges behind a product are those of it alone
      if (rewrite === withBranch) expect(ratio, name).toBeLessThan(1.5)
      else if (rewrite === withoutGemm) expect(ratio, name).toBeLessThan(1.05)
      else expect([name, ratio]).toEqual([name, expect.closeTo(1, 4)])
      expect(ratio, name).toBeGreaterThan(1 - 1e-4)
    }
  })
})
