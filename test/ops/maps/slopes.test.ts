import { describe, expect, it } from 'vitest'
import { createNetwork } from '../../../src/calculus/network.ts'
import { traceAt } from '../../../src/calculus/trace.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { slopes } from '../../../src/ops/maps/slopes.ts'
import { float, model, node, writeTemporary } from '../../helpers/onnx-builder.ts'

/** Arguments at which each function is smooth; those of functions with a smaller domain are moved into it. */
const anywhere = Float64Array.of(-2.6, -1.3, -0.4, -0.05, 0.07, 0.6, 1.2, 2.7, 3.4)
const within: Readonly<Record<string, (x: number) => number>> = {
  Sqrt: Math.abs,
  Log: Math.abs,
  Acosh: (x) => 1.1 + Math.abs(x),
  Asin: (x) => x / 4,
  Acos: (x) => x / 4,
  Atanh: (x) => x / 4,
}
const contributed = new Set(['QuickGelu'])
const attributes = { Elu: { alpha: 0.7 }, Celu: { alpha: 0.6 }, LeakyRelu: { alpha: 0.3 } } as const

describe('slopes of elementwise operators', () => {
  it.each(Object.keys(slopes))('are those of %s', (op) => {
    const x = anywhere.map(within[op] ?? ((value) => value))
    const named = Object.entries(attributes[op as keyof typeof attributes] ?? {})
    const bytes = model({
      inputs: { x: { type: 'float64', shape: [x.length] } },
      outputs: ['y'],
      nodes: [
        node(op, ['x'], ['y'], Object.fromEntries(named.map(([name, value]) => [name, float(value)])), {
          domain: contributed.has(op) ? 'com.microsoft' : '',
        }),
      ],
      opset: 24,
      opsets: { 'com.microsoft': 1 },
    })
    const typed = inferModel(readModel(writeTemporary(bytes, 'slope.onnx')))
    const network = createNetwork(typed, typed.graph.inputs, typed.graph.outputs)
    const [slope] = traceAt(network, [x]).jacobian.apply([x.map(() => 1)])
    const step = 1e-6
    const [ahead, behind] = [step, -step].map(
      (h) => traceAt(network, [x.map((value) => value + h)]).outputs[0].data,
    )
    x.forEach((_, i) => {
      const expected = (ahead[i] - behind[i]) / (2 * step)
      expect(Math.abs(slope![i] - expected), `${op} at ${x[i]}`).toBeLessThan(1e-6 * (1 + Math.abs(expected)))
    })
  })
})
