import { Worker } from 'node:worker_threads'
import { type ErrorCode, type ErrorFacts, LipschitzError } from '../core/errors.ts'
import type { Stop } from '../core/stop.ts'
import type { LayerTask } from './layer-task.ts'
import type { LayerMeasurement } from './measurement.ts'
import { dismissTeam, failTeam, type TeamJob } from './team.ts'

/** What all threads of a crew know: the tasks, and which of them are whose. */
export interface CrewWork {
  /** Null where no thread but the main one can run it. */
  readonly tasks: readonly (LayerTask | null)[]
  /** Matrices that all work on together, one after another, before anything else; led by the first thread. */
  readonly jobs: readonly { readonly index: number; readonly job: TeamJob }[]
  /** Tasks that each takes for itself, longest first, and by place in this order 1 for those that are taken. */
  readonly order: readonly number[]
  readonly taken: Int32Array<SharedArrayBuffer>
  /** By thread: one more than the task that it has at hand; 0 for none. */
  readonly holding: Int32Array<SharedArrayBuffer>
  /** Folder of finished measurements. */
  readonly cache?: string
  /** Bytes that the weights of one thread may take. */
  readonly memory?: number
}

/** What a worker is started with. */
export interface WorkerStart extends CrewWork {
  readonly member: number
}

/** What a worker says of one task; an error as its parts, since classes do not cross threads. */
export type WorkerReply =
  | { readonly index: number; readonly measurement: LayerMeasurement }
  | { readonly index: number; readonly error: { code: ErrorCode; message: string; facts: ErrorFacts } }

export interface CrewWatch {
  readonly workerFile: URL
  readonly stop?: Stop
  readonly onResult: (index: number, measurement: LayerMeasurement) => void
  /** A thread is gone, and with it what it did on a task; null: it had none. What is thrown ends the crew. */
  readonly onCrash: (index: number | null, reason: string) => void
  /** A task failed, its thread lives. What is thrown ends the crew. */
  readonly onError: (index: number, error: LipschitzError) => void
}

/** Threads at work. */
export interface Crew {
  /** When all have gone home; rejects with what `onError` throws. */
  readonly finished: Promise<void>
  /** Sends home whoever is still there. */
  dismiss(): Promise<void>
}

/** Takes a task, unless somebody else has. */
export function take(taken: Int32Array<SharedArrayBuffer>, place: number): boolean {
  return Atomics.exchange(taken, place, 1) === 0
}

export const sharedIntegers = (count: number) => new Int32Array(new SharedArrayBuffer(4 * Math.max(1, count)))

/** What a thread's own objects may take besides weights, in MiB: beyond it V8 ends the thread, not the program. */
const HEAP = 512

function heapLimit(memory: number | undefined): { resourceLimits?: { maxOldGenerationSizeMb: number } } {
  return memory === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: HEAP } }
}

/** Starts threads. When the work has to stop they end at once, wherever they are. */
export function hireCrew(work: CrewWork, members: number, watch: CrewWatch): Crew {
  const { stop, workerFile } = watch
  const workers = Array.from({ length: members }, (_, member) => {
    const workerData: WorkerStart = { ...work, member }
    return new Worker(workerFile, { workerData, ...heapLimit(work.memory) })
  })
  const dismiss = async () => {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  let isOver = false
  const end = () => {
    isOver = true
    void dismiss()
  }
  const remaining = stop?.remaining() ?? Infinity
  const timer = remaining === Infinity ? null : setTimeout(end, Math.min(2 ** 31 - 1, Math.ceil(remaining)))
  const quit = stop?.onInterrupt(end)

  function attend(worker: Worker, member: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let reason: string | null = null
      worker.on('message', (reply: WorkerReply) => {
        if ('measurement' in reply) return watch.onResult(reply.index, reply.measurement)
        const { code, message, facts } = reply.error
        try {
          watch.onError(reply.index, new LipschitzError(code, message, facts))
        } catch (error) {
          reject(error)
        }
      })
      worker.on('error', (error: Error & { code?: string }) => {
        reason = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it ran out of memory' : error.message
      })
      worker.on('exit', (code) => {
        const held = Atomics.load(work.holding, member)
        if (!isOver && (code !== 0 || held !== 0)) {
          // whoever waits for it in a team need not wait any longer
          for (const { job } of work.jobs) member === 0 ? dismissTeam(job) : failTeam(job)
          try {
            watch.onCrash(held === 0 ? null : held - 1, reason ?? `it ended with ${code}`)
          } catch (error) {
            reject(error)
          }
        }
        resolve()
      })
    })
  }

  const finished = Promise.all(workers.map(attend)).then(() => {
    if (timer !== null) clearTimeout(timer)
    quit?.()
  })
  finished.catch(() => {
    if (timer !== null) clearTimeout(timer)
    quit?.()
  })
  return {
    finished,
    dismiss() {
      isOver = true
      return dismiss()
    },
  }
}
