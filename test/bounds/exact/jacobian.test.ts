import { describe, expect, it } from 'vitest'
import { relu } from '../../../src/bounds/exact/forms.ts'
import { jacobianAt } from '../../../src/bounds/exact/jacobian.ts'
import type { PiecewiseNetwork, Row } from '../../../src/bounds/exact/piecewise-network.ts'

/** Σ factor·variable + constant·2^−60. */
function row(terms: readonly (readonly [variable: number, factor: number])[], constant: bigint): Row {
  return {
    variables: Int32Array.from(terms, ([variable]) => variable),
    integers: terms.map(([, factor]) => BigInt(factor) << 60n),
    constant,
    scale: 60,
    floats: Float64Array.from(terms, ([, factor]) => factor),
    offset: Number(constant) * 2 ** -60,
  }
}

const one = 1n << 60n

/** y = x − relu(size·relu(c) − 1 + x), c what is left of 1 − 1 + `tiny`·2^−60. */
const network = (tiny: bigint, size: number): PiecewiseNetwork => ({
  inputs: 1,
  neurons: [
    { ...row([], one), layer: 0, pieces: relu },
    { ...row([[1, 1]], tiny - one), layer: 1, pieces: relu },
    {
      ...row(
        [
          [0, 1],
          [2, size],
        ],
        -one,
      ),
      layer: 2,
      pieces: relu,
    },
  ],
  outputs: [
    row(
      [
        [0, 1],
        [3, -1],
      ],
      0n,
    ),
  ],
})

describe('the Jacobian at a point, from below', () => {
  it('knows slopes behind a constant that stands at a kink', () => {
    expect(jacobianAt(network(0n, 1), Float64Array.of(0.5))).toBeCloseTo(1, 10)
    expect(jacobianAt(network(0n, 1), Float64Array.of(1.5))).toBeCloseTo(0, 10)
  })

  it('does not take a constant for zero that rounding hides', () => {
    // size·c is 2⁴⁰, so that y = 1 − 2⁴⁰ does not move
    expect(jacobianAt(network(1n, 2 ** 100), Float64Array.of(0.5)) ?? 0).toBeLessThan(1e-6)
  })
})
