import { existsSync } from 'node:fs'
import { LipschitzError } from '../core/errors.ts'
import { attempt, type Stop } from '../core/stop.ts'
import { abandon, limitArena } from '../linalg/arena.ts'
import { type CrewWatch, type CrewWork, hireCrew, sharedIntegers, take } from './crew.ts'
import type { LayerTask } from './layer-task.ts'
import type { LayerMeasurement } from './measurement.ts'
import { narrowBytes } from './narrow.ts'
import { runTask, type TaskOptions } from './task.ts'
import { createTeamJob, type TeamJob } from './team.ts'

/** A task and what it is expected to cost, in nanoseconds. */
export interface CostedTask {
  readonly task: LayerTask
  readonly cost: number
  readonly label: string
}

export interface PoolOptions {
  readonly threads: number
  readonly stop?: Stop
  /** Folder of finished measurements. */
  readonly cache?: string
  /** Bytes that the weights in all threads together may take. */
  readonly memory?: number
  readonly onFinish?: (index: number, measurement: LayerMeasurement) => void
  /** Told of threads that ended before their work was done: what they had is measured again. */
  readonly onWarning?: (message: string) => void
  /** The program of a thread; that of the package by default. */
  readonly workerFile?: URL
}

/** Nanoseconds of work that are worth starting another thread. */
const WORTH_A_THREAD = 5e7
/** Bytes without which a thread cannot do much. */
const LEAST_MEMORY = 2 ** 26
/** Nanoseconds for which this thread may be deaf to signals and messages. */
const SHORT = 1e7

const ownWorkerFile = new URL('./worker.js', import.meta.url)

/**
 * Runs all tasks, longest first, on workers: this thread stays free to hear of signals, of the time and of workers that
 * are gone. A matrix that would keep one thread busy when all others have finished is multiplied by all of them; of the
 * rest each thread takes the next task as soon as it has finished one. This thread takes tasks that are short, and late
 * ones. Where there is little work, or no worker to be had, it does everything.
 *
 * What a thread had when it crashed is measured again, in a thread that is alone; a task that crashes that one too is
 * an error. When the work has to stop, the results that are there are given, and the others are undefined.
 */
export async function runAll(
  tasks: readonly CostedTask[],
  options: PoolOptions,
): Promise<(LayerMeasurement | undefined)[]> {
  const { stop, cache, memory, onWarning, workerFile = ownWorkerFile } = options
  const results = new Array<LayerMeasurement | undefined>(tasks.length)
  const finish = (index: number, measurement: LayerMeasurement) => {
    if (results[index] !== undefined) return
    results[index] = measurement
    options.onFinish?.(index, measurement)
  }
  const labelled = (index: number, error: LipschitzError) => error.with({ tensor: tasks[index].label })

  const members = existsSync(workerFile)
    ? threadsFor(tasks, Math.min(options.threads, Math.floor((memory ?? Infinity) / LEAST_MEMORY)))
    : 0
  const plan = planFor(tasks, members)
  const { order, late, jobs } = plan
  const share = memory === undefined ? undefined : Math.floor(memory / Math.max(1, plan.threads))
  const work: CrewWork = {
    tasks: tasks.map(({ task }) => (plan.helpers > 0 ? shareable(task) : null)),
    jobs,
    order,
    taken: sharedIntegers(order.length),
    holding: sharedIntegers(plan.helpers),
    cache,
    memory: share,
  }
  const watch: CrewWatch = {
    workerFile,
    stop,
    onResult: finish,
    onCrash: (index, reason) =>
      onWarning?.(
        index === null
          ? `a thread ended early: ${reason}`
          : `a thread ended early: ${reason}; '${tasks[index].label}' is measured again`,
      ),
    onError: (index, error) => {
      // memory that others took may be there again later
      if (error.code !== 'limit') throw labelled(index, error)
    },
  }

  const crew = hireCrew(work, plan.helpers, watch)
  limitArena(share)
  try {
    function* own() {
      // from the short end: the first ones are done before the other threads have started
      for (let place = order.length - 1; place >= 0; place--) {
        const isMine = plan.helpers === 0 || tasks[order[place]].cost < SHORT
        if (isMine && take(work.taken, place)) yield order[place]
      }
      yield* late
    }
    for (const index of own()) {
      const isLong = tasks[index].cost >= SHORT
      const step = () => runNamed(tasks[index], { cache, memory: share })
      const outcome = await attempt(stop, step, { isLong })
      if (outcome.reason !== null) {
        abandon()
        break
      }
      finish(index, outcome.value)
      // lets messages of workers and signals through
      await new Promise(setImmediate)
    }
    await crew.finished
  } finally {
    limitArena()
    await crew.dismiss()
  }

  for (const index of [...jobs.map((job) => job.index), ...order]) {
    if (results[index] !== undefined || stop?.expired() === true) continue
    await runAlone(
      index,
      { ...work, memory },
      {
        ...watch,
        onCrash: (_, reason) => {
          const message = `the threads that measured it ended early, twice: ${reason}`
          throw labelled(index, new LipschitzError('limit', message))
        },
        onError: (_, error) => {
          throw labelled(index, error)
        },
      },
    )
  }
  return results
}

