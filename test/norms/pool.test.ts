import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createStop, type Stop } from '../../src/core/stop.ts'
import { type CostedTask, runAll } from '../../src/norms/pool.ts'

const workerFile = new URL('./workers/faulty.mjs', import.meta.url)
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))
let marks = 0

/** Tasks that the worker answers with their own numbers, but for their faults. */
function tasks(faults: readonly (string | null)[]): CostedTask[] {
  return faults.map((fault, index) => {
    const mark = join(folder, String(marks++))
    const told = { answer: index, mark, ...(fault === null ? {} : { fault }) }
    const task = { ...told, source: { kind: 'stored' }, geometry: { form: 'diagonal' } } as unknown
    return { task: task as CostedTask['task'], cost: 1e9 - index, label: `w${index}` }
  })
}

async function run(faults: readonly (string | null)[], stop?: Stop, memory?: number) {
  const warnings: string[] = []
  const results = await runAll(tasks(faults), {
    threads: 2,
    workerFile,
    stop,
    memory,
    onWarning: (message) => warnings.push(message),
  })
  return { answers: results.map((result) => result?.frobenius.weight), warnings }
}

describe('threads that end before their work is done', () => {
  it.each([
    ['throw', 'no such thing'],
    ['exit', 'it ended with 7'],
    ['memory', 'it ran out of memory'],
  ])('lose nothing: %s', async (fault, reason) => {
    const { answers, warnings } = await run([null, fault, null, null, fault, null])
    expect(answers).toEqual([0, 1, 2, 3, 4, 5])
    expect(warnings.sort()).toEqual([
      `a thread ended early: ${reason}; 'w1' is measured again`,
      `a thread ended early: ${reason}; 'w4' is measured again`,
    ])
  })

  it('lose nothing when V8 ends one whose heap is full', async () => {
    const { answers, warnings } = await run([null, 'heap', null], undefined, 2 ** 28)
    expect(answers).toEqual([0, 1, 2])
    expect(warnings).toEqual(["a thread ended early: it ran out of memory; 'w1' is measured again"])
  })

  it('take no task with them for good that is done in a thread of its own', async () => {
    const { answers, warnings } = await run(['limit', null, 'limit'])
    expect(answers).toEqual([0, 1, 2])
    expect(warnings).toEqual([])
  })

  it('are an error when the same task ends two of them, named by its weights', async () => {
    await expect(run([null, 'always throw'])).rejects.toMatchObject({
      code: 'limit',
      message: expect.stringContaining('ended early, twice: no such thing'),
      facts: { tensor: 'w1' },
    })
  })

  it('end at once when the work is interrupted, wherever they are', async () => {
    const stop = createStop()
    const results = runAll(tasks([null, 'hang', null, 'hang']), {
      threads: 2,
      workerFile,
      stop,
      onFinish: (index) => {
        if (index === 2) stop.interrupt()
      },
    })
    expect((await results).map((result) => result?.frobenius.weight)).toEqual([0, undefined, 2, undefined])
  })

  it('end at once at the time limit', async () => {
    const { answers } = await run(['hang', 'hang', null], createStop({ timeLimit: 300 }))
    expect(answers).toEqual([undefined, undefined, undefined])
  })
})
