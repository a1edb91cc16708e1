import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LipschitzError } from '../../../src/core/errors.ts'
import type { ElementType, Tensor } from '../../../src/core/tensor.ts'
import type { Attribute } from '../../../src/graph/graph.ts'
import { numericFamilies } from '../../../src/ops/numeric/families.ts'
import type { Operator } from '../../../src/ops/operator.ts'
import { type Input, inferOnly, Refused, run, tensorOf } from '../../helpers/operator-bench.ts'

const type = fc.constantFrom<ElementType>(
  'float32',
  'float32',
  'float32',
  'float64',
  'int64',
  'int8',
  'uint8',
  'bool',
)
const known = fc.integer({ min: 0, max: 4 })
const shape = fc.array(fc.option(known, { freq: 6 }), { maxLength: 5 })

const constant: fc.Arbitrary<Tensor> = fc
  .record({ type, dims: fc.array(known, { maxLength: 4 }), fill: fc.integer({ min: -2, max: 5 }) })
  .map(({ type, dims, fill }) => {
    const size = dims.reduce((a, b) => a * b, 1)
    return tensorOf(dims, new Float64Array(size).fill(fill), type)
  })

const input: fc.Arbitrary<Input> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.option(type), shape: fc.option(shape) }) },
  { weight: 3, arbitrary: constant },
  { weight: 1, arbitrary: fc.constant(null) },
)

const small = fc.integer({ min: -2, max: 4 })
const integer = small.map((value): Attribute => ({ kind: 'int', value }))
const integers = fc.array(small, { maxLength: 6 }).map((value): Attribute => ({ kind: 'ints', value }))
const number = fc.double().map((value): Attribute => ({ kind: 'float', value }))
const textOf = (...choices: string[]) =>
  fc.constantFrom(...choices).map((value): Attribute => ({ kind: 'string', value }))

/** Attributes that the families read, with values that are sometimes sensible. */
const attributes = fc
  .record(
    {
      axis: integer,
      block_size: integer,
      kernel_shape: integers,
      strides: integers,
      pads: integers,
      dilations: integers,
      output_padding: integers,
      output_shape: integers,
      group: integer,
      auto_pad: textOf('NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER', 'FOO'),
      ceil_mode: integer,
      transA: integer,
      transB: integer,
      transBatchA: integer,
      alpha: number,
      epsilon: number,
      equation: textOf('ij,jk->ik', '...ij,jk', 'i', 'ii->i', '->', ',', 'ab...,...b->a'),
      direction: textOf('forward', 'reverse', 'bidirectional', 'up'),
      hidden_size: integer,
      layout: integer,
      output_dtype: integer,
      qkv_hidden_sizes: integers,
      K: integer,
      N: integer,
      bits: integer,
      onesided: integer,
      inverse: integer,
      inputdimensions: integers,
      border: integers,
      scale: integers,
      pooled_shape: integers,
      channels_last: integer,
    },
    { requiredKeys: [] },
  )
  .map((record) => new Map(Object.entries(record)))

const operators = numericFamilies.flat()
const named = (operator: Operator) => {
  const { op, domain, since } = operator
  return [`${domain ?? ''} ${op} ${since ?? 1}`.trim(), operator] as const
}
const versionFrom = (since = 1) => fc.integer({ min: since, max: since + 24 })

/** Refusing is right; any other error is a bug. */
function tolerant(step: () => void): void {
  try {
    step()
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof LipschitzError)) throw error
  }
}

describe('inference', () => {
  it.each(operators.map(named))(
    'of %s gives shapes to whatever it is given, or refuses it',
    (_, { op, domain, since }) => {
      fc.assert(
        fc.property(
          versionFrom(since),
          fc.array(input, { maxLength: 6 }),
          attributes,
          (version, inputs, attributes) => {
            tolerant(() => {
              for (const { shape } of inferOnly({ op, domain, version, attributes, outputs: 3 }, inputs)) {
                expect(
                  shape?.filter((dim) => dim !== null && !(Number.isInteger(dim) && dim >= 0)) ?? [],
                ).toEqual([])
              }
            })
          },
        ),
        { numRuns: 200 },
      )
    },
  )
})

describe('folding', () => {
  const folding = operators.filter((operator) => operator.fold !== undefined)

  it.each(folding.map(named))('of %s takes whatever it is given, or gives up', (_, { op, domain, since }) => {
    fc.assert(
      fc.property(
        versionFrom(since),
        fc.array(constant, { maxLength: 5 }),
        attributes,
        (version, inputs, attributes) => {
          tolerant(() => void run({ op, domain, version, attributes, outputs: 1 }, inputs))
        },
      ),
      { numRuns: 200 },
    )
  })
})
