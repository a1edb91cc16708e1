import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matcher } from '../../../src/cli/config/glob.ts'

describe('matcher', () => {
  it.each([
    ['*.onnx', 'models/net.onnx', true],
    ['*.onnx', 'models/net.onnx.bak', false],
    ['models/*.onnx', 'models/net.onnx', true],
    ['models/*.onnx', 'models/a/net.onnx', false],
    ['models/**/*.onnx', 'models/net.onnx', true],
    ['models/**/*.onnx', 'models/a/b/net.onnx', true],
    ['models/**', 'models/a/b', true],
    ['./models/*', 'models/net.onnx', true],
    ['/head/*', '/head/Gemm', true],
    ['/head/*', '/head/fc/Gemm', false],
    ['/head/**', '/head/fc/Gemm', true],
    ['{a,b}?.onnx', 'a1.onnx', true],
    ['{a,b}?.onnx', 'c1.onnx', false],
    ['a.b', 'axb', false],
    ['a{b', 'a{b', true],
    ['a,b', 'a,b', true],
    ['(a|b)[c]+$^', '(a|b)[c]+$^', true],
    ['Conv_0', '/x/Conv_0', true],
    ['Conv_0', '/x/Conv_01', false],
  ])('%s, %s: %s', (pattern, name, expected) => {
    expect(matcher(pattern)(name)).toBe(expected)
  })

  it('takes any of several', () => {
    expect(matcher(['a', 'b'])('b')).toBe(true)
    expect(matcher([])('b')).toBe(false)
  })

  it('takes every name without special characters for itself', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (name) => {
        fc.pre(!/[*?{]/.test(name) && !name.startsWith('./'))
        expect(matcher(name)(name)).toBe(true)
      }),
    )
  })
})
