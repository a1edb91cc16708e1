import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ballDomain, boxDomain, type SearchDomain } from '../../../src/bounds/exact/domain.ts'
import { isObstacle } from '../../../src/bounds/exact/extract.ts'
import { float, type Message, type ModelSpec, node, tensor } from '../../helpers/onnx-builder.ts'
import { generator, tensorsFrom } from '../../helpers/seeded.ts'
import { everywhere, lengthAt, read, search } from './network.ts'

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })

/** A block with a skip, Clip, PRelu and Concat behind one another, of a seed. */
function residual(seed: number): ModelSpec {
  const random = generator(seed)
  const numbers = tensorsFrom(random)
  return {
    inputs: { x: [1, 3] },
    outputs: ['y'],
    initializers: {
      w: numbers(3, 3),
      b: numbers(3),
      lo: tensor([], [-0.5]),
      hi: tensor([], [0.75]),
      v: numbers(3, 4),
      slopes: numbers(4),
      u: numbers(7, 2),
    },
    nodes: [
      node('Gemm', ['x', 'w', 'b'], ['z']),
      node('Clip', ['z', 'lo', 'hi'], ['a']),
      node('Add', ['a', 'x'], ['s']),
      node('MatMul', ['s', 'v'], ['t']),
      node('PRelu', ['t', 'slopes'], ['p']),
      node('Concat', ['p', 's'], ['c'], { axis: 1 }),
      node('MatMul', ['c', 'u'], ['y']),
    ],
  }
}

function pointsIn(seed: number, size: number, scale: (i: number) => number, count: number): Float64Array[] {
  const random = generator(seed)
  return Array.from({ length: count }, (_, i) =>
    Float64Array.from({ length: size }, () => scale(i) * (2 * random() - 1)),
  )
}

