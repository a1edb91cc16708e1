import { describe, expect, it } from 'vitest'
import { calculusOf, operatorsWithCalculus } from '../../../src/ops/maps/families.ts'
import { operatorTable } from '../../../src/ops/registry.ts'

describe('operators as functions of real numbers', () => {
  it('are all declared', () => {
    const declared = new Set(operatorTable().flatMap(({ op, domain = '' }) => [op, `${domain}.${op}`]))
    expect(operatorsWithCalculus.filter((name) => !declared.has(name))).toEqual([])
  })

  it('tell names apart that two domains share', () => {
    expect(calculusOf('', 'Attention')).not.toBe(calculusOf('com.microsoft', 'Attention'))
    expect(calculusOf('com.microsoft', 'Pad')).toBe(calculusOf('', 'Pad'))
  })

  it('are known for everything that networks for images and text are usually made of', () => {
    const usual =
      'Add AveragePool BatchNormalization Clip Concat Conv ConvTranspose Div Erf Exp Gather Gelu Gemm GlobalAveragePool If ' +
      'LSTM LayerNormalization MatMul MaxPool Mul Pad Pow Reduce* Relu Reshape Resize Sigmoid Slice Softmax Split Sqrt Sub ' +
      'Tanh Transpose Where'
    const missing = usual
      .replace('Reduce*', 'ReduceMax ReduceMean ReduceMin ReduceSum ReduceL2')
      .split(' ')
      .filter((op) => {
        const { linear, derivative, unroll } = calculusOf('', op)
        return linear === undefined && derivative === undefined && unroll === undefined
      })
    expect(missing).toEqual([])
  })
})
