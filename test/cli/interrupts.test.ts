import { describe, expect, it } from 'vitest'
import { watchEnding } from '../../src/cli/ending.ts'
import { createInterrupts } from '../../src/cli/interrupts.ts'
import { fakeSurroundings } from './fake-streams.ts'

function interruptible() {
  const ended: number[] = []
  const interrupts = createInterrupts((code) => ended.push(code))
  return { ended, interrupts, surroundings: { ...fakeSurroundings(), interrupts } }
}

describe('signals', () => {
  it('end the program at once where nobody asks for them', () => {
    const { ended, interrupts } = interruptible()
    interrupts.raise('SIGINT')
    interrupts.raise('SIGTERM')
    expect(ended).toEqual([130, 143])
  })

  it('let an audit end by itself at first, and end the program when they come again', () => {
    const { ended, interrupts, surroundings } = interruptible()
    const ending = watchEnding({}, surroundings)
    expect([ending.stop.expired(), ending.code()]).toEqual([false, null])
    interrupts.raise('SIGTERM')
    expect([ending.stop.reason(), ending.code(), ended]).toEqual(['interrupted', 143, []])
    interrupts.raise('SIGINT')
    expect(ended).toEqual([130])
  })

  it('end the program when they come after one that broke into a step', () => {
    const { ended, interrupts, surroundings } = interruptible()
    const ending = watchEnding({}, surroundings)
    ending.stop.interrupt()
    expect(ending.code()).toBe(130)
    interrupts.raise('SIGINT')
    expect(ended).toEqual([130])
  })

  it('are the audit’s no longer once it is over', () => {
    const { ended, interrupts, surroundings } = interruptible()
    watchEnding({}, surroundings).release()
    interrupts.raise('SIGINT')
    expect(ended).toEqual([130])
  })

  it('leave the time limit without a code of its own', () => {
    const { stop, code } = watchEnding({ timeLimit: 1e-9 }, fakeSurroundings())
    while (!stop.expired());
    expect([stop.reason(), code()]).toEqual(['time-limit', null])
  })
})
