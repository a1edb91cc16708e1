import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createProgress } from '../../src/cli/progress.ts'
import { fakeSurroundings } from './fake-streams.ts'

const terminal = { isTTY: true, columns: 40 }
const step = { model: 'net.onnx', done: 3, total: 12, label: '/layers/3/Conv' }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the progress line', () => {
  it('shows nothing of work that is over within half a second', () => {
    const surroundings = fakeSurroundings({}, terminal)
    const progress = createProgress(surroundings, {})
    vi.advanceTimersByTime(400)
    progress.update(step)
    progress.clear()
    expect(surroundings.stderr.text()).toBe('')
  })

  it('is one line that is rewritten, within the width, and erased', () => {
    const surroundings = fakeSurroundings({}, terminal)
    const progress = createProgress(surroundings, {})
    vi.advanceTimersByTime(600)
    progress.update(step)
    progress.update({ ...step, done: 4 })
    vi.advanceTimersByTime(100)
    progress.update({ ...step, done: 5, label: 'x'.repeat(100) })
    progress.clear()
    const lines = surroundings.stderr.text().split('\r\x1b[2K')
    expect(lines).toHaveLength(4)
    expect(lines[1]).toBe('net.onnx  3/12  /layers/3/Conv')
    expect(lines[2]).toHaveLength(39)
    expect(lines[3]).toBe('')
    expect(surroundings.stderr.text()).not.toContain('\n')
    expect(surroundings.stdout.text()).toBe('')
  })

  it.each([
    ['a pipe', {}, {}, {}],
    ['continuous integration', { CI: 'true' }, terminal, {}],
    ['a dumb terminal', { TERM: 'dumb' }, terminal, {}],
    ['--no-progress', {}, terminal, { progress: false }],
    ['--quiet', {}, terminal, { quiet: true }],
  ] as const)('is silent for %s', (_, environment, streams, settings) => {
    const surroundings = fakeSurroundings(environment, streams)
    const progress = createProgress(surroundings, settings)
    vi.advanceTimersByTime(5000)
    progress.update(step)
    progress.clear()
    expect(surroundings.stderr.text()).toBe('')
  })

  it('is a plain line per model in logs, when verbose', () => {
    const surroundings = fakeSurroundings({ CI: '1' }, terminal)
    const progress = createProgress(surroundings, { verbose: true })
    progress.update(step)
    progress.update({ ...step, done: 4 })
    progress.update({ ...step, model: 'b.onnx', total: 1 })
    progress.clear()
    expect(surroundings.stderr.text()).toBe('net.onnx: 12 layers\nb.onnx: 1 layer\n')
  })
})
