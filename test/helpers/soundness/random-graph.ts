/** Random models of few nodes: operators with random attributes, joined at random. */
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import {
  type AttributeValue,
  type Message,
  type ModelSpec,
  model,
  node,
  tensor,
  writeTemporary,
} from '../onnx-builder.ts'
import { generator } from '../seeded.ts'
import { makers } from './random-nodes.ts'

/** A value of the graph that is being made. */
export interface Drawn {
  readonly name: string
  readonly shape: readonly number[]
  /** Whether all elements are known to lie in a bounded range. */
  readonly bounded: boolean
}

/** What makers of nodes draw from and write to. */
export interface Draft {
  readonly opset: number
  /** Uniform in [0, 1). */
  random(): number
  /** A whole number from lo to hi, both included. */
  whole(lo: number, hi: number): number
  pick<T>(list: readonly T[]): T
  chance(probability: number): boolean
  /** A constant of random numbers. */
  numbers(dims: readonly number[], scale?: number, center?: number): string
  constant(message: Message): string
  /** Another value made so far. */
  other(): Drawn
  /** Appends a node; the name of its first output. */
  add(
    op: string,
    inputs: readonly string[],
    attributes?: Record<string, AttributeValue>,
    outputs?: number,
  ): string
}

/** Appends nodes that read the given value; the value they result in, null where the value does not fit. */
export type Maker = (draft: Draft, x: Drawn) => { readonly name: string; readonly bounded?: boolean } | null

export interface RandomGraph {
  readonly spec: ModelSpec
  /** The operators with their attributes, to find a failure again. */
  readonly description: string
}

const inputShapes: readonly (readonly number[])[] = [
  [1, 2, 5, 4],
  [1, 4, 3, 3],
  [2, 3, 4],
  [3, 4],
  [1, 6],
  [5],
  [1, 2, 9],
  [2, 1, 4],
  [1, 1, 3, 1],
  [1, 1, 2, 3, 3],
]

/** Null where nothing could be made. */
export function randomGraph(seed: number, only?: readonly string[]): RandomGraph | null {
  const random = generator(seed)
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]
  const whole = (lo: number, hi: number) => lo + Math.floor(random() * (hi - lo + 1))
  const opset = pick([10, 11, 12, 13, 16, 18, 19, 21])
  const inputs: Record<string, readonly number[]> = { x0: pick(inputShapes) }
  if (random() < 0.3) inputs.x1 = random() < 0.6 ? inputs.x0 : pick(inputShapes)
  const nodes: Message[] = []
  const initializers: Record<string, Message> = {}
  let values: Drawn[] = Object.entries(inputs).map(([name, shape]) => ({ name, shape, bounded: false }))
  let description: string[] = []
  let count = 0
  const draft: Draft = {
    opset,
    random,
    pick,
    whole,
    chance: (probability) => random() < probability,
    numbers: (dims, scale = 1, center = 0) =>
      draft.constant(
        tensor(
          dims,
          Float32Array.from(
            { length: dims.reduce((size, dim) => size * dim, 1) },
            () => center + scale * (2 * random() - 1),
          ),
        ),
      ),
    constant: (message) => {
      const name = `c${count++}`
      initializers[name] = message
      return name
    },
    other: () => pick(values),
    add: (op, names, attributes = {}, outputs = 1) => {
      const made = Array.from({ length: outputs }, () => `v${count++}`)
      nodes.push(node(op, names, made, attributes))
      description.push(`${op}(${names.join(',')}) ${JSON.stringify(attributes)} -> ${made.join(',')}`)
      return made[0]
    },
  }
  const specOf = (outputs: readonly string[]): ModelSpec => ({
    opset,
    irVersion: 8,
    inputs,
    initializers: { ...initializers },
    outputs: Object.fromEntries(outputs.map((name) => [name, { type: 'float32', shape: null }])),
    nodes: [...nodes],
  })
  const names = only ?? Object.keys(makers)
  const wanted = pick([1, 1, 2, 3, 4])
  for (let attempt = 0, made = 0; made < wanted && attempt < 20; attempt++) {
    const before = { nodes: nodes.length, description: [...description] }
    const maker = makers[pick(names)]
    const x = random() < 0.7 ? values[values.length - 1] : pick(values)
    const result = x.shape.length === 0 ? null : maker(draft, x)
    const shape = result === null ? null : shapeOf(specOf([result.name]), result.name)
    if (result === null || shape === null || shape.reduce((size, dim) => size * dim, 1) > 600) {
      nodes.length = before.nodes
      description = before.description
      continue
    }
    values = [...values, { name: result.name, shape, bounded: result.bounded === true }]
    made++
  }
  if (nodes.length === 0) return null
  const last = values[values.length - 1].name
  const shapes = Object.entries(inputs).map(([name, shape]) => `${name}[${shape}]`)
  return {
    spec: specOf([last]),
    description: [`opset ${opset}`, ...shapes, ...description].join('\n'),
  }
}

/** As inferred; null where the node is refused or the shape is not known or empty. */
function shapeOf(spec: ModelSpec, name: string): readonly number[] | null {
  try {
    const typed = inferModel(readModel(writeTemporary(model(spec), 'random-draft.onnx')))
    const output = typed.graph.outputs.find((value) => value.name === name)
    const shape = output === undefined ? null : typed.operand(output).shape
    return shape?.every((dim) => dim !== null && dim > 0) ? (shape as readonly number[]) : null
  } catch {
    return null
  }
}
