import fc from 'fast-check'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { walkGraph } from '../../src/bounds/walk.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import type { Box } from '../../src/ops/bound.ts'
import {
  float,
  int64s,
  type Message,
  type ModelSpec,
  model,
  node,
  tensor,
  writeTemporary,
} from '../helpers/onnx-builder.ts'
import { generator, tensorsFrom } from '../helpers/seeded.ts'
import { randomGraph } from '../helpers/soundness/random-graph.ts'

/** Where elements of every value lie for inputs in the range; norms count as 1, as boxes do not rest on them. */
function walkOf(spec: ModelSpec, [lo, hi]: readonly [number, number]) {
  const typed = inferModel(readModel(writeTemporary(model(spec), 'boxes.onnx')))
  const inputRanges = new Map(typed.graph.inputs.map(({ name }) => [name, { lo, hi }]))
  const walk = walkGraph(typed, {
    normOf: () => 1e30,
    audited: typed.graph.inputs,
    refined: true,
    inputRanges,
  })
  return { typed, walk }
}

/** The interval of the element at a position of a tensor of these dims. */
function intervalAt(box: Box, dims: readonly number[], position: number): readonly [number, number] {
  let [rest, at, stride] = [position, 0, 1]
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const index = rest % dims[axis]
    rest = Math.floor(rest / dims[axis])
    if (box.dims[axis] !== 1) at += index * stride
    stride *= box.dims[axis]
  }
  return [box.lo[at], box.hi[at]]
}

/** Runs a model at random points of the range, all intermediate values as outputs, and holds each element against its box. */
async function holdAgainstRuntime(
  spec: ModelSpec,
  range: readonly [number, number],
  seed: number,
): Promise<number> {
  const { typed, walk } = walkOf(spec, range)
  const boxes = typed.graph.nodes.flatMap(({ outputs }) =>
    outputs.flatMap((value) => {
      const box = value && walk.boxOf(value)
      return value && box && typed.operand(value).type === 'float32' ? [{ name: value.name, box }] : []
    }),
  )
  if (boxes.length === 0) return 0
  const outputs = Object.fromEntries(
    boxes.map(({ name }) => [name, { type: 'float32', shape: null } as const]),
  )
  const session = await InferenceSession.create(model({ ...spec, outputs }), {
    logSeverityLevel: 4,
    graphOptimizationLevel: 'disabled',
  })
  const random = generator(seed)
  const [lo, hi] = range
  for (let sample = 0; sample < 24; sample++) {
    const feeds = Object.fromEntries(
      Object.entries(spec.inputs as Record<string, readonly number[]>).map(([name, dims]) => {
        const size = dims.reduce((product, dim) => product * dim, 1)
        const draw = () => (sample % 2 === 0 ? (random() < 0.5 ? lo : hi) : lo + (hi - lo) * random())
        return [name, new Tensor('float32', Float32Array.from({ length: size }, draw), dims)]
      }),
    )
    const results = await session.run(feeds)
    for (const { name, box } of boxes) {
      const { data, dims } = results[name]
      for (const [i, value] of Array.from(data as Float32Array).entries()) {
        const [least, most] = intervalAt(box, dims, i)
        const slack = 1e-4 * Math.max(1, Math.abs(least), Math.abs(most))
        if (!(value >= least - slack && value <= most + slack))
          throw new Error(`${name}[${i}] is ${value}, not in [${least}, ${most}]`)
      }
    }
  }
  await session.release()
  return boxes.length
}

describe('ranges of single elements', () => {
  it('hold every element of every value of random graphs', async () => {
    let held = 0
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      fc.constantFrom([-1, 1] as const, [0.2, 1.5] as const, [-3, -0.5] as const),
      async (seed, range) => {
        const graph = randomGraph(seed)
        if (graph === null) return
        const count = await holdAgainstRuntime(graph.spec, range, seed).catch((error) => {
          // graphs that the runtime does not run say nothing
          if (/not in \[/.test(String(error))) throw new Error(`${error.message}: ${graph.description}`)
          return 0
        })
        held += count
      },
    )
    await fc.assert(property, { numRuns: 150, endOnFailure: true })
    expect(held).toBeGreaterThan(50)
  })
})

const random = generator(5)
const numbers = tensorsFrom(random)

/** x → one tensor with an interval of its own for each channel or column, then the node under test. */
interface Case {
  readonly name: string
  readonly x: readonly number[]
  readonly nodes: readonly Message[]
  readonly constants?: ModelSpec['initializers']
  readonly opset?: number
}

const spread = (shape: readonly number[]) =>
  tensor(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
  )
/** h = x·c with c = 1, 2, 3, … along the channels, so that a wrong order of intervals shows. */
const scaled = (...nodes: Message[]) => [node('Mul', ['x', 'c'], ['h']), ...nodes]

