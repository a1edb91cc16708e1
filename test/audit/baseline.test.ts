import { describe, expect, it } from 'vitest'
import { counterpart } from '../../src/audit/baseline.ts'
import { sampleModel, sampleReport } from '../report/sample.ts'

describe('counterpart', () => {
  const held = (...paths: string[]) => sampleReport(paths.map((path) => sampleModel({ path })))

  it('is the model of the same path', () => {
    expect(counterpart('./a/net.onnx', held('b/net.onnx', 'a/net.onnx'), [])?.path).toBe('a/net.onnx')
  })

  it('is else that of the same file name, where there is no doubt', () => {
    expect(counterpart('/tmp/net.onnx', held('a/net.onnx'), ['/tmp/net.onnx'])?.path).toBe('a/net.onnx')
    expect(counterpart('/tmp/net.onnx', held('a/net.onnx', 'b/net.onnx'), ['/tmp/net.onnx'])).toBeNull()
    expect(counterpart('c/net.onnx', held('a/net.onnx'), ['c/net.onnx', 'd/net.onnx'])).toBeNull()
    expect(counterpart('other.onnx', held('a/net.onnx'), [])).toBeNull()
  })
})
