import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, type ErrorFacts, LipschitzError } from '../core/errors.ts'
import type { LayerMeasurement, MeasureOptions } from './measurement.ts'
import { type LayerTask, runTask } from './task.ts'

/** A task and what it is expected to cost, in nanoseconds. */
export interface CostedTask {
  readonly task: LayerTask
  readonly cost: number
  readonly label: string
}

/** What a worker is started with: all tasks, and the shared number of the next one that nobody has taken. */
export interface WorkerStart {
  readonly tasks: readonly LayerTask[]
  readonly next: Int32Array<SharedArrayBuffer>
}

/** What a worker says of one task; an error as its parts, since classes do not cross threads. */
export type WorkerReply =
  | { readonly index: number; readonly measurement: LayerMeasurement }
  | { readonly index: number; readonly error: { code: ErrorCode; message: string; facts: ErrorFacts } }

/** Nanoseconds of work that are worth starting another thread. */
const WORTH_A_THREAD = 8e7

const workerFile = new URL('./worker.js', import.meta.url)

/**
 * Runs all tasks, in their order (longest first) on this thread and on workers: each takes the next task as soon as
 * it has finished one. Little work stays on this thread.
 */
export async function runAll(
  tasks: readonly CostedTask[],
  threads: number,
  onProgress: MeasureOptions['onProgress'],
): Promise<LayerMeasurement[]> {
  const results = new Array<LayerMeasurement>(tasks.length)
  const next = new Int32Array(new SharedArrayBuffer(4))
  let done = 0
  const report = (index: number) => onProgress?.(++done, tasks.length, tasks[index].label)

  const work = tasks.reduce((sum, { cost }) => sum + cost, 0)
  const useful = Math.min(threads, tasks.length, 1 + Math.floor(work / WORTH_A_THREAD))
  const helpers = existsSync(workerFile) ? Math.max(0, useful - 1) : 0
  const start: WorkerStart = { tasks: tasks.map(({ task }) => shareable(task, helpers > 0)), next }
  const workers = Array.from({ length: helpers }, () => new Worker(workerFile, { workerData: start }))
  const finished = workers.map((worker) =>
    settled(worker, (index, measurement) => {
      results[index] = measurement
      report(index)
    }),
  )
  try {
    for (let index = take(next); index < tasks.length; index = take(next)) {
      results[index] = runTask(tasks[index].task)
      report(index)
      // Lets messages of workers and signals through.
      await new Promise(setImmediate)
    }
    await Promise.all(finished)
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return results
}

/** The number of the next task that nobody has taken. */
export function take(next: Int32Array<SharedArrayBuffer>): number {
  return Atomics.add(next, 0, 1)
}

function settled(
  worker: Worker,
  onResult: (index: number, measurement: LayerMeasurement) => void,
): Promise<void> {
  const promise = new Promise<void>((resolve, reject) => {
    worker.on('message', (reply: WorkerReply) => {
      if ('measurement' in reply) onResult(reply.index, reply.measurement)
      else reject(new LipschitzError(reply.error.code, reply.error.message, reply.error.facts))
    })
    worker.on('error', reject)
    worker.on('exit', () => resolve())
  })
  promise.catch(() => {})
  return promise
}

/** Folded weights move to memory that threads share instead of being copied to each of them. */
function shareable(task: LayerTask, isShared: boolean): LayerTask {
  const { source } = task
  if (!isShared || source.kind === 'stored') return task
  const { data } = source
  const buffer = new SharedArrayBuffer(data.byteLength)
  const shared = data instanceof Float32Array ? new Float32Array(buffer) : new Float64Array(buffer)
  shared.set(data)
  return { ...task, source: { ...source, data: shared } }
}
