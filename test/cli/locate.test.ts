import { describe, expect, it } from 'vitest'
import { makeLocate } from '../../src/cli/locate.ts'
import { fakeSurroundings } from './fake-streams.ts'

const locate = (path: string, directory: string, environment = {}) =>
  makeLocate({ ...fakeSurroundings(environment), directory })(path)

describe('locate', () => {
  it('is relative to the working directory', () => {
    expect(locate('a/../net.onnx', '/repo')).toBe('net.onnx')
    expect(locate('/repo/models/net.onnx', '/repo')).toBe('models/net.onnx')
    expect(locate('..net.onnx', '/repo')).toBe('..net.onnx')
  })

  it('is relative to the checkout where the working directory is within it', () => {
    const environment = { GITHUB_WORKSPACE: '/repo' }
    expect(locate('net.onnx', '/repo/sub', environment)).toBe('sub/net.onnx')
    expect(locate('../net.onnx', '/repo/sub', environment)).toBe('net.onnx')
    expect(locate('net.onnx', '/elsewhere', environment)).toBe('net.onnx')
  })

  it('is absolute where it leads out', () => {
    expect(locate('../net.onnx', '/repo')).toBe('/net.onnx')
    expect(locate('/tmp/net.onnx', '/repo')).toBe('/tmp/net.onnx')
  })
})
