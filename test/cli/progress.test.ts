import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createProgress, describeDuration, estimateRemaining } from '../../src/cli/progress.ts'
import { fakeSurroundings } from './fake-streams.ts'

const terminal = { isTTY: true, columns: 40 }
const step = { model: 'net.onnx', done: 3, total: 12, label: '/layers/3/Conv', share: 0.25 }

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

  it('says how long it will take, and which model of how many it is at', () => {
    const surroundings = fakeSurroundings({}, { isTTY: true, columns: 100 })
    const progress = createProgress(surroundings, {}, 2)
    vi.advanceTimersByTime(10_000)
    progress.update(step)
    vi.advanceTimersByTime(10_000)
    progress.update({ ...step, done: 1, share: 0.001 })
    expect(surroundings.stderr.text().split('\r\x1b[2K')).toEqual([
      '',
      '[1/2]  net.onnx  3/12  about 30 s left  /layers/3/Conv',
      '[2/2]  net.onnx  1/12  /layers/3/Conv',
    ])
  })

  it('lets warnings stand, also where there is no line, but not for --quiet', () => {
    for (const streams of [terminal, {}]) {
      const surroundings = fakeSurroundings({}, streams)
      const progress = createProgress(surroundings, {})
      vi.advanceTimersByTime(600)
      progress.update(step)
      progress.warn('a thread\nended')
      expect(surroundings.stderr.text()).toMatch(/lipschitz: a thread\\nended\n$/)
    }
    const surroundings = fakeSurroundings({}, terminal)
    createProgress(surroundings, { quiet: true }).warn('a thread ended')
    expect(surroundings.stderr.text()).toBe('')
  })
})

describe('the estimate', () => {
  it('is what the rest takes at the pace so far, once that says something', () => {
    expect(estimateRemaining(1000, 0.5)).toBeNull()
    expect(estimateRemaining(60_000, 0.001)).toBeNull()
    expect(estimateRemaining(60_000, 0.25)).toBe(180_000)
    expect(estimateRemaining(60_000, 1)).toBe(0)
  })

  it('is told as exactly as it is known', () => {
    expect([200, 40_000, 720_000, 12_600_000].map(describeDuration)).toEqual([
      '1 s',
      '40 s',
      '12 min',
      '3.5 h',
    ])
  })
})