/** Runs one task in a thread of its own while there is no other. */
async function runAlone(index: number, work: CrewWork, watch: CrewWatch): Promise<void> {
  const own = { jobs: [], order: [index], taken: sharedIntegers(1), holding: sharedIntegers(1) }
  const crew = hireCrew({ ...work, ...own }, 1, watch)
  try {
    await crew.finished
  } finally {
    await crew.dismiss()
  }
}

/** Runs the task and puts the name of its weights to whatever goes wrong. */
function runNamed({ task, label }: CostedTask, options: TaskOptions): LayerMeasurement {
  try {
    return runTask(task, options)
  } catch (error) {
    throw error instanceof LipschitzError ? error.with({ tensor: label }) : error
  }
}

/** Threads that the tasks keep busy; 0 where that is not worth one. */
function threadsFor(tasks: readonly CostedTask[], threads: number): number {
  const work = tasks.reduce((sum, { cost }) => sum + cost, 0)
  return Math.min(threads, Math.floor(work / WORTH_A_THREAD))
}

interface Plan {
  /** Tasks that are folded when they are measured, on this thread. */
  readonly late: readonly number[]
  /** Tasks that threads take one by one. */
  readonly order: readonly number[]
  readonly jobs: readonly { readonly index: number; readonly job: TeamJob }[]
  readonly helpers: number
  /** Threads that measure at the same time. */
  readonly threads: number
}

function planFor(tasks: readonly CostedTask[], members: number): Plan {
  const total = tasks.reduce((sum, { cost }) => sum + cost, 0)
  const late: number[] = []
  const order: number[] = []
  const jobs: { index: number; job: TeamJob }[] = []
  for (const [index, task] of tasks.entries()) {
    const job = members > 1 ? teamJobFor(task, total, members) : null
    if (job !== null) jobs.push({ index, job })
    else (task.task.source.kind === 'late' ? late : order).push(index)
  }
  const helpers = jobs.length > 0 ? members : Math.min(members, order.length)
  return { late, order, jobs, helpers, threads: Math.max(1, helpers + (late.length > 0 ? 1 : 0)) }
}

/** A job for all threads, if the task is a matrix in a file, of float32 or narrower, that takes longer than its share of the work. */
function teamJobFor({ task, cost }: CostedTask, work: number, members: number): TeamJob | null {
  const { geometry, source } = task
  if (geometry.form !== 'matrix' || source.kind !== 'stored' || task.isQuick) return null
  if (source.type !== 'float32' && narrowBytes(source) === null) return null
  if (cost < WORTH_A_THREAD || cost <= (1.2 * work) / members) return null
  const isOne = geometry.blocks === 1 || geometry.arrangement === 'stacked'
  return isOne ? createTeamJob(source, geometry.rows * geometry.blocks, geometry.columns, members) : null
}

/** Folded weights move to memory that threads share instead of being copied to each of them. */
function shareable(task: LayerTask): LayerTask | null {
  const { source } = task
  if (source.kind === 'late') return null
  if (source.kind === 'stored') return task
  const { data } = source
  const buffer = new SharedArrayBuffer(data.byteLength)
  const shared = data instanceof Float32Array ? new Float32Array(buffer) : new Float64Array(buffer)
  shared.set(data)
  return { ...task, source: { ...source, data: shared } }
}