const channels = { x: [1, 6, 4, 5], constants: { c: spread([1, 6, 1, 1]) } }
const columns = { x: [3, 8], constants: { c: spread([8]) } }

const cases: readonly Case[] = [
  { name: 'Transpose', ...channels, nodes: scaled(node('Transpose', ['h'], ['y'], { perm: [0, 2, 1, 3] })) },
  { name: 'Transpose reversed', ...channels, nodes: scaled(node('Transpose', ['h'], ['y'])) },
  {
    name: 'channel shuffle',
    x: channels.x,
    constants: { ...channels.constants, s: int64s([1, 2, 3, 4, 5]), t: int64s([1, 6, 4, 5]) },
    nodes: scaled(
      node('Reshape', ['h', 's'], ['r']),
      node('Transpose', ['r'], ['u'], { perm: [0, 2, 1, 3, 4] }),
      node('Reshape', ['u', 't'], ['y']),
    ),
  },
  { name: 'Flatten', ...channels, nodes: scaled(node('Flatten', ['h'], ['y'])) },
  {
    name: 'Flatten and a dense layer',
    x: channels.x,
    constants: { ...channels.constants, w: numbers(120, 7) },
    nodes: scaled(node('Flatten', ['h'], ['f']), node('MatMul', ['f', 'w'], ['y'])),
  },
  {
    name: 'Split and Concat in another order',
    ...channels,
    nodes: scaled(
      node('Split', ['h'], ['a', 'b', 'd'], { axis: 1, num_outputs: 3 }),
      node('Concat', ['d', 'a', 'b'], ['y'], { axis: 1 }),
    ),
  },
  {
    name: 'Slice backwards with a step',
    x: columns.x,
    constants: { ...columns.constants, s: int64s([-1]), e: int64s([-9]), a: int64s([1]), t: int64s([-3]) },
    nodes: scaled(node('Slice', ['h', 's', 'e', 'a', 't'], ['y'])),
  },
  {
    name: 'Gather in any order, from the end, twice',
    x: columns.x,
    constants: { ...columns.constants, i: int64s([7, -8, 3, 3]) },
    nodes: scaled(node('Gather', ['h', 'i'], ['y'], { axis: -1 })),
  },
  {
    name: 'Conv with groups and a stride',
    x: channels.x,
    constants: { ...channels.constants, w: numbers(4, 3, 3, 2), b: numbers(4) },
    nodes: scaled(node('Conv', ['h', 'w', 'b'], ['y'], { group: 2, strides: [2, 1], pads: [1, 0, 0, 1] })),
  },
  {
    name: 'ConvTranspose with groups',
    x: channels.x,
    constants: { ...channels.constants, w: numbers(6, 2, 3, 2), b: numbers(4) },
    nodes: scaled(node('ConvTranspose', ['h', 'w', 'b'], ['y'], { group: 2, strides: [2, 1] })),
  },
  {
    name: 'BatchNormalization',
    x: channels.x,
    constants: {
      ...channels.constants,
      g: numbers(6),
      o: numbers(6),
      m: numbers(6),
      v: [0.5, 2, 1, 3, 0.1, 4],
    },
    nodes: scaled(node('BatchNormalization', ['h', 'g', 'o', 'm', 'v'], ['y'])),
  },
  {
    name: 'Gemm with transposed weights and factors',
    x: columns.x,
    constants: { ...columns.constants, w: numbers(5, 8), o: numbers(5) },
    nodes: scaled(node('Gemm', ['h', 'w', 'o'], ['y'], { transB: 1, alpha: float(-0.5), beta: float(2) })),
  },
  {
    name: 'Gemm with transposed data',
    x: columns.x,
    constants: { ...columns.constants, w: numbers(3, 5) },
    nodes: scaled(node('Gemm', ['h', 'w'], ['y'], { transA: 1 })),
  },
  {
    name: 'MatMul from the left',
    x: columns.x,
    constants: { ...columns.constants, w: numbers(4, 3) },
    nodes: scaled(node('MatMul', ['w', 'h'], ['y'])),
  },
  {
    name: 'Pad that shifts without changing the size',
    x: columns.x,
    constants: { ...columns.constants, p: int64s([0, 2, 0, -2]) },
    nodes: scaled(node('Pad', ['h', 'p'], ['y'])),
  },
  {
    name: 'sums and extremes over channels',
    x: channels.x,
    constants: { ...channels.constants, axes: int64s([1]) },
    nodes: scaled(
      node('ReduceSum', ['h', 'axes'], ['s'], { keepdims: 0 }),
      node('ReduceMean', ['h', 'axes'], ['m']),
      node('ReduceMax', ['h', 'axes'], ['a']),
      node('ReduceMin', ['h', 'axes'], ['i']),
      node('Sum', ['m', 'a', 'i'], ['y']),
    ),
  },
  {
    name: 'normalisations',
    x: columns.x,
    constants: {
      ...columns.constants,
      g: numbers(8),
      o: numbers(8),
      s: int64s([3, 2, 4]),
      p: numbers(2),
      q: numbers(2),
    },
    nodes: scaled(
      node('LayerNormalization', ['h', 'g', 'o'], ['l']),
      node('Reshape', ['l', 's'], ['r']),
      node('InstanceNormalization', ['r', 'p', 'q'], ['y']),
    ),
  },
  {
    name: 'codes, and their convolution',
    x: channels.x,
    constants: {
      ...channels.constants,
      s: tensor([], [0.03]),
      z: tensor([], [7], 'int8'),
      w: tensor(
        [4, 3, 2, 2],
        Array.from({ length: 48 }, (_, i) => ((i * 37) % 255) - 127),
        'int8',
      ),
      ws: tensor([4], [0.01, 0.02, 0.005, 0.03]),
      wz: tensor([4], [0, 3, -2, 0], 'int8'),
      t: tensor([], [0.4]),
      u: tensor([], [-20], 'int8'),
      b: tensor([4], [50, -300, 1000, 0], 'int32'),
    },
    nodes: scaled(
      node('QuantizeLinear', ['h', 's', 'z'], ['q']),
      node('QLinearConv', ['q', 's', 'z', 'w', 'ws', 'wz', 't', 'u', 'b'], ['r'], {
        group: 2,
        pads: [1, 0, 0, 1],
      }),
      node('DequantizeLinear', ['r', 't', 'u'], ['y']),
    ),
  },
  {
    name: 'gates by their factors',
    x: columns.x,
    constants: {
      ...columns.constants,
      three: [3],
      none: tensor([], [0]),
      six: tensor([], [6]),
      half: [0.5],
      root: [1.5],
    },
    nodes: scaled(
      node('Add', ['h', 'three'], ['s']),
      node('Clip', ['s', 'none', 'six'], ['k']),
      node('Mul', ['h', 'k'], ['hard']),
      node('Sigmoid', ['h'], ['g']),
      node('Mul', ['h', 'g'], ['silu']),
      node('Div', ['h', 'root'], ['d']),
      node('Erf', ['d'], ['e']),
      node('Add', ['e', 'three'], ['f']),
      node('Mul', ['h', 'f'], ['gelu']),
      node('Softplus', ['h'], ['w']),
      node('Tanh', ['w'], ['t']),
      node('Mul', ['h', 't'], ['mish']),
      node('Sum', ['hard', 'silu', 'gelu', 'mish'], ['y']),
    ),
  },
  {
    name: 'pools',
    ...channels,
    nodes: scaled(
      node('MaxPool', ['h'], ['a'], { kernel_shape: [2, 2] }),
      node('AveragePool', ['h'], ['b'], { kernel_shape: [2, 2], pads: [1, 1, 1, 1] }),
      node('GlobalAveragePool', ['h'], ['y']),
    ),
  },
  {
    name: 'slopes of channels',
    x: [1, 4],
    constants: { c: spread([4]) },
    nodes: scaled(node('Tanh', ['h'], ['t']), node('PRelu', ['h', 'c'], ['y'])),
  },
]

describe('an operator', () => {
  it.each(cases)(
    'moves intervals along with elements: $name',
    async ({ x, nodes, constants, opset = 18 }) => {
      const spec: ModelSpec = {
        opset,
        inputs: { x },
        outputs: { y: { type: 'float32', shape: null } },
        nodes,
        initializers: constants,
      }
      for (const range of [
        [-1, 1],
        [0.5, 1],
      ] as const) {
        expect(await holdAgainstRuntime(spec, range, 3)).toBeGreaterThan(0)
      }
    },
  )

  it('moves no intervals to floating-point codes of few bits, which lie further apart than 1', () => {
    const { typed, walk } = walkOf(
      {
        opset: 21,
        inputs: { x: [1, 4] },
        initializers: { s: tensor([], [1]) },
        nodes: [
          node('QuantizeLinear', ['x', 's'], ['q'], { output_dtype: 17 }),
          node('DequantizeLinear', ['q', 's'], ['y']),
        ],
        outputs: { y: { type: 'float32', shape: [1, 4] } },
      },
      [395, 399],
    )
    // the nearest of these codes is 384
    for (const { outputs } of typed.graph.nodes)
      expect(walk.boundOf(outputs[0]!).range.lo).toBeLessThanOrEqual(384)
  })
})
