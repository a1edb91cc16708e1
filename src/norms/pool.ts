import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, type ErrorFacts, LipschitzError } from '../core/errors.ts'
import type { LayerMeasurement, MeasureOptions } from './measurement.ts'
import { type LayerTask, runTask } from './task.ts'
import { createTeamJob, dismissTeam, leadTeam, type TeamJob } from './team.ts'

/** A task and what it is expected to cost, in nanoseconds. */
export interface CostedTask {
  readonly task: LayerTask
  readonly cost: number
  readonly label: string
}

/**
 * What a worker is started with: the matrices that all threads work on together, one after another, then the tasks
 * that each takes for itself, and the shared number of the next one that nobody has taken.
 */
export interface WorkerStart {
  readonly member: number
  readonly jobs: readonly TeamJob[]
  readonly tasks: readonly LayerTask[]
  readonly next: Int32Array<SharedArrayBuffer>
}

/** What a worker says of one task; an error as its parts, since classes do not cross threads. */
export type WorkerReply =
  | { readonly index: number; readonly measurement: LayerMeasurement }
  | { readonly index: number; readonly error: { code: ErrorCode; message: string; facts: ErrorFacts } }

/** Nanoseconds of work that are worth starting another thread. */
const WORTH_A_THREAD = 5e7

const workerFile = new URL('./worker.js', import.meta.url)

/**
 * Runs all tasks on this thread and on workers, longest first. A matrix that would keep one thread busy when all
 * others have finished is multiplied by all of them; of the rest each thread takes the next task as soon as it has
 * finished one. Late tasks are this thread's. Little work stays on this thread altogether.
 */
export async function runAll(
  tasks: readonly CostedTask[],
  threads: number,
  onProgress: MeasureOptions['onProgress'],
): Promise<LayerMeasurement[]> {
  const results = new Array<LayerMeasurement>(tasks.length)
  let done = 0
  const finish = (index: number, measurement: LayerMeasurement) => {
    results[index] = measurement
    onProgress?.(++done, tasks.length, tasks[index].label)
  }

  const members = threadsFor(tasks, threads)
  const together = tasks.map((task) => (members > 1 ? teamJobFor(task, tasks, members) : null))
  const indexes = tasks.map((_, index) => index)
  const joint = indexes.filter((index) => together[index] !== null)
  const late = indexes.filter((index) => tasks[index].task.source.kind === 'late')
  const shared = indexes.filter((index) => !joint.includes(index) && !late.includes(index))

  const next = new Int32Array(new SharedArrayBuffer(4))
  const start = {
    jobs: joint.map((index) => together[index] as TeamJob),
    tasks: shared.map((index) => (members > 1 ? shareable(tasks[index].task) : tasks[index].task)),
    next,
  }
  const helpers = joint.length > 0 ? members - 1 : Math.max(0, Math.min(members, shared.length) - 1)
  const workers = Array.from({ length: helpers }, (_, helper) => {
    const workerData: WorkerStart = { ...start, member: helper + 1 }
    return new Worker(workerFile, { workerData })
  })
  const finished = workers.map((worker) =>
    settled(
      worker,
      (position, measurement) => finish(shared[position], measurement),
      (position) => tasks[shared[position]].label,
    ),
  )
  try {
    for (const index of joint) {
      const job = together[index] as TeamJob
      finish(
        index,
        named(tasks[index], (task) => runTogether(task, job)),
      )
    }
    for (const index of late) finish(index, named(tasks[index], runTask))
    for (let position = take(next); position < shared.length; position = take(next)) {
      finish(shared[position], named(tasks[shared[position]], runTask))
      // Lets messages of workers and signals through.
      await new Promise(setImmediate)
    }
    await Promise.all(finished)
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return results
}

/** Runs the task and puts the name of its weights to whatever goes wrong. */
function named({ task, label }: CostedTask, run: (task: LayerTask) => LayerMeasurement): LayerMeasurement {
  try {
    return run(task)
  } catch (error) {
    throw error instanceof LipschitzError ? error.with({ tensor: label }) : error
  }
}

/** Threads that the tasks keep busy, this one included. */
function threadsFor(tasks: readonly CostedTask[], threads: number): number {
  const work = tasks.reduce((sum, { cost }) => sum + cost, 0)
  const useful = Math.min(threads, 1 + Math.floor(work / WORTH_A_THREAD))
  return existsSync(workerFile) ? Math.max(1, useful) : 1
}

/** A job for all threads, if the task is a float32 matrix in a file that takes longer than its share of the work. */
function teamJobFor(
  { task, cost }: CostedTask,
  tasks: readonly CostedTask[],
  members: number,
): TeamJob | null {
  const { geometry, source } = task
  if (geometry.form !== 'matrix' || source.kind !== 'stored' || source.type !== 'float32') return null
  const work = tasks.reduce((sum, other) => sum + other.cost, 0)
  if (cost < WORTH_A_THREAD || cost <= (1.2 * work) / members) return null
  const isOne = geometry.blocks === 1 || geometry.arrangement === 'stacked'
  return isOne ? createTeamJob(source, geometry.rows * geometry.blocks, geometry.columns, members) : null
}

function runTogether(task: LayerTask, job: TeamJob): LayerMeasurement {
  try {
    return runTask(task, leadTeam(job))
  } finally {
    dismissTeam(job)
  }
}

/** The number of the next task that nobody has taken. */
export function take(next: Int32Array<SharedArrayBuffer>): number {
  return Atomics.add(next, 0, 1)
}

function settled(
  worker: Worker,
  onResult: (index: number, measurement: LayerMeasurement) => void,
  labelOf: (index: number) => string,
): Promise<void> {
  const promise = new Promise<void>((resolve, reject) => {
    worker.on('message', (reply: WorkerReply) => {
      if ('measurement' in reply) onResult(reply.index, reply.measurement)
      else {
        const { code, message, facts } = reply.error
        reject(new LipschitzError(code, message, { tensor: labelOf(reply.index), ...facts }))
      }
    })
    worker.on('error', reject)
    worker.on('exit', () => resolve())
  })
  promise.catch(() => {})
  return promise
}

/** Folded weights move to memory that threads share instead of being copied to each of them. */
function shareable(task: LayerTask): LayerTask {
  const { source } = task
  if (source.kind !== 'folded') return task
  const { data } = source
  const buffer = new SharedArrayBuffer(data.byteLength)
  const shared = data instanceof Float32Array ? new Float32Array(buffer) : new Float64Array(buffer)
  shared.set(data)
  return { ...task, source: { ...source, data: shared } }
}
