import { describe, expect, it } from 'vitest'
import { describeError } from '../../src/cli/errors.ts'
import { LipschitzError } from '../../src/core/errors.ts'

describe('describeError', () => {
  it('says what, where and what to do on one line', () => {
    const error = new LipschitzError('shape', 'the kernel is larger than its input', {
      model: 'net.onnx',
      node: 'Conv_3',
      tensor: 'conv3.weight',
      hint: 'give the real size with --input-shape',
    })
    expect(describeError(error, false)).toBe(
      'lipschitz: the kernel is larger than its input (net.onnx, node Conv_3, tensor conv3.weight): give the real size with --input-shape',
    )
  })

  it('does not repeat what the message names', () => {
    const error = new LipschitzError('not-found', 'net.onnx does not exist', { model: 'net.onnx' })
    expect(describeError(error, false)).toBe('lipschitz: net.onnx does not exist')
  })

  it('escapes names from the file', () => {
    const text = describeError(new LipschitzError('malformed', 'bad\nnode', { node: '\x1b[31m' }), false)
    expect(text).toBe('lipschitz: bad\\nnode (node \\x1b[31m)')
  })

  it('calls an unexpected error internal, and shows its stack in debug mode alone', () => {
    expect(describeError(new TypeError('x is undefined'), false)).toBe(
      'lipschitz: internal error: x is undefined: please report it; --debug shows where it happened',
    )
    const shown = describeError(new TypeError('x is undefined', { cause: new Error('deep') }), true)
    expect(shown).toMatch(
      /^lipschitz: internal error: x is undefined: please report it\nTypeError: .*\n {4}at /,
    )
    expect(shown).toContain('caused by Error: deep')
  })

  it('takes anything that is thrown', () => {
    expect(describeError('text', false)).toContain('internal error: text')
  })
})
