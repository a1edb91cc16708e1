import { describe, expect, it } from 'vitest'
import { attempt, createStop } from '../../src/core/stop.ts'

describe('a stop', () => {
  it('expires at its time limit, a part of it no later than the whole', () => {
    let time = 0
    const stop = createStop({ timeLimit: 100, now: () => time })
    const part = stop.within(30)
    const beyond = stop.within(1000)
    expect([stop.reason(), part.reason(), stop.remaining()]).toEqual([null, null, 100])
    time = 40
    expect([stop.expired(), part.expired(), stop.remaining()]).toEqual([false, true, 60])
    time = 100
    expect([stop.reason(), beyond.reason()]).toEqual(['time-limit', 'time-limit'])
  })

  it('never expires by itself without a limit, and at once when it is interrupted', () => {
    let told = 0
    const stop = createStop()
    const part = stop.within(Infinity)
    stop.onInterrupt(() => told++)
    const quit = stop.onInterrupt(() => told++)
    quit()
    expect(stop.remaining()).toBe(Infinity)
    part.interrupt()
    part.interrupt()
    expect([stop.reason(), part.reason(), told]).toEqual(['interrupted', 'interrupted', 1])
  })
})

describe('attempt', () => {
  it('gives what the step gives, and passes its errors on as they are', async () => {
    const error = new RangeError('as it was')
    for (const stop of [undefined, createStop(), createStop({ timeLimit: 1e6, isBreakable: true })]) {
      expect(await attempt(stop, () => 7)).toEqual({ reason: null, value: 7 })
      await expect(
        attempt(stop, () => {
          throw error
        }),
      ).rejects.toBe(error)
    }
  })

  it('breaks off an endless loop and an endless wait at the time limit', async () => {
    const loop = () => {
      for (;;);
    }
    const wait = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    for (const step of [loop, wait]) {
      expect(await attempt(createStop({ timeLimit: 20 }), step)).toEqual({ reason: 'time-limit' })
    }
  })

  it('does not begin what has no time left', async () => {
    let ran = false
    const stop = createStop()
    stop.interrupt()
    const outcome = await attempt(stop, () => {
      ran = true
    })
    expect([outcome, ran]).toEqual([{ reason: 'interrupted' }, false])
  })

  it('runs one step after another', async () => {
    const stop = createStop({ timeLimit: 1e6 })
    const order: number[] = []
    await Promise.all([1, 2, 3].map((step) => attempt(stop, () => order.push(step))))
    expect(order).toEqual([1, 2, 3])
  })
})
