import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../helpers/bounds.ts'
import {
  int64s,
  type Message,
  type ModelSpec,
  model,
  node,
  scalar,
  subgraph,
} from '../helpers/onnx-builder.ts'
import { openNetwork, steepest, steepestSecants } from '../helpers/slope.ts'

interface Case {
  readonly name: string
  readonly x: readonly number[]
  readonly nodes: readonly Message[]
  readonly constants?: ModelSpec['initializers']
  /** The constant of the map, in closed form. */
  readonly exact: number
  /** Where the bound is not the constant itself. */
  readonly bound?: number
  readonly outputs?: readonly string[]
}

const slice = (from: string, to: string, cut: string) =>
  node('Slice', [from, `${cut}s`, `${cut}e`, 'axis', `${cut}t`], [to])
const cut = (name: string, start: number, end: number, step = 1) => ({
  [`${name}s`]: int64s([start]),
  [`${name}e`]: int64s([end]),
  [`${name}t`]: int64s([step]),
})
const axis = { axis: int64s([1]) }
const halves = node('Split', ['x'], ['a', 'b'], { axis: 1, num_outputs: 2 })
const join = (inputs: readonly string[], out = 'y') => node('Concat', inputs, [out], { axis: 1 })
const triple = { k: scalar(3) }

const cases: readonly Case[] = [
  { name: 'parts put together again', x: [1, 6], nodes: [halves, join(['a', 'b'])], exact: 1 },
  {
    name: 'parts in another order, each through a function of its own',
    x: [1, 6],
    nodes: [halves, node('Relu', ['a'], ['r']), node('Sin', ['b'], ['s']), join(['s', 'r'])],
    exact: 1,
  },
  {
    name: 'a slice of what was put together',
    x: [1, 6],
    nodes: [
      node('Mul', ['x', 'k'], ['m']),
      node('Sin', ['x'], ['s']),
      join(['m', 's'], 'c'),
      slice('c', 'y', 'p'),
    ],
    constants: { ...axis, ...triple, ...cut('p', 6, 12) },
    exact: 1,
  },
  {
    name: 'a slice of two of three, backwards',
    x: [1, 6],
    nodes: [
      node('Mul', ['x', 'k'], ['m']),
      node('Neg', ['x'], ['n']),
      join(['m', 'n', 'x'], 'c'),
      slice('c', 'y', 'p'),
    ],
    constants: { ...axis, ...triple, ...cut('p', 17, 5, -1) },
    exact: Math.SQRT2,
  },
  {
    name: 'parts of what was put together, behind a node without a bound',
    x: [1, 6],
    nodes: [
      node('Exp', ['x'], ['e']),
      join(['e', 'x'], 'c'),
      node('Split', ['c'], ['p', 'q'], { axis: 1, num_outputs: 2 }),
      node('Mul', ['q', 'k'], ['y']),
    ],
    constants: triple,
    exact: 3,
  },
  {
    name: 'a position of what was put together',
    x: [1, 1],
    nodes: [
      node('Mul', ['x', 'k'], ['m']),
      join(['x', 'm'], 'c'),
      node('Gather', ['c', 'i'], ['y'], { axis: 1 }),
    ],
    constants: { ...triple, i: int64s([-2]) },
    exact: 1,
  },
  {
    name: 'the sum of two parts',
    x: [1, 6],
    nodes: [halves, node('Add', ['a', 'b'], ['y'])],
    exact: Math.SQRT2,
  },
  { name: 'one part twice', x: [1, 6], nodes: [halves, join(['a', 'a'])], exact: Math.SQRT2 },
  {
    name: 'one part twice, added',
    x: [1, 6],
    nodes: [halves, node('Neg', ['a'], ['n']), node('Sub', ['a', 'n'], ['y'])],
    exact: 2,
  },
  {
    name: 'parts that overlap, side by side',
    x: [1, 6],
    nodes: [slice('x', 'a', 'p'), slice('x', 'b', 'q'), join(['a', 'b'])],
    constants: { ...axis, ...cut('p', 0, 4), ...cut('q', 3, 6) },
    exact: Math.SQRT2,
  },
  {
    name: 'parts that touch, side by side',
    x: [1, 6],
    nodes: [slice('x', 'a', 'p'), slice('x', 'b', 'q'), join(['a', 'b'])],
    constants: { ...axis, ...cut('p', 0, 3), ...cut('q', 3, 6) },
    exact: 1,
  },
  {
    name: 'parts that overlap, added',
    x: [1, 6],
    nodes: [slice('x', 'a', 'p'), slice('x', 'b', 'q'), node('Add', ['a', 'b'], ['y'])],
    constants: { ...axis, ...cut('p', 0, 4), ...cut('q', 2, 6) },
    // (x₀ + x₂, x₁ + x₃, x₂ + x₄, x₃ + x₅): two tridiagonal matrices
    exact: Math.sqrt(2 + Math.SQRT2 * Math.cos(Math.PI / 4)),
    bound: 2,
  },
  {
    name: 'every second element and the others, backwards',
    x: [1, 7],
    nodes: [slice('x', 'a', 'p'), slice('x', 'b', 'q'), join(['a', 'b'])],
    constants: { ...axis, ...cut('p', 0, 7, 2), ...cut('q', -2, -9, -2) },
    exact: 1,
  },
  {
    name: 'every second and every third element',
    x: [1, 7],
    nodes: [slice('x', 'a', 'p'), slice('x', 'b', 'q'), join(['a', 'b'])],
    constants: { ...axis, ...cut('p', 0, 7, 2), ...cut('q', 0, 7, 3) },
    exact: Math.SQRT2,
  },
  {
    name: 'four interleaved images',
    x: [1, 2, 4, 4],
    nodes: [
      ...['0', '1', '2', '3'].flatMap((i) => [
        node('Slice', ['x', `s${Number(i) % 2}`, 'end', 'rows', 'two'], [`r${i}`]),
        node('Slice', [`r${i}`, `s${Math.floor(Number(i) / 2)}`, 'end', 'columns', 'two'], [`i${i}`]),
      ]),
      join(['i0', 'i1', 'i2', 'i3']),
    ],
    constants: {
      s0: int64s([0]),
      s1: int64s([1]),
      end: int64s([9]),
      two: int64s([2]),
      rows: int64s([2]),
      columns: int64s([3]),
    },
    exact: 1,
  },
  {
    name: 'a part, the rest, and what is made of the rest',
    x: [1, 6],
    nodes: [halves, node('Mul', ['b', 'k'], ['c']), join(['a', 'b', 'c'])],
    constants: triple,
    exact: Math.sqrt(10),
  },
  {
    name: 'parts of parts',
    x: [1, 8],
    nodes: [
      halves,
      node('Tanh', ['b'], ['t']),
      node('Split', ['t'], ['c', 'd'], { axis: 1, num_outputs: 2 }),
      node('Mul', ['d', 'k'], ['e']),
      join(['c', 'e'], 'f'),
      join(['a', 'f']),
    ],
    constants: triple,
    exact: 3,
  },
  {
    name: 'a part beside the whole',
    x: [1, 6],
    nodes: [halves, node('Mul', ['x', 'k'], ['w']), join(['a', 'w'])],
    constants: triple,
    exact: Math.sqrt(10),
  },
  {
    name: 'a part that came back by another way',
    x: [1, 6],
    nodes: [
      halves,
      join(['b', 'a'], 'z'),
      node('Split', ['z'], ['c', 'd'], { axis: 1, num_outputs: 2 }),
      // c is b again
      node('Add', ['b', 'c'], ['y']),
    ],
    exact: 2,
  },
  {
    name: 'query, key and value from one product',
    x: [3, 4],
    nodes: [
      node('Reshape', ['x', 'shape'], ['r']),
      node('Gather', ['r', 'zero'], ['q'], { axis: 0 }),
      node('Gather', ['r', 'one'], ['k'], { axis: 0 }),
      node('Gather', ['r', 'last'], ['v'], { axis: 0 }),
      node('Sum', ['q', 'k', 'v'], ['y']),
    ],
    constants: { shape: int64s([3, 2, 2]), zero: int64s(0), one: int64s(1), last: int64s(-1) },
    exact: Math.sqrt(3),
  },
  {
    name: 'rows that are read twice',
    x: [3, 4],
    nodes: [
      node('Gather', ['x', 'p'], ['a'], { axis: 0 }),
      node('Gather', ['x', 'q'], ['b'], { axis: 0 }),
      node('Concat', ['a', 'b'], ['y'], { axis: 0 }),
    ],
    constants: { p: int64s([0, 0]), q: int64s([1, 2]) },
    exact: Math.SQRT2,
    bound: Math.sqrt(3),
  },
  {
    name: 'rows between which another is read',
    x: [3, 4],
    nodes: [
      node('Gather', ['x', 'p'], ['a'], { axis: 0 }),
      node('Gather', ['x', 'q'], ['b'], { axis: 0 }),
      node('Add', ['a', 'b'], ['y']),
    ],
    constants: { p: int64s([0, 2]), q: int64s([1]) },
    exact: Math.sqrt(3),
    bound: 1 + Math.SQRT2,
  },
  {
    name: 'two outputs',
    x: [1, 6],
    nodes: [halves],
    outputs: ['a', 'b'],
    exact: 1,
  },
  {
    name: 'parts that a loop takes of what it carries',
    x: [1, 4],
    nodes: [
      node('Loop', ['trips', '', 'x'], ['y'], {
        body: subgraph({
          inputs: { i: { type: 'int64', shape: [] }, go: { type: 'bool', shape: [] }, c: [1, 4] },
          outputs: { go2: { type: 'bool', shape: [] }, d: [1, 4] },
          nodes: [
            node('Identity', ['go'], ['go2']),
            node('Split', ['c'], ['l', 'r'], { axis: 1, num_outputs: 2 }),
            node('Add', ['l', 'r'], ['s']),
            node('Concat', ['s', 's'], ['d'], { axis: 1 }),
          ],
        }),
      }),
    ],
    constants: { trips: int64s(2) },
    // (s, s) of (s, s): 2·(l + r) twice
    exact: 4,
    bound: 8,
  },
]

describe('parts of one tensor', () => {
  it.each(cases)('$name', async ({ x, nodes, constants = {}, exact, bound = exact, outputs = ['y'] }) => {
    const spec: ModelSpec = {
      opset: 18,
      inputs: { x },
      outputs: Object.fromEntries(outputs.map((name) => [name, { type: 'float32', shape: null }])),
      nodes,
      initializers: constants,
    }
    const found = bestOf(await boundModel(spec))
    const network = await openNetwork(model(spec), { x })
    const measured = steepest(await steepestSecants(network, { seed: 1, points: 6, center: 0, scale: 0.1 }))
    await network.release()
    expect(measured).toBeLessThanOrEqual(found * (1 + 1e-5))
    expect(measured).toBeGreaterThanOrEqual(0.98 * exact)
    expect(found).toBeGreaterThanOrEqual(exact * (1 - 1e-6))
    expect(found).toBeLessThanOrEqual(bound * (1 + 1e-3))
  })
})