describe('networks that are no chains', () => {
  it('close above every Jacobian, and at one of them', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const spec = residual(seed)
        const found = search(spec)
        const net = read(spec)
        for (const x of pointsIn(seed, 3, (i) => [0.5, 2, 10][i % 3], 200))
          expect(found.upper).toBeGreaterThanOrEqual(lengthAt(net, x) * (1 - 1e-12))
        expect(lengthAt(net, found.point as Float64Array)).toBeGreaterThan(found.upper * (1 - 1e-6))
      }),
      { numRuns: 12 },
    )
  })

  it('close with maxima and minima, also of windows', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = generator(seed)
        const numbers = tensorsFrom(random)
        const spec: ModelSpec = {
          inputs: { x: [1, 1, 3, 3] },
          outputs: ['y'],
          initializers: {
            k: numbers(1, 1, 1, 1),
            u: numbers(9, 3),
            v: numbers(9, 3),
            w: numbers(7, 2),
            c: numbers(3),
          },
          nodes: [
            node('Conv', ['x', 'k'], ['z']),
            node('MaxPool', ['z'], ['p'], { kernel_shape: [2, 2] }),
            node('Flatten', ['p'], ['q']),
            node('Flatten', ['x'], ['f']),
            node('MatMul', ['f', 'u'], ['g']),
            node('MatMul', ['f', 'v'], ['h']),
            node(random() < 0.5 ? 'Max' : 'Min', ['g', 'h', 'c'], ['m']),
            node('Concat', ['q', 'm'], ['j'], { axis: 1 }),
            node('MatMul', ['j', 'w'], ['y']),
          ],
        }
        const found = search(spec)
        const net = read(spec)
        for (const x of pointsIn(seed, 9, (i) => [0.5, 5][i % 2], 200))
          expect(found.upper).toBeGreaterThanOrEqual(lengthAt(net, x) * (1 - 1e-12))
        expect(lengthAt(net, found.point as Float64Array)).toBeGreaterThan(found.upper * (1 - 1e-6))
      }),
      { numRuns: 4 },
    )
  })

  it('are searched where a domain allows, in boxes and balls', () => {
    let narrower = 0
    fc.assert(
      fc.property(seeds, fc.boolean(), fc.constantFrom(0.05, 0.4), (seed, isBall, radius) => {
        const spec = residual(seed)
        const net = read(spec)
        const [center] = pointsIn(seed, 3, () => 1, 1)
        const domain = isBall
          ? ballDomain(center, radius)
          : boxDomain(
              center.map((value) => value - radius),
              center.map((value) => value + radius),
            )
        const found = search(spec, domain as SearchDomain)
        for (const away of pointsIn(seed + 1, 3, () => radius, 200)) {
          const x = center.map((value, i) => value + away[i])
          if (isBall && Math.hypot(...away) > radius) continue
          expect(found.upper).toBeGreaterThanOrEqual(lengthAt(net, x) * (1 - 1e-12))
        }
        const point = found.point as Float64Array
        const away = point.map((value, i) => value - center[i])
        if (isBall) expect(Math.hypot(...away)).toBeLessThanOrEqual(radius)
        else for (const value of away) expect(Math.abs(value)).toBeLessThanOrEqual(radius)
        expect(lengthAt(net, point)).toBeGreaterThan(found.upper * (1 - 1e-6))
        if (found.upper < search(spec).upper * (1 - 1e-3)) narrower++
      }),
      { numRuns: 14 },
    )
    expect(narrower).toBeGreaterThan(4)
  })

  it('have the same constant in a box whose ranges are followed', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const spec = residual(seed)
        const [center] = pointsIn(seed, 3, () => 1, 1)
        const domain = boxDomain(
          center.map((value) => value - 0.3),
          center.map((value) => value + 0.2),
        ) as SearchDomain
        const [followed, not] = [domain, { ...domain, box: null }].map((within) => search(spec, within))
        expect(Math.abs(followed.upper / not.upper - 1)).toBeLessThan(1e-6)
      }),
      { numRuns: 10 },
    )
  })

  it('are the same behind convolutions, pads and reshapes', () => {
    const random = generator(7)
    const numbers = tensorsFrom(random)
    const spec: ModelSpec = {
      inputs: { x: [1, 1, 3, 3] },
      outputs: ['y'],
      initializers: { k: numbers(2, 1, 2, 2), b: numbers(2), w: numbers(8, 2), scale: tensor([1], [0.5]) },
      nodes: [
        node('Div', ['x', 'scale'], ['s']),
        node('Conv', ['s', 'k', 'b'], ['z']),
        node('LeakyRelu', ['z'], ['a'], { alpha: float(0.1) }),
        node('Flatten', ['a'], ['f']),
        node('MatMul', ['f', 'w'], ['y']),
      ],
    }
    const [found, net] = [search(spec), read(spec)]
    for (const x of pointsIn(3, 9, (i) => [0.5, 5][i % 2], 400))
      expect(found.upper).toBeGreaterThanOrEqual(lengthAt(net, x) * (1 - 1e-12))
    expect(lengthAt(net, found.point as Float64Array)).toBeGreaterThan(found.upper * (1 - 1e-6))
  })
})

describe('networks that cannot be searched', () => {
  const behind = (...nodes: Message[]): ModelSpec => ({
    inputs: { x: [1, 4] },
    outputs: ['y'],
    initializers: { third: tensor([1], [3]), w: tensor([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]) },
    nodes: [node('MatMul', ['x', 'w'], ['z']), ...nodes],
  })

  it.each([
    ['smooth', node('Tanh', ['z'], ['y'])],
    ['curved', node('HardSwish', ['z'], ['y'])],
    ['rounded', node('Div', ['z', 'third'], ['y'])],
    ['jumping', node('ThresholdedRelu', ['z'], ['y'])],
  ])('name the node that is %s', (_, last) => {
    const { piecewise } = read(behind(last))
    expect(isObstacle(piecewise) && piecewise.obstacle?.outputs[0]?.name).toBe('y')
  })

  it('have an inside', () => {
    expect(boxDomain(Float64Array.of(0, 1), Float64Array.of(1, 1))).toBeNull()
    expect(everywhere(2).walls).toEqual([])
  })
})
